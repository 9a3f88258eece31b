"""Ink on paper, or chalk on a board: what stands out from the ground of a picture, and how strongly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from PIL import Image

from dlviz.errors import Refused
from dlviz.i18n import N_

WORKING_SIDE = 192
"""Most pixels a side among which ink is looked for: some seven times what the network sees, and quick."""

_LEAST_CONTRAST = 0.15
_EVEN = 4.0
_SPECK = 0.04

Grey = UInt8[np.ndarray, "height width"]
Ink = Float[np.ndarray, "height width"]


@dataclass(frozen=True, slots=True)
class Found:
    """Ink between 0 (ground) and 1, whether it was darker than its ground, and what was seen on the way.

    `evened` is the contrast after the light was divided out, None where the ground was even already.
    """

    ink: Ink
    inverted: bool
    evened: Ink | None


def grey_picture(image: UInt8[np.ndarray, "height width *channel"]) -> tuple[Grey, int]:
    """Luminance at working size, and how many pixels of the picture one of its pixels stands for, each way.

    Raises:
        Refused: it is no picture of bytes, or it is one even grey.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise Refused(N_("A picture is a grid of grey levels, or of red, green and blue, as bytes."))
    if min(image.shape[:2]) < 1:
        raise Refused(N_("The picture has no pixels."))
    factor = -(-max(image.shape[:2]) // WORKING_SIDE)
    grey = image if image.ndim == 2 and factor == 1 else _luminance(image, factor)
    _check_blank(grey)
    return grey, factor


def _luminance(image: UInt8[np.ndarray, "height width *channel"], factor: int) -> Grey:
    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray((picture.reduce(factor) if factor > 1 else picture).convert("L"))


def find_ink(grey: Grey) -> Found:
    r"""Tell the ink from the ground, whichever is the lighter, under even or uneven light.

    The ground is what the border shows. Where it is even, as on a canvas, ink is the distance from it. A photo's
    ground is estimated at every point by a morphological closing, which fills in what is narrower than a third of the
    picture, and the light is divided out: $1 - x / g$ is the same for the same ink in the sun and in the shade.
    What lies between half Otsu's threshold and one and a half times it keeps its grey, so that edges stay smooth.

    Raises:
        Refused: nothing stands out.
    """
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    if int(border.max()) - int(border.min()) <= _EVEN:
        ground = float(np.partition(border, border.size // 2)[border.size // 2])  # their median
        darker, lighter = ground - float(grey.min()), float(grey.max()) - ground
        if max(darker, lighter) < 255 * _LEAST_CONTRAST:
            raise no_ink(max(darker, lighter) / 255)
        depth = np.abs(grey.astype(np.float32) - ground) / max(darker, lighter)
        return Found(depth, darker > lighter, None)
    # Light that falls off spreads the ground's greys: which side the ink is on shows once it is divided out.
    dark, light = _evened(grey, inverted=True), _evened(grey, inverted=False)
    inverted = _peak(dark) >= _peak(light)
    depth = dark if inverted else light
    return Found(_photographed(depth), inverted, depth)


def otsu(values: Float[np.ndarray, "*shape"]) -> float:
    r"""The threshold that parts values between 0 and 1 into the two classes that differ most.

    $$ t^* = \arg\max_t\; w_0(t)\,w_1(t)\,\bigl(\mu_0(t) - \mu_1(t)\bigr)^2 $$

    Otsu, *A Threshold Selection Method from Gray-Level Histograms* (1979), on 256 levels.
    """
    counts = np.bincount((values.ravel() * 255).astype(np.int64).clip(0, 255), minlength=256).astype(
        np.float64
    )
    levels = np.arange(256)
    below, mass = np.cumsum(counts), np.cumsum(counts * levels)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    return float(np.nan_to_num(between[:-1]).argmax()) / 255


def stroke_width(ink: Ink) -> float:
    r"""The mean width of the strokes in pixels: twice their area by the length of their outline.

    A strip of width $w$ and length $\ell$ has an area of $w\ell$ and an outline of about $2\ell$. Steps between
    pixels overrate a slanted line's length by $4/\pi$ on average, which is taken back.
    """
    inside = np.zeros((ink.shape[0] + 2, ink.shape[1] + 2), bool)  # what lies around the picture is ground
    inside[1:-1, 1:-1] = ink > 0.5
    steps = np.count_nonzero(inside[1:] != inside[:-1]) + np.count_nonzero(inside[:, 1:] != inside[:, :-1])
    return 2 * np.count_nonzero(inside) / (steps * np.pi / 4) if steps else 0.0


def thickened(ink: Ink, radius: float) -> Ink:
    """The ink with every stroke wider by twice a radius, its new edge as soft as a pixel."""
    from scipy.ndimage import distance_transform_edt

    room = int(np.ceil(radius)) + 1
    padded = np.pad(ink, room)
    away = distance_transform_edt(padded <= 0.5)
    return np.maximum(padded, np.clip(radius + 0.5 - away, 0, 1)).astype(np.float32)


def ink_box(ink: Ink) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what is inked, the last two one past it."""
    marked = ink > 0.25
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _check_blank(grey: Grey) -> None:
    low, high = int(grey.min()), int(grey.max())
    if low >= 250:
        raise Refused(N_("The picture is all white: there is nothing on it to encode."))
    if high <= 5:
        raise Refused(N_("The picture is all black: there is nothing on it to encode."))
    if high - low <= _EVEN:
        raise Refused(N_("The picture is one even grey: there is nothing on it to encode."))


def no_ink(contrast: float) -> Refused:
    """The refusal of a picture on which nothing can be told from the ground; contrast as a share."""
    return Refused(
        N_(
            "Nothing stands out from the ground of this picture: the strongest contrast is {percent} %. "
            "A darker pen, a closer crop or more light helps."
        ),
        percent=round(100 * contrast),
    )


def _evened(grey: Grey, inverted: bool) -> Ink:
    """How far each pixel is from the ground around it, as a share of that ground's light."""
    from scipy import ndimage

    light = grey.astype(np.float32) if inverted else 255 - grey.astype(np.float32)
    size = max(5, round(min(grey.shape) * 0.35) | 1)
    smooth = ndimage.uniform_filter(light, 3)  # a single bright pixel would lift its whole neighbourhood
    # Beyond the border the light goes on falling or rising as it did: a mirror would end a slope in a false plateau.
    room = min(size, *(side - 1 for side in grey.shape))
    wide = np.pad(smooth, room, mode="reflect", reflect_type="odd")
    closed = ndimage.uniform_filter(ndimage.grey_closing(wide, size=(size, size)), size // 2)
    ground = closed[room:-room, room:-room]
    # On a light ground there is no room for lighter ink: little room must not make much of noise.
    return np.clip((ground - light) / np.maximum(ground, 1 if inverted else 128), 0, 1)


def _peak(depth: Ink) -> float:
    """The strongest contrast that is wider than a pixel's noise."""
    from scipy import ndimage

    return float(ndimage.uniform_filter(depth, 3).max())


def _photographed(depth: Ink) -> Ink:
    """Clean ink from contrast: threshold, then without specks and without what hangs in from the border."""
    from scipy import ndimage

    peak = _peak(depth)
    if peak < _LEAST_CONTRAST:
        raise no_ink(peak)
    threshold = float(np.clip(otsu(np.minimum(depth / peak, 1)), 0.3, 0.6)) * peak
    ink = np.clip(depth / threshold - 0.5, 0, 1)
    kept = _kept(ink > 0.5)
    # A soft edge belongs to the stroke that it surrounds: keep one pixel around each.
    return np.where(ndimage.binary_dilation(kept, np.ones((3, 3))), ink, 0).astype(np.float32)


def _kept(mask: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The connected parts that can be strokes: not specks, and not shadows or table edges at the border."""
    from scipy import ndimage

    parts, count = ndimage.label(mask, np.ones((3, 3)))
    area = np.bincount(parts.ravel(), minlength=count + 1).astype(np.float64)
    area[0] = 0
    edge = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    inner = area.copy()
    inner[edge] = 0
    if inner.max() >= 0.1 * area.max():  # ink that is written up to the border stays when there is no other
        area = inner
    return (area > _SPECK * area.max())[parts]
