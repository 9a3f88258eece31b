"""Feature maps: the network at a glance, all maps of a layer, and one number taken apart."""

from __future__ import annotations

import streamlit as st

from dlviz.figures import cnn_filters as figures
from dlviz.figures import mosaic
from dlviz.ui import compute, controls, export, lesson
from dlviz.ui.components.cell_explorer import cell_explorer
from dlviz.ui.components.layer_strip import layer_strip
from dlviz.ui.components.map_gallery import map_gallery
from dlviz.ui.language import _, ngettext, number
from dlviz.views.cnn_filters import layers
from dlviz.views.cnn_filters.layers import Scene
from dlviz.vision import cnn_filters, dissect
from dlviz.vision.results import Dissection, FeatureMaps, Follow, Layer, Stage, WindowParts

LAYER, MAP, CELL = "cnn_filters_layer", "cnn_filters_map", "cnn_filters_cell"
GALLERY, EXPLORER, STRIP = "cnn_filters_gallery", "cnn_filters_explorer", "cnn_filters_strip"


@st.fragment
def show(scene: Scene) -> None:
    """The section, from the whole network down to one cell.

    A fragment: a change of layer, map or cell runs and draws this part of the page alone.
    """
    choices = layers.with_maps(scene.network)
    default = next((entry.name for entry in choices if entry.kind == "activation"), choices[0].name)
    place = st.container()
    layer = layers.choose(_("Layer"), choices, key=LAYER, default=default)
    with place:
        strip(scene, layer)
    shared = st.toggle(
        _("One colour scale for all maps of the layer"),
        value=False,
        key="cnn_filters_shared",
        bind="query-params",
        help=_("Off, each map uses its own full contrast: weak maps show their shape, but look as strong."),
    )
    image = scene.photo.pixels
    look = compute.run(dissect.look, model=scene.model, image=image, layer=layer)
    maps = look.maps
    st.markdown(about(maps))
    channel = chosen_map(maps)
    map_gallery(maps, key=GALLERY, shared=shared, chosen=channel, on_change=_map_picked)
    st.subheader(_("One number, explained"), anchor=False)
    dissection = look.dissection
    if channel != dissection.channel:
        dissection = compute.run(
            dissect.dissect, model=scene.model, image=image, layer=layer, channel=channel
        )
    cell = cell_explorer(dissection, key=EXPLORER, cell=linked_cell(dissection), on_change=_cell_picked)
    lesson.maths(formulas(dissection, cell))
    _code(scene, layer, channel)
    _export(scene, maps, layer)


def strip(scene: Scene, layer: str) -> None:
    """The network from photo to answer, layer by layer; a click on a layer goes there."""
    kinds = layers.kinds()
    layer_strip(
        scene.network,
        key=STRIP,
        chosen=layer,
        kinds=kinds,
        told=[_told(entry, kinds) for entry in scene.network.layers],
        stages=[_stage(stage) for stage in scene.network.stages],
        on_pick=_layer_picked,
    )


def strip_figure(scene: Scene, layer: str | None) -> figures.go.Figure:
    """The strip as a figure, with ``layer`` marked."""
    kinds = layers.kinds()
    return figures.network_strip(
        scene.network,
        chosen=layer,
        kinds=kinds,
        hover=[_told(entry, kinds) for entry in scene.network.layers],
        stages=["<br>".join([f"<b>{name}</b>", *rest]) for name, *rest in map(_stage, scene.network.stages)],
    )


def _told(layer: Layer, kinds: dict[str, str]) -> str:
    """What is said of a layer of the strip."""
    field = layer.field_size or (0, 0)
    return _(
        "{name} · {kind} · maps: {shape} · parameters: {parameters} · receptive field: {field}",
        name=layer.name,
        kind=kinds[layer.kind],
        shape=" × ".join(map(str, layer.shape)),
        parameters=layer.parameters,
        field=_("{width} × {height} pixels", width=field[1], height=field[0]) if layer.field_size else "–",
    )


def _stage(stage: Stage) -> tuple[str, str, str]:
    """Name, shape and parameters of a stage: the lines under it."""
    return stage.name, " × ".join(map(str, stage.shape)), number(stage.parameters, 0)


def about(maps: FeatureMaps) -> str:
    """How many maps there are, how large, and how many say nothing."""
    count, height, width = maps.maps.shape
    size = ngettext(
        "{count} map of {height} × {width} cells, the strongest first.",
        "{count} maps of {height} × {width} cells, the strongest first.",
        count,
        height=height,
        width=width,
    )
    if not maps.dead_after:
        return size
    if not maps.dead_count:
        return " ".join([size, _("No map is dead on this photo.")])
    dead = ngettext(
        "{count} of them is dead on this photo: zero everywhere after {layer}.",
        "{count} of them are dead on this photo: zero everywhere after {layer}.",
        maps.dead_count,
        layer=f"`{maps.dead_after}`",
    )
    return f"{size} {dead}"


