"""A strip of pictures with a player: play, pause, step, scrub, all in the browser."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np

from dlviz.figures.cell_explorer import pack
from dlviz.ui.components import component
from dlviz.ui.language import _, current

MOST_BYTES = 4_000_000

HTML = """
<div class="film" role="group">
  <div class="title"></div>
  <div class="screen"><canvas class="picture" role="img"></canvas><p class="label"></p></div>
  <div class="bar">
    <button type="button" class="back"></button>
    <button type="button" class="play"></button>
    <button type="button" class="forward"></button>
    <input type="range" class="slider" min="0" step="1">
    <span class="where"></span>
    <button type="button" class="loop"></button>
    <select class="speed"></select>
  </div>
  <div class="scroller"><canvas class="strip" aria-hidden="true"></canvas></div>
</div>
"""

_film = component("film", html=HTML, after=("pictures",))


def film(
    frames: np.ndarray,
    *,
    key: str,
    labels: Sequence[str] = (),
    title: str = "",
    index: int = 0,
    speed: float = 6.0,
    side: float = 9.0,
    strip: bool = True,
    loop: bool = True,
    smooth: bool = False,
    invert: bool = False,
    report: bool = False,
    on_change: Callable[[], None] | None = None,
) -> int | None:
    """Show pictures one after the other; nothing is asked of the server while they play.

    Parameters
    ----------
    frames
        ``uint8``: ``frame height width`` in grey, or ``frame height width 3``; at most 4 MB.
    key
        ``<stem>_<name>``.
    labels
        A sentence for each frame, in the visitor's language.
    title
        What the film shows, in the visitor's language.
    index
        The frame to begin with. Another film, or another ``index``, begins anew.
    speed
        Frames a second at first.
    side
        Height of the large picture, in rem.
    strip
        Whether all frames stand below the player, to click on.
    loop
        Whether it begins again at its end.
    smooth
        Whether enlarged pixels run into each other.
    invert
        Whether grey levels are shown as ink on paper: 255 is black.
    report
        Whether the server is told where the visitor comes to rest.
    on_change
        Called then.

    Returns
    -------
    int or None
        The frame where the visitor came to rest, with ``report``; else None.

    Raises
    ------
    ValueError
        The frames are no pictures, none at all, or too many.
    """
    frames = _checked(frames, labels)
    shown = hashlib.sha256(frames.tobytes()).hexdigest()[:16]
    header = {
        "film": shown,
        "lang": current(),
        "title": title,
        "labels": list(labels),
        "index": int(np.clip(index, 0, len(frames) - 1)),
        "speed": speed,
        "side": side,
        "strip": strip,
        "loop": loop,
        "smooth": smooth,
        "invert": invert,
        "report": report,
        "words": _words(),
    }
    data = pack(header, {"frames": frames})
    result = _film(key=key, data=data, on_index_change=on_change or _nothing)
    if not report:
        return None
    rest = result.index if isinstance(result.index, dict) else {}
    return int(rest["n"]) if rest.get("film") == shown else index


def _checked(frames: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    frames = np.ascontiguousarray(frames)
    grey, colour = frames.ndim == 3, frames.ndim == 4 and frames.shape[3] == 3
    if frames.dtype != np.uint8 or not (grey or colour) or not frames.size:
        raise ValueError("A film is made of uint8 pictures: frame height width, or frame height width 3.")
    if frames.nbytes > MOST_BYTES:
        raise ValueError(f"The film holds {frames.nbytes} bytes, more than {MOST_BYTES}.")
    if labels and len(labels) != len(frames):
        raise ValueError(f"{len(labels)} labels for {len(frames)} frames.")
    return frames


def _words() -> dict[str, str]:
    return {
        "back": _("One picture back"),
        "play": _("Play"),
        "pause": _("Pause"),
        "forward": _("One picture forward"),
        "slider": _("Jump to a picture"),
        "loop": _("Begin again at the end"),
        "speed": _("Speed of play"),
        "per_second": _("{count} a second"),
        "where": _("{n} of {total}"),
    }


def _nothing() -> None:
    """Streamlit keeps a state of a component only where a callback is registered for it."""
