"""A drawing as a short line of letters: read with bounds, written, and drawn as a picture.

The canvas of a page sends its strokes in this form, and a link carries them: the same letters give the same
pixels, on any machine and without a browser. Places are on a grid of 256 x 256.

A drawing is strokes with a full stop between them. Each letter of :data:`LETTERS` stands for six bits. A stroke
begins with one letter for its tool (32 for the eraser, plus the width) and three for its first place (nine bits
for x, nine for y); a further point is two letters for a step of -32 to 31 either way, or ``~`` and three letters
for a place farther off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from dlviz.errors import Refused
from dlviz.i18n import N_

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
GRID = 256
MAX_LETTERS = 20_000
MAX_STROKES = 500

_VALUE = {letter: value for value, letter in enumerate(LETTERS)}
_ERASER = 32
_FINE = 4
"""Every pixel is the mean of 4 x 4: the edge of a stroke becomes grey, as on MNIST."""
_UNREADABLE = N_("The drawing cannot be read: a part of it is missing or was changed. What was there stays.")
_TOO_LONG = N_("The drawing has too many strokes. What was there before stays.")

Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stroke:
    """What the pen or the eraser did between touching the paper and leaving it.

    Attributes
    ----------
    points
        Places on the grid, x to the right and y down, from 0 to 255; one point is a dot.
    width
        Thickness in steps of the grid: 4, 6, ... 66.
    eraser
        Whether ink is taken away.
    """

    points: tuple[Point, ...]
    width: int = 22
    eraser: bool = False


def read(code: str) -> tuple[Stroke, ...]:
    """The strokes that ``code`` stands for; an empty code is an empty drawing.

    Raises
    ------
    Refused
        The code is longer than a drawing may be, or is none.
    """
    if len(code) > MAX_LETTERS or code.count(".") >= MAX_STROKES:
        raise Refused(_TOO_LONG)
    return tuple(_stroke(part) for part in code.split(".")) if code else ()


def write(strokes: Sequence[Stroke]) -> str:
    """The code of a drawing: ``read(write(strokes)) == tuple(strokes)``."""
    return ".".join(map(_written, strokes))


def draw(strokes: Sequence[Stroke], size: int = 112) -> UInt8[np.ndarray, "size size"]:
    """A drawing as grey levels: 255 is ink and 0 is paper, as in MNIST.

    Strokes have round ends and joints; a pixel is the share of it that ink covers.
    """
    scale = size * _FINE / GRID
    paper = Image.new("L", (size * _FINE, size * _FINE), 0)
    pen = ImageDraw.Draw(paper)
    for stroke in strokes:
        _trace(pen, stroke, scale)
    return np.asarray(paper.reduce(_FINE))


def _trace(pen: ImageDraw.ImageDraw, stroke: Stroke, scale: float) -> None:
    level = 0 if stroke.eraser else 255
    radius = stroke.width * scale / 2
    places = (np.array(stroke.points, float) + 0.5) * scale - 0.5
    for start, end in pairwise(places):
        along = end - start
        across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-9) * radius
        corners = np.array([start + across, end + across, end - across, start - across])
        pen.polygon(corners.ravel().tolist(), fill=level)
    for x, y in places:
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=level)


def _stroke(part: str) -> Stroke:
    if len(part) < 4:
        raise Refused(_UNREADABLE)
    tool = _number(part[0])
    points = [_place(part[1:4])]
    at = 4
    while at < len(part):
        if part[at] == "~":
            points.append(_place(part[at + 1 : at + 4]))
            at += 4
        else:
            points.append(_step(points[-1], part[at : at + 2]))
            at += 2
    return Stroke(tuple(points), 4 + 2 * (tool % _ERASER), tool >= _ERASER)


def _number(letters: str) -> int:
    value = 0
    for letter in letters:
        if letter not in _VALUE:
            raise Refused(_UNREADABLE)
        value = value * 64 + _VALUE[letter]
    return value


def _place(letters: str) -> Point:
    if len(letters) != 3:
        raise Refused(_UNREADABLE)
    value = _number(letters)
    return _inside(value >> 9, value & 511)


def _step(start: Point, letters: str) -> Point:
    if len(letters) != 2:
        raise Refused(_UNREADABLE)
    return _inside(start[0] + _number(letters[0]) - 32, start[1] + _number(letters[1]) - 32)


def _inside(x: int, y: int) -> Point:
    if not (0 <= x < GRID and 0 <= y < GRID):
        raise Refused(_UNREADABLE)
    return x, y


def _written(stroke: Stroke) -> str:
    x, y = stroke.points[0]
    letters = [LETTERS[(stroke.width - 4) // 2 + _ERASER * stroke.eraser], _absolute(x, y)]
    for next_x, next_y in stroke.points[1:]:
        step = (next_x - x + 32, next_y - y + 32)
        near = all(0 <= part < 64 for part in step)
        letters.append("".join(LETTERS[part] for part in step) if near else "~" + _absolute(next_x, next_y))
        x, y = next_x, next_y
    return "".join(letters)


def _absolute(x: int, y: int) -> str:
    value = x << 9 | y
    return LETTERS[value >> 12] + LETTERS[value >> 6 & 63] + LETTERS[value & 63]