def chosen_map(maps: FeatureMaps) -> int:
    """The map that the link names, or the strongest one."""
    linked = controls.hidden_field(MAP, _("Map"))
    return int(linked) if linked.isdecimal() and int(linked) < len(maps.maps) else int(maps.order[0])


def linked_cell(dissection: Dissection) -> tuple[int, int] | None:
    """The cell that the link pins, if this map has it."""
    row, _comma, column = controls.hidden_field(CELL, _("Cell")).partition(",")
    if not (row.isdecimal() and column.isdecimal()):
        return None
    height, width = dissection.values.shape
    return (int(row), int(column)) if int(row) < height and int(column) < width else None


def _layer_picked() -> None:
    if picked := st.session_state[STRIP].picked:
        st.session_state[LAYER] = str(picked)


def _map_picked() -> None:
    chosen = st.session_state[GALLERY].chosen
    if chosen:
        st.session_state[MAP] = str(int(chosen["number"]))


def _cell_picked() -> None:
    cell = (st.session_state[EXPLORER].pinned or {}).get("cell")
    st.session_state[CELL] = f"{int(cell[0])},{int(cell[1])}" if cell else ""


def formulas(dissection: Dissection, cell: tuple[int, int] | None) -> list[lesson.Formula]:
    """The convolution, and the steps after it, with the pinned cell's numbers in them."""
    if cell:
        row, column = cell
        which = _("The cell in row {row}, column {column}, which you pinned:", row=row, column=column)
    else:
        row, column = (int(v) for v in divmod(dissection.values.argmax(), dissection.values.shape[1]))
        which = _(
            "The map's largest cell, in row {row}, column {column}; pin another one:", row=row, column=column
        )
    base = float(dissection.base[row, column])
    if isinstance(dissection.parts, WindowParts):
        bias = dissection.parts.bias
        first = lesson.Formula(
            _("A convolution adds up window × kernel over all input channels, and the bias:"),
            r"y_{ij} = \sum_{c}\sum_{u,v} x_{c,\,is+u-p,\,js+v-p}\; w_{cuv} + b",
            rf"y_{{{row},{column}}} = {number(base - bias)} + {number(bias)} = {number(base)}",
        )
    else:
        first = lesson.Formula(
            _("The parts of this layer add up, or are multiplied, to its output:"),
            r"y = \textstyle\sum_k t_k \quad\text{or}\quad y = \prod_k t_k",
            rf"y_{{{row},{column}}} = {number(base)}",
        )
    return [lesson.Formula(which), first, *(_follow(follow, row, column) for follow in dissection.follows)]


def _follow(follow: Follow, row: int, column: int) -> lesson.Formula:
    scale, shift = float(follow.scale.flat[0]), float(follow.shift.flat[0])
    if follow.scale.size > 1:
        scale, shift = float(follow.scale[row, column]), float(follow.shift[row, column])
    output = number(float(follow.output[row, column]))
    if follow.function == "affine":
        return lesson.Formula(
            _("A normalisation with fixed statistics is a scale and a shift:"),
            r"\hat y = \gamma\,\frac{y - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta = a\,y + s",
            rf"\hat y = {number(scale)}\, y + ({number(shift)}) = {output}",
        )
    return lesson.Formula(
        _("The activation {name}:", name=follow.function),
        rf"a = \mathrm{{{follow.function.replace('_', ' ')}}}(\hat y)",
        f"a = {output}",
    )


def _code(scene: Scene, layer: str, channel: int) -> None:
    one = {"image": scene.image, "layer": layer}
    lesson.code(
        [
            (_("All maps of the layer:"), cnn_filters.feature_maps, one),
            (_("One map, taken apart:"), dissect.dissect, {**one, "channel": channel}),
        ],
        model=scene.model,
    )


def _export(scene: Scene, maps: FeatureMaps, layer: str) -> None:
    drawn = mosaic.signed if maps.signed else mosaic.magnitude
    export.panel(
        "cnn_filters_maps",
        figures={_("The network, layer by layer"): lambda: strip_figure(scene, layer)},
        pictures={
            _("All maps of the layer"): lambda: mosaic.png(
                mosaic.mosaic(drawn(maps.maps[maps.order], shared=True), columns=16, enlarge=2, gap=2)
            )
        },
        tables={_("The layers of the network"): lambda: layer_rows(scene)},
        arrays={_("All maps of the layer, as numbers"): lambda: {"maps": maps.maps, "mean": maps.mean}},
    )


def layer_rows(scene: Scene) -> list[dict[str, object]]:
    """The layers as a table: what the export writes."""
    return [
        {
            "name": layer.name,
            "kind": layer.kind,
            "function": layer.function,
            "channels": layer.shape[0],
            "height": layer.shape[1],
            "width": layer.shape[2],
            "parameters": layer.parameters,
            "stage": layer.stage,
            "depth": round(layer.depth, 4),
            "receptive_field": layer.field_size[0] if layer.field_size else "",
        }
        for layer in scene.network.layers
    ]
