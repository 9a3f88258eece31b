"""A visitor's file to a picture that a network can look at, or a clear refusal."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.intake import colours
from dlviz.intake.sniff import picture_format
from dlviz.settings import settings

WORKING_SIDE = 1024
MAX_PIXELS = 50_000_000
MIN_SIDE = 16
MAX_RATIO = 20
_MAX_SCANS = 100
_MEGABYTE = 1 << 20

_DAMAGED = N_("The file is damaged: it cannot be read as a picture.")
_CUT_SHORT = N_("The file was cut short: its end is missing. Copy or download it again.")
FIRST_FRAME = N_("The file holds several pictures: the first one is used.")

# A picture at the limit takes some 400 MB while it is decoded: never more than two at once.
_DECODERS = threading.BoundedSemaphore(2)

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A picture that passed the gate.

    Attributes
    ----------
    pixels
        sRGB values 0..255, read-only, upright, longest side at most 1024 pixels.
    name
        The file's name as it may be shown: no folder, no control character.
    digest
        SHA-256 of the file's bytes, in hexadecimal: what a link carries.
    original_size
        Width and height of the picture in the file, upright.
    notes
        Message ids of what the visitor should know (first frame, white background).
    """

    pixels: UInt8[np.ndarray, "height width 3"]
    name: str
    digest: str
    original_size: tuple[int, int]
    notes: tuple[str, ...] = ()


def photo(data: bytes, name: str = "") -> Photo:
    """The picture in ``data``, upright, in sRGB, at working size.

    Everything that can be known without decoding is checked first: size in
    bytes, format by its first bytes, sides and number of pixels by the header.
    Then a JPEG is decoded at a half, a quarter or an eighth of its size
    (the decoder drops the high frequencies of each 8x8 block), others whole.

    Raises
    ------
    Refused
        With a message for the visitor. Nothing else is raised, whatever ``data`` holds.
    """
    _check_bytes(data)
    notes: list[str] = []
    with _DECODERS:
        pixels, size = _decoded(data, picture_format(data), notes)
    pixels.flags.writeable = False
    return Photo(pixels, _shown(name), hashlib.sha256(data).hexdigest(), size, tuple(notes))


def _check_bytes(data: bytes) -> None:
    limit = settings().max_upload_mb
    if not data:
        raise Refused(N_("The file is empty: it holds 0 bytes."))
    if len(data) > limit * _MEGABYTE:
        raise Refused(
            N_("The file takes {size} MB; at most {limit} MB can be read here."),
            size=round(len(data) / _MEGABYTE, 1),
            limit=limit,
        )


def _check_sides(width: int, height: int) -> None:
    if min(width, height) < 1:
        raise Refused(_DAMAGED)
    if max(width, height) > MAX_RATIO * min(width, height):
        raise Refused(
            N_(
                "The picture is too narrow: {width} × {height} pixels. "
                "One side can be {ratio} times the other at most."
            ),
            width=width,
            height=height,
            ratio=MAX_RATIO,
        )
    if min(width, height) < MIN_SIDE:
        raise Refused(
            N_("The picture is too small: {width} × {height} pixels. Each side needs at least {least}."),
            width=width,
            height=height,
            least=MIN_SIDE,
        )
    if width * height > MAX_PIXELS:
        raise Refused(
            N_("The picture has {count} million pixels; at most {limit} million can be read here."),
            count=round(width * height / 1e6, 1),
            limit=MAX_PIXELS // 10**6,
        )


def _decoded(data: bytes, kind: str, notes: list[str]) -> tuple[np.ndarray, tuple[int, int]]:
    """Pixels at working size and the original size; whatever a decoder raises becomes a refusal."""
    try:
        _check_scans(data, kind)
        with _opened(data, kind) as image:
            return _read(image, notes)
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Refused(
            N_("The picture claims far more pixels than the {limit} million that can be read here."),
            limit=MAX_PIXELS // 10**6,
        ) from error
    except (
        Exception
    ) as error:  # decoders raise anything on bad bytes: OSError, SyntaxError, struct.error, MemoryError
        if _cut_short(data, kind, error):
            raise Refused(
                N_("The file was cut short: its end is missing. Copy or download it again.")
            ) from error
        raise Refused(_DAMAGED) from error


def _check_scans(data: bytes, kind: str) -> None:
    """Refuse a progressive JPEG with thousands of passes over all its pixels; cameras write about ten."""
    if kind == "JPEG" and data.count(b"\xff\xda") > _MAX_SCANS:
        raise Refused(N_("The picture would take too long to decode. Save it again as an ordinary JPEG."))


def _opened(data: bytes, kind: str) -> Image.Image:
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
    return Image.open(io.BytesIO(data), formats=[kind])


def _read(image: Image.Image, notes: list[str]) -> tuple[np.ndarray, tuple[int, int]]:
    size = image.size
    _check_sides(*size)
    if image.format != "MPO" and getattr(image, "is_animated", False):
        notes.append(FIRST_FRAME)
    target = colours.fitting(size, WORKING_SIDE)
    image.draft(None, target)
    image.load()
    sixteen_bit = image.mode.startswith("I;16")
    orientation = _orientation(image)
    small = colours.shrunk(image, target, notes)
    if orientation in _TURNS:
        small = small.transpose(_TURNS[orientation])
    if orientation in (5, 6, 7, 8):  # these four lie on their side
        size = (size[1], size[0])
    return colours.srgb(small, image.info.get("icc_profile"), sixteen_bit=sixteen_bit, notes=notes), size


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; a TIFF is turned, and a HEIC described as upright, by its own decoder."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # broken metadata is no reason to refuse good pixels
        return 1


def _cut_short(data: bytes, kind: str, error: Exception) -> bool:
    """Whether the end of the file is missing, by the format's own end mark or by what the decoder said."""
    if kind == "WEBP":
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    ends = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
    return ends.get(kind, b"") not in data or "truncated" in str(error).lower()


def _shown(name: str) -> str:
    """The last part of a path, without control characters, at most 80 letters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:80]
