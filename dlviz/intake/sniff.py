"""What a file is, told from its first bytes: names and extensions are only claims."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dlviz.errors import Refused
from dlviz.i18n import N_

FORMATS = "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC"


@dataclass(frozen=True, slots=True)
class _Sign:
    """Bytes that a format begins with (a regular expression over the first ones)."""

    pattern: re.Pattern[bytes]
    answer: str


def _signs(table: dict[str, bytes]) -> tuple[_Sign, ...]:
    return tuple(_Sign(re.compile(pattern, re.DOTALL), answer) for answer, pattern in table.items())


_TAKEN = _signs(
    {
        "JPEG": rb"\xff\xd8\xff",
        "PNG": rb"\x89PNG\r\n\x1a\n",
        "GIF": rb"GIF8[79]a",
        "WEBP": rb"RIFF....WEBP",
        "BMP": rb"BM.{4}\0\0\0\0",
        "TIFF": rb"II[*+]\0|MM\0[*+]",
        "HEIF": rb"....ftyp(hei[cxms]|hev[cxms]|mif1|msf1)",
    }
)

_REFUSED = _signs(
    {
        N_("The file is a PDF document. Save the page or the picture in it as PNG or JPEG."): rb"%PDF",
        N_("The file is a Photoshop document. Export it as PNG or JPEG."): rb"8BPS",
        N_("AVIF, JPEG 2000 and JPEG XL pictures are not read here. Save it as PNG or JPEG."): (
            rb"....ftyp(avi[fs]|jp2|jpx)|....jP  |\xff\x4f\xff\x51|\xff\x0a|....JXL "
        ),
        N_("The file is a video. Take one still picture from it."): (
            rb"....(ftyp|moov)|RIFF....AVI |\x1a\x45\xdf\xa3|\0\0\x01[\xb3\xba]"
        ),
        N_("The file is an archive or an office document. Take the picture out of it first."): (
            rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!|\xd0\xcf\x11\xe0"
        ),
    }
)

_SVG = re.compile(
    rb"^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]", re.DOTALL
)
_HEAD = 4096


def picture_format(data: bytes) -> str:
    """Pillow's name of the format of ``data``.

    Raises
    ------
    Refused
        If ``data`` is not one of :data:`FORMATS`. The message says what it
        seems to be and what to do.
    """
    head = data[:_HEAD]
    for sign in _TAKEN:
        if sign.pattern.match(head):
            return sign.answer
    raise _refusal(head)


def _refusal(head: bytes) -> Refused:
    if _SVG.match(head):
        return Refused(N_("The file is an SVG drawing: it holds instructions, not pixels. Export it as PNG."))
    for sign in _REFUSED:
        if sign.pattern.match(head):
            return Refused(sign.answer)
    if _is_text(head):
        return Refused(N_("The file holds text, whatever its name says. A picture was expected."))
    return Refused(N_("The file is in a format unknown here. Pictures can be {formats}."), formats=FORMATS)


def _is_text(head: bytes) -> bool:
    """Whether the bytes read as UTF-8 without control characters (a letter cut at the end is forgiven)."""
    try:
        words = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:
            return False
        words = head[: error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\t\n\r\f\ufeff" for letter in words)
