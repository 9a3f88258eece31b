"""Two networks on one photo, layer by depth."""

from __future__ import annotations

import streamlit as st

from dlviz import zoo
from dlviz.ui import compute, lesson, models
from dlviz.ui.components.map_gallery import map_gallery
from dlviz.ui.language import _, number, percent
from dlviz.views.cnn_filters import layers, maps
from dlviz.views.cnn_filters.layers import Scene
from dlviz.vision import attribution, cnn_filters, outline
from dlviz.vision.results import Layer


def show(scene: Scene, task: str) -> None:
    """The section: a second network, one depth for both, their answers and their maps."""
    others = models.ready(task, leave_out=scene.model)
    if not others:
        st.info(
            _(
                "Only one network is on this server, so there is nothing to set beside it yet. Add one under “More "
                "models” above, and it appears here."
            ),
            icon=":material/compare:",
        )
        return
    name = models.choose(
        "cnn_filters_other",
        task=task,
        label=_("The other network"),
        default=next(iter(others)),
        leave_out=scene.model,
    )
    if name is None:
        return
    other = Scene(scene.photo, name, compute.run(outline.outline, model=name))
    depth = st.slider(
        _("Depth in the network, from the photo to the answer"),
        0,
        100,
        25,
        5,
        format="%d %%",
        key="cnn_filters_depth",
        bind="query-params",
    )
    mine = nearest(layers.with_maps(scene.network), depth / 100)
    theirs = outline.same_depth(scene.network, mine.name, other.network)
    for column, one, layer in zip(st.columns(2), (scene, other), (mine, theirs), strict=True):
        with column:
            _side(one, layer)
    lesson.model_card(name)


def nearest(choices: list[Layer], depth: float) -> Layer:
    """The activation (or, without any, the layer) whose depth is closest."""
    fitting = [entry for entry in choices if entry.kind == "activation"] or choices
    return min(fitting, key=lambda entry: abs(entry.depth - depth))


def _side(scene: Scene, layer: Layer) -> None:
    prediction = compute.run(attribution.predict, model=scene.model, image=scene.photo.pixels)
    st.markdown(
        _(
            "**{title}**: {name}, {probability}",
            title=_(zoo.card(scene.model).title),
            name=prediction.names[0],
            probability=percent(float(prediction.probabilities[0])),
        )
    )
    st.caption(
        _(
            "{layer}, at {depth} of the depth; {parameters} parameters in the network.",
            layer=layers.describe(layer, layers.kinds()),
            depth=percent(layer.depth, 0),
            parameters=number(scene.network.parameters, 0),
        )
    )
    found = compute.run(
        cnn_filters.feature_maps, model=scene.model, image=scene.photo.pixels, layer=layer.name
    )
    st.markdown(maps.about(found))
    map_gallery(found, key=f"cnn_filters_beside_{scene.model}")
