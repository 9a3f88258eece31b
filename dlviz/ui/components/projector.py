"""A cloud of points in the plane or in space: orbit, zoom, hover, search, choose, lasso, isolate, all in the browser.

Drawn by a small WebGL program of our own (``projector.js``), 50,000 points in one call of the graphics card. Names,
places and colours travel once each; when only the places change, the points move from the old picture to the new one.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dlviz.figures.cell_explorer import pack
from dlviz.figures.palette import CLASSES, SEQUENTIAL
from dlviz.ui.components import bytes_live, bytes_once, component
from dlviz.ui.language import _, current

MOST_CATEGORIES = 254
NOBODY = -1

_BUTTONS = ("lasso", "clear", "isolate", "all", "", "closer", "farther", "fit", "", "labels", "images")
_TOOLS = "".join(
    f'<button type="button" class="{name}"></button>' if name else "<span></span>" for name in _BUTTONS
)
HTML = f"""
<div class="projector">
  <div class="bar">
    <input type="search" class="query" maxlength="100" autocomplete="off" spellcheck="false">
    <div class="tools" role="toolbar">{_TOOLS}</div>
    <div class="told" role="status"></div>
  </div>
  <div class="stage">
    <canvas class="points"></canvas><canvas class="over" tabindex="0" role="application"></canvas>
    <div class="tip"></div><div class="note" role="status"></div>
  </div>
  <div class="legend" role="group"></div>
  <p class="hint"></p>
  <div class="live" role="status" aria-live="polite"></div>
