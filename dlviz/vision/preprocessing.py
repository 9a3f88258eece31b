"""From a photo to the tensor a network was trained on, and from the network's cells back to the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

Mode = Literal["stretch", "crop"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Which part of the photo became the input square.

    `left`, `top`, `width`, `height` are the part's box in photo pixels (fractions allowed) and `size`
    is the side of the square in input pixels. Input position `(x, y)`, measured from the corner of the
    first pixel, lies on the photo at `(left + x * width / size, top + y * height / size)`.
    """

    left: float
    top: float
    width: float
    height: float
    size: int

    def to_photo(self, x: float, y: float) -> tuple[float, float]:
        """Photo position of input position `(x, y)`, both measured from the top left corner.

        >>> Geometry(left=10, top=0, width=200, height=100, size=50).to_photo(25, 25)
        (110.0, 50.0)
        """
        return self.left + x * self.width / self.size, self.top + y * self.height / self.size


def to_input(
    image: UInt8[np.ndarray, "height_photo width_photo 3"],
    size: int,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    mode: Mode = "stretch",
    resize: int = 0,
) -> tuple[Float[Tensor, "1 3 height width"], Geometry]:
    r"""Resize a photo to the network's square and bring its colours to zero mean and unit spread.

    $$ x_{c} = \frac{p_c / 255 - \mathrm{mean}_c}{\mathrm{std}_c} $$

    `stretch` gives the network the whole photo and squashes its longer side: nothing that the visitor
    can see is hidden from the network, at the price of a distorted shape. `crop` keeps the shape: it brings
    the shorter side to `resize` pixels and cuts out the centred square, as the public ImageNet models were
    tested (256, then 224, for most of them), and what lies outside it is not seen. The resize is bilinear
    with antialiasing: without it a large photo would be sampled at scattered pixels, and fine texture would
    turn into noise.

    Parameters
    ----------
    image
        RGB bytes.
    size
        Side of the input square in pixels.
    mean, std
        Mean and standard deviation of each channel over the training set, on the 0 to 1 scale.
    mode
        `"stretch"` or `"crop"`.
    resize
        Length of the shorter side before the cut; `crop` mode only, at least `size`.

    Returns
    -------
    tuple
        The input `(1, 3, size, size)` in float32, and the geometry that leads back to the photo.

    Raises
    ------
    ValueError
        The image is not RGB bytes, or `mode` is neither of the two.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"expected uint8 RGB pixels, got {image.dtype} of shape {image.shape}")
    if mode == "stretch":
        geometry = Geometry(0, 0, image.shape[1], image.shape[0], size)
        x = resize_square(image, geometry)
    elif mode == "crop":
        x, geometry = shorter_side_crop(image, resize, size)
    else:
        raise ValueError(f"mode must be 'stretch' or 'crop', got {mode!r}")
    return (x / 255 - _channels(mean)) / _channels(std), geometry


def resize_square(
    image: UInt8[np.ndarray, "height_photo width_photo 3"], geometry: Geometry
) -> Float[Tensor, "1 3 height width"]:
    """The geometry's box of the photo, resized to its square; values stay on the 0 to 255 scale."""
    top, left = round(geometry.top), round(geometry.left)
    box = image[top : top + round(geometry.height), left : left + round(geometry.width)]
    x = torch.tensor(box, dtype=torch.float32).permute(2, 0, 1)[None]
    side = (geometry.size, geometry.size)
    return F.interpolate(x, side, mode="bilinear", align_corners=False, antialias=True)


def shorter_side_crop(
    image: UInt8[np.ndarray, "height_photo width_photo 3"], resize: int, size: int
) -> tuple[Float[Tensor, "1 3 height width"], Geometry]:
    """Bring the shorter side to `resize` pixels, cut out the centred square of side `size`.

    The roundings are torchvision's (`transforms.functional.resize` and `center_crop`): the longer
    side is rounded down, the corner to the nearest even number. The values stay on the 0 to 255 scale
    and, unlike torchvision's on a byte image, are not rounded after the resize.

    The whole longer side is resized before the cut, so memory grows with the photo's proportions: a page's
    photo is at most twenty times as long as it is wide, which is 16 MB for `resize` 256.
    """
    height, width = image.shape[:2]
    shorter = min(height, width)
    resized = int(resize * height / shorter), int(resize * width / shorter)
    top, left = (round((side - size) / 2) for side in resized)
    x = torch.tensor(image, dtype=torch.float32).permute(2, 0, 1)[None]
    x = F.interpolate(x, resized, mode="bilinear", align_corners=False, antialias=True)
    down, across = height / resized[0], width / resized[1]
    geometry = Geometry(left * across, top * down, size * across, size * down, size)
    return x[..., top : top + size, left : left + size].contiguous(), geometry


def _channels(values: Sequence[float]) -> Float[Tensor, "1 3 1 1"]:
    return torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)
