"""Bring a public model here: whole, checked and resumable, or not at all.

What to expect of a file is what its publisher says: torchvision writes the first digits of the SHA-256
into the file's name, and a Hugging Face hub reports the sum of the file and the commit it belongs to.
The bytes go to a ``.part`` file beside their place, which becomes the weight file only when its sum is
right; a download that was stopped goes on from there.

A download is a generator of :mod:`dlviz.events`, so that the command line and a page run the same one.
It waits for the network between two events, which is why a page gives it to the process lane::

    jobs.submit(Call("dlviz.zoo.download:download", {"name": "resnet18"}), visitor=..., lane="process")
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from dlviz.errors import Busy, DlvizError, NotAvailable
from dlviz.events import Progress, Result, Work
from dlviz.i18n import N_
from dlviz.settings import settings
from dlviz.zoo import catalogue, files
from dlviz.zoo.cards import CardFile, ModelCard

CHUNK = 1 << 18
TIMEOUT = 30.0
# Left free on the disk after a download, for everything else that the server writes.
SPARE = 256 * 2**20
_BROKEN_OFF = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the bytes of a file are, and what their publisher says about them.

    ``sha256_prefix`` may be the whole sum. ``git_blob`` is the identity that a hub gives to its small
    text files: the SHA-1 of ``"blob <size>\\0"`` followed by the content.
    """

    file: CardFile
    url: str
    size: int
    sha256_prefix: str = ""
    git_blob: str = ""
    revision: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def download(name: str) -> Work:
    """Download what is missing of a public model, yielding ``Progress`` in bytes; ends with its folder.

    Closing the generator stops the download and keeps what has arrived.

    Raises
    ------
    NotAvailable
        The server is offline, the disk is too full, the model is not one to download, or the network
        failed.
    WeightsError
        What arrived is not what was published; it is thrown away.
    Busy
        Somebody is downloading it already.
    """
    card = catalogue.card(name)
    _refuse(card)
    card.folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(card.folder / ".lock", timeout=0, thread_local=False):
            yield from _download(card)
    except Timeout as error:
        raise Busy(N_("The model {model} is being downloaded already."), model=name) from error
    yield Result(str(card.folder))