</div>
"""

_projector = component(
    "projector", html=HTML, after=("pictures", "depot", "projector_geometry", "projector_card")
)


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A colour a category: ``codes`` are indices into ``names``, -1 for none; ``colours`` by index."""

    title: str
    codes: np.ndarray
    names: Sequence[str]
    colours: Sequence[str] = CLASSES


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """A colour for a number: ``shares`` from 0 to 1 (NaN: none) along a palette; ``write`` says what a share means.

    ``steps`` are the texts of 255 shares, from 0 to 1: what the hover label and the legend's ends say.
    """

    title: str
    shares: np.ndarray
    steps: Sequence[str]
    colours: Sequence[str] = SEQUENTIAL


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Small pictures of the points, in their order, in the squares of a sheet of ``columns`` by ``columns``."""

    image: bytes
    columns: int


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """The chosen row (None: nobody), and the rows inside the lasso."""

    chosen: int | None
    lasso: np.ndarray


def projector(
    key: str,
    *,
    points: np.ndarray,
    names: Sequence[str],
    priority: np.ndarray | None = None,
    paint: Categories | Values | None = None,
    atlas: Atlas | None = None,
    chosen: int | None = None,
    own: Sequence[int] = (),
    near: Sequence[int] = (),
    title: str = "",
    height: float = 38.0,
    field: str = "",
) -> Picked:
    """Show the cloud.

    Parameters
    ----------
    key
        ``<stem>_<name>``; the widget is ``<key>_cloud``.
    points
        Places ``point 2`` or ``point 3``, all finite.
    names
        One a point.
    priority
        Which names are written first where there is no room for all; the first points if left out.
    paint
        What the colours say; one colour if left out.
    atlas
        Pictures of the points.
    chosen
        The row that is chosen now.
    own, near
        Its neighbours in the embedding (joined to it by lines) and in the picture (ringed): rows.
    title
        What is shown, in the visitor's language.
    height
        Of the picture, in rem.
    field
        A text field's key: the name of a point that is clicked is written there.

    Returns
    -------
    Picked
        The chosen row and the selected rows, of these points only: other points begin with none.
    """
    told = _block(names, priority)
    names_digest = bytes_once.send(f"{key}_names", told)
    state = st.session_state.get(f"{key}_cloud") or {}
    _projector(
        key=f"{key}_cloud",
        data={
            "lang": current(),
            "words": _words(),
            "title": title,
            "height": height,
            "names": names_digest,
            "paint": bytes_once.send(f"{key}_paint", _paint(paint, len(names))),
            "points": bytes_once.send(
                f"{key}_points",
                pack({"dims": int(points.shape[1])}, {"points": np.asarray(points, np.float32)}),
            ),
            "atlas": None if atlas is None else _sheet(key, atlas),
            "chosen": NOBODY if chosen is None else int(chosen),
            "own": [int(row) for row in own],
            "near": [int(row) for row in near],
            "channel": bytes_live.channel(key),
        },
        on_point_change=lambda: _choose(key, field, names),
        on_lasso_change=_nothing,
    )
    return Picked(chosen, _selected(state.get("lasso"), names_digest, len(names)))


def move(place: DeltaGenerator, key: str, points: np.ndarray, rows: np.ndarray, number: int) -> None:
    """Move the points of a projector that is already on the page, while the script stands in a computation.

    ``rows`` are those that ``points`` places; the others are hidden meanwhile. ``number`` differs from call to call.
    """
    block = pack({}, {"points": np.asarray(points, np.float32), "rows": np.asarray(rows, np.int32)})
    bytes_live.send(place, f"{key}_live_{number}", bytes_live.channel(key), block)


def _block(names: Sequence[str], priority: np.ndarray | None) -> bytes:
    text = "\n".join(" ".join(name.split()) for name in names).encode("utf-8", "replace")
    rank = -np.arange(len(names), dtype=np.float32) if priority is None else np.asarray(priority, np.float32)
    return pack({}, {"priority": rank, "names": np.frombuffer(text or b" ", np.uint8)})


def _paint(paint: Categories | Values | None, count: int) -> bytes:
    if paint is None:
        return pack({"kind": "one", "colours": CLASSES[:1]}, {"codes": np.zeros(count, np.uint8)})
    header: dict[str, Any] = {"title": paint.title, "colours": list(paint.colours)}
    if isinstance(paint, Categories):
        codes = np.where((paint.codes < 0) | (paint.codes >= MOST_CATEGORIES), 255, paint.codes)
        names = list(paint.names)
        colours = [paint.colours[i % len(paint.colours)] for i in range(len(names))]
        header |= {"kind": "categories", "names": names, "colours": colours}
        return pack(header, {"codes": codes.astype(np.uint8)})
    shares = np.asarray(paint.shares, float)
    codes = np.where(np.isfinite(shares), np.clip(np.rint(shares * 254), 0, 254), 255)
    header |= {"kind": "values", "steps": list(paint.steps), "low": paint.steps[0], "high": paint.steps[-1]}
    return pack(header, {"codes": codes.astype(np.uint8)})


def _sheet(key: str, atlas: Atlas) -> dict[str, Any]:
    return {"digest": bytes_once.send(f"{key}_atlas", atlas.image), "columns": atlas.columns}


def _choose(key: str, field: str, names: Sequence[str]) -> None:
    """Write the name of the point that was clicked into the text field."""
    told = (st.session_state.get(f"{key}_cloud") or {}).get("point") or {}
    row = told.get("row")
    if field and isinstance(row, int) and -1 <= row < len(names):
        st.session_state[field] = "" if row < 0 else names[row]


def _selected(told: Any, digest: str, count: int) -> np.ndarray:
    """Rows from one bit each; whatever else a browser may send selects nothing."""
    nothing = np.zeros(0, np.int64)
    if not isinstance(told, dict) or told.get("set") != digest or not isinstance(told.get("bits"), str):
        return nothing
    try:
        packed = np.frombuffer(base64.b64decode(told["bits"], validate=True), np.uint8)
    except ValueError:
        return nothing
    rows = np.flatnonzero(np.unpackbits(packed, bitorder="little"))
    return rows[rows < count]


def _words() -> dict[str, str]:
    return {
        "search": _("Search the points"),
        "lasso": _("Select with a lasso"),
        "clear": _("Clear search, selection and choice"),
        "isolate": _("Show only what is selected or found"),
        "all": _("Show all points again"),
        "closer": _("Closer"),
        "farther": _("Farther"),
        "fit": _("Bring everything into the picture"),
        "labels": _("Names on the picture"),
        "images": _("Pictures as points"),
        "found": _("Found: {count}"),
        "picked": _("Selected: {count}"),
        "isolated": _("Shown: {count} of {total}"),
        "wheel": _("Click the picture first, or hold Ctrl, to zoom with the wheel."),
        "fingers": _("Use two fingers to move the picture."),
        "none": _(
            "This browser offers no WebGL 2, with which the points are drawn. Switch hardware acceleration on, or "
            "export the picture below."
        ),
        "lost": _("The graphics card has dropped the picture. Reload the page to see it again."),
        "hint": _(
            "Drag to move or turn, click a point to choose it, Shift and drag to shift a picture in space. With the "
            "keyboard: arrows, plus and minus, Enter for the point in the middle, 0 to see everything."
        ),
    }


def _nothing() -> None:
    """Streamlit keeps a state of a component only where a callback is registered for it."""
