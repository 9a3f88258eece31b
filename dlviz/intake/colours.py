"""From what a file holds to small 8-bit sRGB, without ever holding a second full-size copy."""

from __future__ import annotations

import io
import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageCms

from dlviz.errors import Refused
from dlviz.i18n import N_

_BAND_PIXELS = 1 << 20
_MAX_PROFILE = 4 << 20
ON_WHITE = N_("The transparent parts are shown on white.")
STRETCHED = N_("The values are no ordinary brightness: the smallest is shown black, the largest white.")


def fitting(size: tuple[int, int], side: int) -> tuple[int, int]:
    """``size`` (width, height) scaled down so that its longest side is at most ``side`` pixels."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrunk(image: Image.Image, target: tuple[int, int], notes: list[str]) -> Image.Image:
    """``image`` on white, resized to ``target`` (width, height), in mode L, RGB, F, CMYK, LAB, YCbCr or HSV.

    A box filter by a whole factor comes first, one band of rows at a time: only
    a band of about a million pixels is ever held in a wider mode than the
    file's. Lanczos does the rest.
    """
    factor = max(1, min(image.width // (2 * target[0]), image.height // (2 * target[1])))
    rows = max(1, _BAND_PIXELS // image.width // factor) * factor
    small: Image.Image | None = None
    for top in range(0, image.height, rows):
        band = _flat(image.crop((0, top, image.width, min(top + rows, image.height))), notes).reduce(factor)
        if small is None:
            small = Image.new(band.mode, (band.width, math.ceil(image.height / factor)))
        small.paste(band, (0, top // factor))
    assert small is not None
    return small if small.size == target else small.resize(target, Image.Resampling.LANCZOS)


def _flat(band: Image.Image, notes: list[str]) -> Image.Image:
    """A band without palette, transparency or integer depths that Pillow cannot resize."""
    if band.mode == "F":
        return band
    if band.mode.startswith("I"):
        return band.convert("I").convert("F")
    if band.has_transparency_data:
        return _on_white(band.convert("RGBA"), notes)
    plain = {"1": "L", "P": "RGB", "RGBX": "RGB"}.get(band.mode)
    return band.convert(plain) if plain else band


def _on_white(band: Image.Image, notes: list[str]) -> Image.Image:
    alpha = band.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return band.convert("RGB")
    if ON_WHITE not in notes:
        notes.append(ON_WHITE)
    white = Image.new("RGB", band.size, "white")
    white.paste(band.convert("RGB"), mask=alpha)
    return white


def srgb(
    image: Image.Image, profile: object, *, sixteen_bit: bool, notes: list[str]
) -> UInt8[np.ndarray, "height width 3"]:
    """Pixels 0..255 in sRGB; the embedded colour ``profile`` is applied where it can be."""
    if image.mode == "F":
        grey = _grey(np.asarray(image, dtype=np.float64), sixteen_bit=sixteen_bit, notes=notes)
        return np.repeat(grey[:, :, None], 3, axis=2)
    matched = _by_profile(image, profile)
    if matched is None:
        matched = _from_lab(image) if image.mode == "LAB" else image.convert("RGB")
    return np.array(matched, dtype=np.uint8)


def _grey(
    values: Float[np.ndarray, "height width"], *, sixteen_bit: bool, notes: list[str]
) -> UInt8[np.ndarray, "height width"]:
    """Deep values to 0..255.

    16 bits are divided by 65535 and values between 0 and 1 taken as they are.
    Others (heights, temperatures) are stretched from smallest to largest, with a note.
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise Refused(N_("The picture holds no finite number."))
    low, high = (0.0, 65535.0) if sixteen_bit else (float(finite.min()), float(finite.max()))
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif not sixteen_bit:
        notes.append(STRETCHED)
    unit = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) / max(high - low, 1e-300)
    return np.round(np.clip(unit, 0, 1) * 255).astype(np.uint8)


def _by_profile(image: Image.Image, profile: object) -> Image.Image | None:
    """``image`` brought to sRGB by its own profile; None if there is none, or a broken or unsuitable one."""
    if not isinstance(profile, bytes) or not 128 <= len(profile) <= _MAX_PROFILE:
        return None
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(given) and image.mode == "RGB":
            return None
        return ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _from_lab(image: Image.Image) -> Image.Image | None:
    return ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
