"""A canvas to draw on, with pen, eraser, undo and redo; the drawing travels in the link.

The browser keeps the strokes and sends them when the pen leaves the paper, in the few letters of
:mod:`dlviz.intake.strokes`; the pixels are made from those letters here. So a drawing looks the same to the
network whether it was just drawn or came with a link.
"""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from dlviz.errors import Refused
from dlviz.intake import strokes
from dlviz.ui.components import component
from dlviz.ui.controls import hidden_field
from dlviz.ui.language import _, current, say
from dlviz.ui.snippet import Source

IN_LINK = 590
"""Letters of a drawing that a link carries; a longer one is known by its digest."""

_DIGEST = "sha256:"

HTML = """
<div class="drawing">
  <div class="title"></div>
  <div class="tools" role="toolbar">
    <button type="button" class="pen"></button>
    <button type="button" class="eraser"></button>
    <input type="range" class="thick" min="0" max="31" step="1">
    <button type="button" class="undo"></button>
    <button type="button" class="redo"></button>
    <button type="button" class="clear"></button>
  </div>
  <div class="paper"><canvas role="application" tabindex="0"></canvas><span class="empty"></span></div>
  <div class="live" role="status" aria-live="polite"></div>
</div>
"""

_canvas = component("drawing", html=HTML)


def canvas(key: str, *, label: str, size: int = 112, width: float = 20.0, pen: int = 22) -> np.ndarray | None:
    """Show a canvas, and return what is drawn on it.

    The drawing is in the URL under ``key``: nothing for an empty canvas, its
    strokes while they take no more than :data:`IN_LINK` letters, else
    ``sha256:`` and the first 16 digits of their digest; such a drawing is kept
    for the session. A link that cannot be read changes nothing but the message.

    Parameters
    ----------
    key
        ``<stem>_<name>``; the widget is ``<key>_canvas``.
    label
        What to draw, in the visitor's language.
    size
        Side of the picture that is returned, in pixels.
    width
        Largest side of the canvas on the page, in rem.
    pen
        First width of the pen, in 1/256 of the side.

    Returns
    -------
    np.ndarray or None
        ``uint8 size size``: 255 is ink, 0 is paper. None while nothing is drawn.
    """
    code = _followed(key, hidden_field(key, _("Drawing in the link")))
    refusal = st.session_state.get(f"{key}_refusal")
    if refusal is not None:
        st.warning(say(refusal), icon=":material/block:")
    _canvas(
        key=f"{key}_canvas",
        data={
            "code": code,
            "turn": st.session_state.get(f"{key}_turn", 0),
            "lang": current(),
            "room": IN_LINK,
            "width": width,
            "pen": pen,
            "words": {**_words(), "label": label},
        },
        on_strokes_change=lambda: _drawn(key),
    )
    pixels = strokes.draw(strokes.read(code), size)
    return pixels if pixels.any() else None


def notebook_source(key: str, *, size: int = 112) -> Source:
    """How a notebook gets the picture that :func:`canvas` shows under ``key``."""
    code = st.session_state.get(f"{key}_held", ("", ""))[1]
    return Source(f"strokes.draw(strokes.read({code!r}), {size})", ("from dlviz.intake import strokes",))


def _drawn(key: str) -> None:
    """Take what the browser sent: into the link if it is short, else its digest."""
    code = str((st.session_state.get(f"{key}_canvas") or {}).get("strokes"))
    try:
        strokes.read(code)
    except Refused as refusal:
        st.session_state[f"{key}_refusal"] = refusal
        return
    digest = _DIGEST + hashlib.sha256(code.encode()).hexdigest()[:16]
    link = code if len(code) <= IN_LINK else digest
    st.session_state[key] = link
    _hold(key, link, code)


def _hold(key: str, link: str, code: str) -> None:
    st.session_state[f"{key}_held"] = (link, code)
    st.session_state.pop(f"{key}_refusal", None)


def _followed(key: str, link: str) -> str:
    """The drawing that a link stands for; one that is not here or cannot be read leaves what was there."""
    held_link, held = st.session_state.get(f"{key}_held", ("", ""))
    if link == held_link:
        return str(held)
    if link.startswith(_DIGEST):
        st.info(
            _(
                "This link was made with a drawing that is too large for a link and is not here. Draw it"
                " again to see what its author saw."
            ),
            icon=":material/link_off:",
        )
        return str(held)
    try:
        strokes.read(link)
    except Refused as refusal:
        st.warning(say(refusal), icon=":material/block:")
        return str(held)
    # The browser knows what it drew itself; only a drawing that came from elsewhere is put onto the canvas.
    st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1
    _hold(key, link, link)
    return link


def _words() -> dict[str, str]:
    return {
        "pen": _("Pen"),
        "eraser": _("Eraser"),
        "thick": _("Width of the stroke"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "clear": _("Clear"),
        "tools": _("Drawing tools"),
        "empty": _("Draw here"),
        "keys": _(
            "With the keyboard: the arrow keys move the pen, the space bar sets it down and lifts it,"
            " Ctrl+Z undoes."
        ),
        "strokes": _("Strokes on the canvas: {count}"),
    }
