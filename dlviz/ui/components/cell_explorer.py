"""The cell explorer: hover a cell of a feature map, see what it sees and what its number is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlviz.figures import cell_explorer as scene
from dlviz.ui.components import component
from dlviz.ui.language import _, current

Cell = tuple[int, int]

HTML = """
<div class="explorer">
  <figure class="left">
    <figcaption class="photo-title"></figcaption>
    <canvas class="photo" role="img"></canvas>
    <div class="under">
      <label class="opacity"><span></span><input type="range" min="0" max="100" value="45"></label>
    </div>
  </figure>
  <figure class="right">
    <figcaption class="map-title"></figcaption>
    <canvas class="map" role="application" tabindex="0"></canvas>
    <div class="under"><span class="low"></span><span class="ramp"></span><span class="high"></span></div>
  </figure>
  <div class="side">
    <div class="head"><span class="cell"></span><span class="value"></span><span class="pin"></span></div>
    <p class="field"></p>
    <div class="flow"></div>
    <p class="check"></p>
    <p class="hint"></p>
  </div>
  <div class="below">
    <div class="tables"></div>
    <div class="bars"></div>
  </div>
  <div class="live" role="status" aria-live="polite"></div>
</div>
"""

_component = component("cell_explorer", html=HTML, after=("pictures",))


def cell_explorer(
    dissection: Any,
    *,
    key: str,
    cell: Cell | None = None,
    on_change: Callable[[], None] | None = None,
) -> Cell | None:
    """Show a map beside the photo, and explain the cell under the pointer, the finger or the arrow keys.

    Parameters
    ----------
    dissection
        A ``dlviz.vision.results.Dissection``: all that explains every cell of one map, sent once.
    key
        Of the form ``<stem>_<name>``.
    cell
        The cell that is pinned at first, from the link.
    on_change
        Called when the visitor pins a cell or lets it go.

    Returns
    -------
    tuple or None
        Row and column of the pinned cell. Hovering never reaches the server.
    """
    shown = [dissection.layer, dissection.channel]
    held = (st.session_state.get(key) or {}).get("pinned")
    pinned = held["cell"] if held and held["shown"] == shown else cell
    header = {"lang": current(), "cell": _first_cell(key, shown, pinned), "words": words()}
    result = _component(
        key=key, data=scene.dissection(dissection, header), on_pinned_change=on_change or _nothing
    )
    if result.pinned and result.pinned["shown"] == shown:
        pinned = result.pinned["cell"]
    return (int(pinned[0]), int(pinned[1])) if pinned else None


def _first_cell(key: str, shown: list[Any], pinned: Any) -> Any:
    """The cell that was pinned when this map was first shown: a later one would send the whole map again."""
    first = st.session_state.get(f"{key}_first")
    if first is None or first[0] != shown:
        first = st.session_state[f"{key}_first"] = (shown, pinned)
    return first[1]


def words() -> dict[str, Any]:
    """Everything the component says, in the visitor's language; it fills the placeholders itself."""
    return {
        "photo": _("The photo as the network receives it"),
        "map": _("Map {channel} of {layer}"),
        "opacity": _("Map over photo"),
        "hint": _(
            "Hover or tap a cell, or move with the arrow keys. Click, or press Enter, to pin it; again to let"
            " it go."
        ),
        "cell": _("Cell in row {row}, column {column}"),
        "pinned": _("pinned"),
        "field": _("It sees {width} × {height} pixels of the photo, inside the frame."),
        "whole": _(
            "Its direct path sees {width} × {height} pixels, inside the frame; the whole photo reaches it"
            " too, through a gate, an average or attention."
        ),
        "check": _("The parts give {sum}, the network's own number is {value}."),
        "apart": _("The parts give {sum}, the network's own number is {value}: {difference} apart."),
        "window": _("Window × kernel, all channels"),
        "heads": _("Attention, all heads"),
        "bias": _("Bias"),
        "norm": _("Normalisation"),
        "scale": _("Learnt scale"),
        "activation": _("Activation: {name}"),
        "sum": _("Sum of its terms"),
        "copy": _("The value it was handed"),
        "product": _("Product: map × gate"),
        "maximum": _("Largest value of the window"),
        "mean": _("Mean of the window"),
        "learnt": _("learnt, the same for every photo"),
        "channel": _("Channel {channel} of {layer}"),
        "rgb": [_("Red, standardised"), _("Green, standardised"), _("Blue, standardised")],
        "input": _("Input window"),
        "kernel": _("Kernel"),
        "products": _("Products"),
        "total": _("sum"),
        "others": _("The other {count} channels together"),
        "head": _("Head {head}"),
        "looks": _("looks most at {place}: {share}"),
        "place": _("row {row}, column {column}"),
        "class_token": _("the class token"),
    }


def _nothing() -> None:
    """Streamlit keeps a state of a component only where a callback is registered for it."""
