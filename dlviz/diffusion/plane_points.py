"""Clouds of points in the plane for the diffusion that is trained live: known shapes, ink, and own tables."""

from __future__ import annotations

import csv
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from dlviz.diffusion.results import Points
from dlviz.errors import Refused
from dlviz.i18n import N_

Shape = Literal["moons", "rings", "spiral", "clusters"]
SHAPES: tuple[Shape, ...] = ("moons", "rings", "spiral", "clusters")

LEAST_POINTS = 20
MOST_POINTS = 20_000
MOST_CHARACTERS = 12
_DARK = 128


def shape_points(shape: Shape, count: int = 2000, seed: int = 0) -> Points:
    """Points of a known shape, centred and of unit spread.

    Raises:
        Refused: no such shape, or a count out of bounds.
    """
    if not LEAST_POINTS <= count <= MOST_POINTS:
        raise Refused(N_("A cloud has {least} to {most} points."), least=LEAST_POINTS, most=MOST_POINTS)
    random = np.random.default_rng(seed)
    points: np.ndarray
    angle: np.ndarray
    u, side = random.uniform(0, 1, count), random.integers(0, 2, count)
    if shape == "moons":
        angle = np.pi * (u + side)
        points = np.stack([np.cos(angle) + side, np.sin(angle) + 0.5 * side], 1)
    elif shape == "rings":
        radius = np.where(side == 1, 1.0, 0.45)
        points = radius[:, None] * np.stack([np.cos(2 * np.pi * u), np.sin(2 * np.pi * u)], 1)
    elif shape == "spiral":
        angle = 3 * np.pi * np.sqrt(u)
        points = angle[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1) / 9
    elif shape == "clusters":
        angle = np.pi / 4 * random.integers(0, 8, count)
        points = np.stack([np.cos(angle), np.sin(angle)], 1)
    else:
        raise Refused(N_("There is no shape called “{name}”."), name=shape)
    return standardised(points + 0.04 * random.standard_normal(points.shape))


def ink_points(picture: UInt8[np.ndarray, "height width"], count: int = 2000, seed: int = 0) -> Points:
    """Points drawn from the dark pixels of a picture: a drawing, or a written word.

    Raises:
        Refused: the picture is empty or not a grey one, or the count is out of bounds.
    """
    if not LEAST_POINTS <= count <= MOST_POINTS:
        raise Refused(N_("A cloud has {least} to {most} points."), least=LEAST_POINTS, most=MOST_POINTS)
    rows, columns = np.nonzero(picture < _DARK) if picture.ndim == 2 else (np.zeros(0), np.zeros(0))
    if len(rows) < 2:
        raise Refused(N_("There is no ink in this drawing to make points of."))
    random = np.random.default_rng(seed)
    chosen = random.integers(0, len(rows), count)
    places = np.stack([columns[chosen], -rows[chosen]], 1) + random.uniform(-0.5, 0.5, (count, 2))
    return standardised(places)


def text_points(text: str, count: int = 2000, seed: int = 0) -> Points:
    """Points inside the letters of a short text.

    Raises:
        Refused: there is nothing to write, more than 12 characters, or a count out of bounds.
    """
    written = " ".join(text.split())
    if not 1 <= len(written) <= MOST_CHARACTERS:
        raise Refused(N_("A cloud is made of 1 to {most} characters."), most=MOST_CHARACTERS)
    font = ImageFont.load_default(size=96)
    box = font.getbbox(written)
    paper = Image.new("L", (int(box[2]) + 8, int(box[3]) + 8), 255)
    ImageDraw.Draw(paper).text((4, 4), written, fill=0, font=font)
    return ink_points(np.asarray(paper), count, seed)


def table_points(text: str) -> Points:
    """Points of a table with two columns of numbers, separated by commas, semicolons, tabs or spaces.

    A first line that holds no numbers is taken for the names of the columns; further columns are left out. In a table
    without commas as separators, a comma is a decimal one.

    Raises:
        Refused: a line holds no two numbers, or there are too few or too many points.
    """
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    points = [_numbers(line) for line in lines]
    if points and points[0] is None:
        lines, points = lines[1:], points[1:]
    if None in points:
        raise Refused(N_("Line “{line}” does not hold two numbers."), line=lines[points.index(None)][:60])
    if not LEAST_POINTS <= len(points) <= MOST_POINTS:
        raise Refused(N_("A cloud has {least} to {most} points."), least=LEAST_POINTS, most=MOST_POINTS)
    return standardised(np.array(points, np.float64))


def standardised(points: np.ndarray) -> Points:
    """Points around zero, with a mean square of one over both axes: the shape keeps its proportions.

    Raises:
        Refused: all points are one.
    """
    centred = points - points.mean(axis=0)
    spread = np.sqrt(centred.var(axis=0).mean())
    if not (np.isfinite(spread) and spread > 0):
        raise Refused(N_("The points need to lie apart, at finite places."))
    return (centred / spread).astype(np.float32)


def _numbers(line: str) -> tuple[float, float] | None:
    """The first two numbers of a line, or None."""
    mark = next((m for m in (";", "\t", ",", " ") if m in line), " ")
    fields = next(csv.reader([line], delimiter=mark, skipinitialspace=True))
    try:
        x, y = (float(field.replace(",", ".")) for field in fields[:2])
    except ValueError:
        return None
    return (x, y) if np.isfinite([x, y]).all() else None
