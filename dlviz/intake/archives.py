"""A zip of a visitor's own pictures: read in memory, one at a time, with bounds on everything it claims."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from dlviz.errors import Refused
from dlviz.events import Progress, Result, Work
from dlviz.i18n import N_
from dlviz.intake.images import photo
from dlviz.settings import settings

MOST_FILES = 10_000
MOST_RATIO = 200
_EXPANSION = 10
_MEGABYTE = 1 << 20
_SYSTEM = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True, slots=True)
class ArchivePicture:
    """One picture of an archive: its name without folders, the folder it lay in, and RGB bytes."""

    name: str
    folder: str
    pixels: UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file of the archive that was not taken, and why: an error's message id and values, as pairs."""

    name: str
    message: str
    values: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class ArchivePictures:
    """What was read from an archive. `left_out` counts the files that came after the most that are read."""

    pictures: tuple[ArchivePicture, ...]
    skipped: tuple[Skipped, ...]
    left_out: int


def read(data: bytes, *, side: int = 128, least: int = 1, most: int = 2000) -> Work:
    """The pictures in a zip, each through the same gate as a single upload.

    Nothing is written to disk, and no name in the archive is ever used as a path. The list of contents is checked
    before anything is unpacked: how many files it claims, how large they claim to be, and how much smaller they
    are packed; a file is never unpacked beyond the size it claims. A text, a broken picture or a
    file behind a password is named and skipped, and the rest goes on.

    Parameters
    ----------
    data
        The bytes of the zip.
    side
        Longest side of the pictures kept, in pixels.
    least
        Pictures that must be there in the end.
    most
        Files that are read; what comes after them is counted.

    Yields
    ------
    Progress
        After each file; at the end a ``Result`` with the :class:`ArchivePictures`.

    Raises
    ------
    Refused
        It is no zip, it is damaged, it claims too much, or it holds too few pictures.
    """
    with _opened(data) as archive:
        files = _listed(archive)
        pictures: list[ArchivePicture] = []
        skipped: list[Skipped] = []
        for count, entry in enumerate(files[:most], start=1):
            try:
                pictures.append(_picture(archive, entry, side))
            except Refused as refusal:
                skipped.append(Skipped(_shown(entry), refusal.message, tuple(refusal.values.items())))
            yield Progress(count, min(len(files), most))
    if len(pictures) < least:
        raise Refused(
            N_("The archive holds {count} pictures that can be read; at least {least} are needed."),
            count=len(pictures),
            least=least,
        )
    yield Result(ArchivePictures(tuple(pictures), tuple(skipped), max(0, len(files) - most)))


def _opened(data: bytes) -> zipfile.ZipFile:
    limit = settings().max_upload_mb
    if not data:
        raise Refused(N_("The file is empty: it holds 0 bytes."))
    if len(data) > limit * _MEGABYTE:
        raise Refused(
            N_("The file takes {size} MB; at most {limit} MB can be read here."),
            size=round(len(data) / _MEGABYTE, 1),
            limit=limit,
        )
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise Refused(N_("The file is no zip archive. Put the pictures into a zip."))
    if _claimed_files(data) > MOST_FILES:
        raise Refused(N_("The archive claims more than {most} files."), most=MOST_FILES)
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OSError) as error:
        raise Refused(N_("The archive is damaged or was cut short. Make it again.")) from error


def _claimed_files(data: bytes) -> int:
    """How many headers of a listing there are at most: counted as bytes, before Python makes an object of each."""
    return data.count(b"PK\x01\x02")


def _listed(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files to look at, folders and the system's own left out; refuses what claims to be a bomb."""
    entries = archive.infolist()
    total = sum(entry.file_size for entry in entries)
    limit = settings().max_upload_mb * _EXPANSION
    if total > limit * _MEGABYTE:
        raise Refused(
            N_("Unpacked, the archive would take {size} MB; at most {limit} MB can be read here."),
            size=round(total / _MEGABYTE),
            limit=limit,
        )
    return [entry for entry in entries if not entry.is_dir() and not _is_system(entry)]


def _is_system(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    return not parts or parts[0] in _SYSTEM or parts[-1] in _SYSTEM or parts[-1].startswith("._")


def _picture(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, side: int) -> ArchivePicture:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise Refused(N_("Its name leads out of the archive."))
    taken = photo(_content(archive, entry), _shown(entry))
    picture = Image.fromarray(taken.pixels)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    folder = path.parts[-2] if len(path.parts) > 1 else ""
    return ArchivePicture(_shown(entry), _printable(folder), np.array(picture))


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one file; never more than it claims, and none where the claim is beyond belief."""
    if entry.flag_bits & 0x1:
        raise Refused(N_("The file is behind a password."))
    limit = settings().max_upload_mb
    if entry.file_size > limit * _MEGABYTE:
        raise Refused(
            N_("The file takes {size} MB; at most {limit} MB can be read here."),
            size=round(entry.file_size / _MEGABYTE, 1),
            limit=limit,
        )
    if entry.file_size > _MEGABYTE and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
        raise Refused(
            N_("The file is packed to less than a {ratio}th of its size: no picture is."), ratio=MOST_RATIO
        )
    try:
        with archive.open(entry) as file:
            return file.read(entry.file_size + 1)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        RuntimeError,
        ValueError,
        zlib.error,
    ) as error:
        raise Refused(
            N_("The file is damaged in the archive, or packed in a way that is not read here.")
        ) from error


def _shown(entry: zipfile.ZipInfo) -> str:
    return _printable(entry.filename.replace("\\", "/").rsplit("/", 1)[-1])


def _printable(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:80]
