"""All maps of a layer, or all kernels of a convolution, as one picture; click one to choose it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import streamlit as st

from dlviz.figures import cell_explorer as scene
from dlviz.ui.components import component
from dlviz.ui.language import _, current

HTML = """
<div class="gallery">
  <div class="scroller"><canvas role="application" tabindex="0"></canvas></div>
  <p class="note" role="status" aria-live="polite"></p>
</div>
"""

_component = component("map_gallery", html=HTML, after=("pictures",))


def map_gallery(
    maps: Any,
    *,
    key: str,
    shared: bool = True,
    chosen: int | None = None,
    on_change: Callable[[], None] | None = None,
) -> int | None:
    """All maps of a layer (``dlviz.vision.results.FeatureMaps``), the strongest first.

    Parameters
    ----------
    maps
        What ``feature_maps`` returned.
    key
        Of the form ``<stem>_<name>``.
    shared
        One colour scale for all maps, or each map its own.
    chosen
        The chosen map, from the link; without it the gallery keeps the visitor's own choice.
    on_change
        Called when the visitor chooses another map; ``st.session_state[key].chosen`` has its number.

    Returns
    -------
    int or None
        Number of the chosen map.
    """
    words = {
        "title": _("All maps of {layer}", layer=maps.layer),
        "hint": _("Click a map to enlarge it; with the keyboard, arrows and Enter."),
        "tile": _("Map {number}, mean {value}"),
        "dead": _("Map {number}: dead, zero everywhere on this photo"),
    }
    return _gallery(
        scene.map_tiles(maps, shared=shared),
        words,
        [maps.layer, "map"],
        key,
        chosen,
        on_change,
        values=maps.mean,
        order=maps.order,
        dead=maps.dead,
        signed=maps.signed,
    )


def kernel_gallery(
    kernels: Any,
    *,
    key: str,
    order: np.ndarray | None = None,
    values: np.ndarray | None = None,
    chosen: int | None = None,
    on_change: Callable[[], None] | None = None,
) -> int | None:
    """The kernels of the first layer (``dlviz.vision.results.Kernels``) as colour pictures.

    ``order`` and ``values`` are by norm unless given, for instance as the strength of each filter's map.
    """
    by_norm = values is None
    words = {
        "title": _("All kernels of {layer}", layer=kernels.layer),
        "hint": _("Click a kernel to choose it; with the keyboard, arrows and Enter."),
        "tile": _("Kernel {number}, norm {value}")
        if by_norm
        else _("Kernel {number}, mean response {value}"),
        "dead": "",
    }
    values = kernels.norms if values is None else values
    order = np.argsort(-values, kind="stable") if order is None else order
    tiles = scene.kernel_tiles(kernels)
    return _gallery(
        tiles, words, [kernels.layer, "kernel"], key, chosen, on_change, values=values, order=order
    )


def slice_gallery(
    slices: Any,
    *,
    key: str,
    by: Literal["norm", "response"] = "norm",
    chosen: int | None = None,
    on_change: Callable[[], None] | None = None,
) -> int | None:
    """One filter of a deep layer (``dlviz.vision.results.FilterSlices``), one kernel an input channel.

    Sorted by the kernels' norms, or by what each channel adds to the filter's map on this photo. Returns the
    number of the chosen input channel.
    """
    by_norm = by == "norm"
    words = {
        "title": _("Filter {filter} of {layer} by input channel", filter=slices.filter, layer=slices.layer),
        "hint": _("Click an input channel to choose it; with the keyboard, arrows and Enter."),
        "tile": _("Input channel {number}, norm {value}")
        if by_norm
        else _("Input channel {number}, adds {value} on average"),
        "dead": "",
    }
    values = slices.norms if by_norm else slices.response
    first = int(slices.channels[0])
    place = None if chosen is None else chosen - first
    picked = _gallery(
        scene.slice_tiles(slices.weights),
        words,
        [slices.layer, slices.filter, "slice"],
        key,
        place,
        on_change,
        values=values,
        order=np.argsort(-values, kind="stable"),
        signed=True,
        first=first,
    )
    return None if picked is None else picked + first


def _gallery(
    tiles: np.ndarray,
    words: dict[str, str],
    shown: list[Any],
    key: str,
    chosen: int | None,
    on_change: Callable[[], None] | None,
    first: int = 0,
    **values: Any,
) -> int | None:
    held = (st.session_state.get(key) or {}).get("chosen")
    picked = int(held["number"]) if held and held["shown"] == shown else None
    if chosen is None:
        chosen = picked
    begun = st.session_state.get(f"{key}_first")
    if begun is None or begun[0] != shown or chosen not in (picked, begun[1]):
        # The browser knows what it picked itself; only another choice (a link, the Back button) is sent, with
        # all tiles.
        begun = st.session_state[f"{key}_first"] = (shown, chosen)
    header = {"lang": current(), "words": words, "shown": shown, "first": first}
    data = scene.gallery(tiles, header, chosen=begun[1], **values)
    _component(key=key, data=data, on_chosen_change=on_change or _nothing)
    return chosen


def _nothing() -> None:
    """Streamlit keeps a state of a component only where a callback is registered for it."""
