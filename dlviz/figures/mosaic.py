"""Many small pictures as one: kernels, maps, frames. Exact pixels, enlarged without smoothing.

Colour kernels are drawn around mid-grey: grey is a weight of zero, and a
channel's brightness above or below it is the sign of the weight. Kernels of one
channel and signed maps take the diverging palette, other maps the sequential one.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

from dlviz.figures.palette import DIVERGING, SEQUENTIAL

Picture = UInt8[np.ndarray, "height width 3"]


def mosaic(
    tiles: UInt8[np.ndarray, "tile height width 3"],
    *,
    columns: int,
    enlarge: int = 1,
    gap: int = 1,
    ground: tuple[int, int, int] = (128, 128, 128),
) -> Picture:
    """Tiles in reading order, ``columns`` in a row, each pixel ``enlarge`` pixels wide, ``gap`` between."""
    tiles = tiles.repeat(enlarge, axis=1).repeat(enlarge, axis=2)
    count, height, width, _ = tiles.shape
    rows = -(-count // columns)
    sheet = np.empty((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), np.uint8)
    sheet[:] = ground
    for index, tile in enumerate(tiles):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def colour_kernels(
    weights: Float[np.ndarray, "filter 3 kernel_height kernel_width"], *, shared: bool = False
) -> UInt8[np.ndarray, "filter kernel_height kernel_width 3"]:
    """Kernels over red, green and blue as small colour pictures: mid-grey is zero.

    ``shared`` draws all of them on one scale, so that weak kernels look weak; otherwise each one uses
    its own full contrast.
    """
    limit = _limit(weights, shared)
    return np.round(127.5 + 127.5 * weights / limit).astype(np.uint8).transpose(0, 2, 3, 1)


def signed(
    planes: Float[np.ndarray, "tile height width"], *, shared: bool = False
) -> UInt8[np.ndarray, "tile height width 3"]:
    """Signed planes in the diverging palette, neutral at zero."""
    return _lookup((planes / _limit(planes, shared) + 1) / 2, DIVERGING)


def magnitude(
    planes: Float[np.ndarray, "tile height width"], *, shared: bool = False
) -> UInt8[np.ndarray, "tile height width 3"]:
    """Planes in the sequential palette, from zero (or the smallest value, if negative) to the largest."""
    axes = None if shared else tuple(range(1, planes.ndim))
    low = np.minimum(planes.min(axis=axes, keepdims=True), 0)
    high = planes.max(axis=axes, keepdims=True)
    return _lookup((planes - low) / np.maximum(high - low, 1e-12), SEQUENTIAL)


def png(picture: Picture) -> bytes:
    """A picture as PNG: exact pixels, which JPEG would blur."""
    packed = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(packed, "PNG", compress_level=3)
    return packed.getvalue()


def _limit(values: np.ndarray, shared: bool) -> np.ndarray:
    axes = None if shared else tuple(range(1, values.ndim))
    return np.maximum(np.abs(values).max(axis=axes, keepdims=True), 1e-12)


def _lookup(share: np.ndarray, palette: Sequence[str]) -> np.ndarray:
    """Colours of a palette at ``share`` of its length (0 to 1), through a table of 256."""
    anchors = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in palette], float)
    places = np.linspace(0, 1, len(palette))
    table = np.stack([np.interp(np.linspace(0, 1, 256), places, anchors[:, c]) for c in range(3)], axis=1)
    return np.round(table).astype(np.uint8)[np.round(np.clip(share, 0, 1) * 255).astype(np.intp)]
