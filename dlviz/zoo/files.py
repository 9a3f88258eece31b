"""Is each file of a model there, whole and the one it should be?

A bundled file is held by its SHA-256, which ``card.json`` carries. For a public file nobody gave us the
whole sum, so what the publisher does give is checked when it arrives (torchvision writes the first
digits into the file's name, a Hugging Face hub reports the sum of the file), and the sum then found is
remembered in ``checksums.json`` beside it: trust on first use. Reading 500 MB to add up a sum takes a
second, so a file is read again only when its size or date has changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from pathlib import Path
from typing import Literal, TypedDict

from dlviz.errors import DlvizError, NotAvailable, WeightsError
from dlviz.i18n import N_
from dlviz.zoo.cards import CARD_FILE, CardFile, ModelCard

Status = Literal["ready", "absent", "broken"]

CHECKSUMS_FILE = "checksums.json"
_BLOCK = 1 << 20

Stamp = tuple[int, int]
_sums: dict[Path, tuple[Stamp, str]] = {}
_writing = threading.Lock()


def status(card: ModelCard) -> Status:
    """Whether the model can be loaded, by the files' sizes and dates where these are known to be right."""
    if card.source == "public" and not all((card.folder / file.name).exists() for file in card.files):
        return "absent"
    try:
        verify(card, by_date=True)
    except DlvizError:
        return "broken"
    return "ready"


def verify(card: ModelCard, *, reread: bool = False, by_date: bool = False) -> dict[str, str]:
    """SHA-256 of each file, all of them found right.

    ``reread`` reads them even if nothing has changed since this process last read them; ``by_date`` takes a
    public file as right without reading it where size and date are those of its arrival.

    Raises
    ------
    NotAvailable
        A public model that has not been downloaded.
    WeightsError
        A file is missing, cut short or altered; the message names it.
    """
    if not card.files:
        missing = CARD_FILE if card.source == "bundled" else "config.json"
        raise WeightsError(
            N_("The model {model} is damaged: {file} is missing or unreadable."),
            model=card.name,
            file=shown(card.folder / missing),
        )
    return {file.name: verify_file(card, file, reread=reread, by_date=by_date) for file in card.files}


def verify_file(card: ModelCard, file: CardFile, *, reread: bool = False, by_date: bool = False) -> str:
    """SHA-256 of one file of a model, found right; raises as :func:`verify` does."""
    path = card.folder / file.name
    if not path.exists():
        raise _missing(card, path)
    state = path.stat()
    size = state.st_size
    known = checksums(card.folder).get(file.name) if card.source == "public" else None
    if by_date and known and (size, state.st_mtime_ns) == (known["size"], known["mtime_ns"]):
        return known["sha256"]
    expected_size = file.size if file.sha256 else known["size"] if known else None
    if expected_size is not None and size < expected_size:
        raise WeightsError(
            N_("The weight file {file} is cut short: it holds {size} bytes of {expected}."),
            file=shown(path),
            size=size,
            expected=expected_size,
        )
    found = sha256(path, reread=reread)
    expected = file.sha256 or (known["sha256"] if known else "")
    if (expected and found != expected) or not found.startswith(file.sha256_prefix):
        raise altered(path)
    if card.source == "public" and not known:
        remember(card.folder, file.name, found)
    return found


def _missing(card: ModelCard, path: Path) -> DlvizError:
    if card.source == "public":
        return NotAvailable(
            N_("The model {model} is not on this server. Its operator can get it: {command}"),
            model=card.name,
            command=f"python -m dlviz.zoo download {card.name}",
        )
    return WeightsError(N_("The weight file {file} is missing."), file=shown(path))


def shown(path: Path) -> str:
    """A file by its model and name: visitors read these messages, and the server's folders are not theirs."""
    return f"{path.parent.name}/{path.name}"


def altered(path: Path) -> WeightsError:
    """The error for a file whose sum is not the expected one."""
    return WeightsError(
        N_("The weight file {file} is not the one that was published: its SHA-256 differs."), file=shown(path)
    )


def sha256(path: Path, *, reread: bool = False) -> str:
    """SHA-256 of a file, in hexadecimal; read once for each size and date of the file."""
    state = path.stat()
    stamp = (state.st_mtime_ns, state.st_size)
    stored = _sums.get(path)
    if stored and stored[0] == stamp and not reread:
        return stored[1]
    total = hashlib.sha256()
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            total.update(block)
    _sums[path] = (stamp, total.hexdigest())
    return total.hexdigest()


class Remembered(TypedDict):
    """What is known of a public file since it first came.

    ``revision`` is the commit of the Hugging Face repository, empty for other sources.
    """

    sha256: str
    size: int
    mtime_ns: int
    revision: str


def checksums(folder: Path) -> dict[str, Remembered]:
    """What is remembered of each public file in ``folder``."""
    try:
        stored: dict[str, Remembered] = json.loads((folder / CHECKSUMS_FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    return stored


def remember(folder: Path, name: str, total: str, revision: str = "") -> None:
    """Write down the sum of a file seen for the first time."""
    with _writing:
        state = (folder / name).stat()
        seen = Remembered(sha256=total, size=state.st_size, mtime_ns=state.st_mtime_ns, revision=revision)
        stored = {**checksums(folder), name: seen}
        part = folder / f"{CHECKSUMS_FILE}.{os.getpid()}.part"
        part.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
        part.replace(folder / CHECKSUMS_FILE)
