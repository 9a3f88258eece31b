"""A network at a glance: one bar a layer from the photo to the answer; a click on a bar goes to that layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlviz.figures.cnn_filters import KIND_COLOURS, bar_height, strip_places
from dlviz.figures.palette import CATEGORICAL
from dlviz.ui.components import component
from dlviz.ui.language import _

HTML = """
<div class="network">
  <ul class="kinds"></ul>
  <div class="bars" role="listbox" tabindex="0"></div>
  <div class="stages" aria-hidden="true"></div>
  <p class="told" role="status"></p>
</div>
"""

_component = component("layer_strip", html=HTML)


def layer_strip(
    outline: Any,
    *,
    key: str,
    chosen: str,
    kinds: Mapping[str, str],
    told: Sequence[str],
    stages: Sequence[Sequence[str]],
    on_pick: Callable[[], None],
) -> None:
    """The layers of a network (``dlviz.vision.results.NetworkOutline``) as bars, as tall as their maps are.

    Plotly would take the browser 50 ms a click and the server 30 ms a run for the same picture.

    Parameters
    ----------
    outline
        What ``outline.outline`` returned.
    key
        Of the form ``<stem>_<name>``.
    chosen
        Name of the layer to mark.
    kinds
        What each kind of layer is called.
    told
        What is said of each layer when the pointer is over it.
    stages
        The lines under each stage: its name, and what else there is to say.
    on_pick
        Called when the visitor picks a layer; ``st.session_state[key].picked`` is its name.
    """
    place = strip_places(outline)
    width = max(place.values()) + 1
    used = list(dict.fromkeys(layer.kind for layer in outline.layers))
    bars = [
        {
            "name": layer.name,
            "left": round(100 * place[layer.name] / width, 3),
            "height": round(100 * bar_height(layer), 1),
            "kind": used.index(layer.kind),
            "told": sentence,
        }
        for layer, sentence in zip(outline.layers, told, strict=True)
    ]
    ends = [
        (place[outline.layers[stage.first].name], place[outline.layers[stage.last].name] + 1)
        for stage in outline.stages
    ]
    data = {
        "title": _("The layers of the network, from the photo to the answer."),
        "bars": bars,
        "bar_width": 100 / width,
        "kinds": [{"name": kinds[kind], "colour": CATEGORICAL[KIND_COLOURS[kind]]} for kind in used],
        "stages": [
            {"from": 100 * first / width, "to": 100 * end / width, "lines": list(lines)}
            for (first, end), lines in zip(ends, stages, strict=True)
        ],
        "chosen": chosen,
    }
    _component(key=key, data=data, on_picked_change=on_pick)