def fetch(name: str, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """Download a model and wait for it; ``on_progress(done, total)`` is called with bytes."""
    for event in download(name):
        if isinstance(event, Progress) and on_progress:
            on_progress(event.done, event.total)
    return catalogue.card(name).folder


def _refuse(card: ModelCard) -> None:
    if card.source != "public":
        raise NotAvailable(
            N_("The model {model} is not one to download: its files are part of dlviz or in a local folder."),
            model=card.name,
        )
    if settings().offline:
        raise NotAvailable(
            N_("This server works offline (DLVIZ_OFFLINE), so the model {model} cannot be downloaded."),
            model=card.name,
        )


def _download(card: ModelCard) -> Generator[Progress, None, None]:
    wanted = [file for file in card.files if not _is_whole(card, file)]
    remotes = [_remote(card, file) for file in wanted]
    _check_disk(card, remotes)
    total = sum(remote.size for remote in remotes)
    done = 0
    for remote in remotes:
        for received in _receive(card.folder, remote):
            yield Progress(done + received, max(total, done + received))
        done += (card.folder / remote.file.name).stat().st_size


def _is_whole(card: ModelCard, file: CardFile) -> bool:
    try:
        files.verify_file(card, file)
    except DlvizError:
        return False
    return True


def _check_disk(card: ModelCard, remotes: list[Remote]) -> None:
    here = sum(_size(_part(card.folder, remote.file)) for remote in remotes)
    needed = sum(remote.size for remote in remotes) - here + SPARE
    free = shutil.disk_usage(card.folder).free
    if remotes and free < needed:
        raise NotAvailable(
            N_("The model {model} needs {needed} MB on the disk of {folder}, which has {free} MB free."),
            model=card.name,
            needed=needed >> 20,
            folder=str(card.folder),
            free=free >> 20,
        )


def _remote(card: ModelCard, file: CardFile) -> Remote:
    if file.repo:
        return _hub_remote(card, file)
    return Remote(file, file.url, file.size, file.sha256_prefix)


def _hub_remote(card: ModelCard, file: CardFile) -> Remote:
    """Ask the hub for the file's address, sum and size, at the commit of our first download if any."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import build_hf_headers

    known = files.checksums(card.folder).get(file.name)
    url = hf_hub_url(file.repo, file.name, revision=(known["revision"] or None) if known else None)
    try:
        said = get_hf_file_metadata(url)
    except (HfHubHTTPError, *_BROKEN_OFF) as error:
        raise _failed(file, error) from error
    etag = said.etag or ""
    # The token that opens a gated repository is for the hub and not for the store that it sends us to.
    own = urlsplit(said.location).netloc == urlsplit(url).netloc
    return Remote(
        file,
        said.location,
        said.size or file.size,
        sha256_prefix=etag if re.fullmatch("[0-9a-f]{64}", etag) else "",
        git_blob=etag if re.fullmatch("[0-9a-f]{40}", etag) else "",
        revision=said.commit_hash or "",
        headers=build_hf_headers() if own else {},
    )


def _receive(folder: Path, remote: Remote) -> Generator[int, None, None]:
    """Write the file to its place, yielding the bytes that are here so far."""
    part = _part(folder, remote.file)
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield from _transfer(part, remote)
    except _BROKEN_OFF as error:
        raise _failed(remote.file, error) from error
    _accept(folder, part, remote)


def _transfer(part: Path, remote: Remote) -> Generator[int, None, None]:
    received = _size(part)
    headers = {"User-Agent": "dlviz", **remote.headers}
    if received:
        headers["Range"] = f"bytes={received}-"
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(remote.url, headers=headers), timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        # All of it is here already, or more than all: the sum will tell.
        return
    with response, part.open("ab") as target:
        if response.status != http.client.PARTIAL_CONTENT:
            target.truncate(0)
            received = 0
        length = response.headers.get("Content-Length")
        expected = received + int(length) if length else None
        yield from _copy(response, target, received)
        if expected is not None and _size(part) < expected:
            raise http.client.IncompleteRead(b"", expected - _size(part))


def _copy(source: http.client.HTTPResponse, target: BinaryIO, received: int) -> Generator[int, None, None]:
    while chunk := source.read1(CHUNK):
        target.write(chunk)
        received += len(chunk)
        yield received
    target.flush()
    os.fsync(target.fileno())


def _accept(folder: Path, part: Path, remote: Remote) -> None:
    """Move a whole file to its place and remember its sum; throw away one that is not as published."""
    name = remote.file.name
    found = files.sha256(part, reread=True)
    known = files.checksums(folder).get(name)
    wrong = not found.startswith(remote.sha256_prefix) or (known and found != known["sha256"])
    if wrong or (remote.git_blob and _git_blob(part) != remote.git_blob):
        part.unlink()
        raise files.altered(folder / name)
    part.replace(folder / name)
    files.remember(folder, name, found, remote.revision)


def _git_blob(path: Path) -> str:
    total = hashlib.sha1(f"blob {_size(path)}\0".encode(), usedforsecurity=False)
    total.update(path.read_bytes())
    return total.hexdigest()


def _failed(file: CardFile, error: BaseException) -> NotAvailable:
    # urllib wraps the system's own words, such as "Name or service not known".
    reason = error.reason if type(error) is urllib.error.URLError else error
    return NotAvailable(
        N_("The download of {file} broke off ({reason}). What has arrived is kept for the next try."),
        file=file.name,
        reason=str(reason) or type(error).__name__,
    )


def _part(folder: Path, file: CardFile) -> Path:
    return folder / f"{file.name}.part"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
