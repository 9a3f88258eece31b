"""How much memory this server may use, and how much it does."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil

from dlviz.errors import Busy
from dlviz.i18n import N_
from dlviz.settings import settings

SHARE = 0.8
"""Of the machine's or the container's memory, when no limit is set."""

_CGROUP = Path("/sys/fs/cgroup")


@cache
def machine_bytes() -> int:
    """Memory of the machine, or of the container if that is less."""
    return min([psutil.virtual_memory().total, *_container_limits(_CGROUP, Path("/proc/self/cgroup"))])


def _container_limits(root: Path, membership: Path) -> list[int]:
    """Limits of the control groups that this process is in, version 2 (any ancestor's counts) and 1."""
    files = [root / "memory" / "memory.limit_in_bytes", root / "memory.max"]
    if membership.exists():
        for line in membership.read_text().splitlines():
            group = root / line.rpartition(":")[2].lstrip("/")
            files += [
                folder / "memory.max" for folder in (group, *group.parents) if folder.is_relative_to(root)
            ]
    texts = [file.read_text().strip() for file in files if file.is_file()]
    return [int(text) for text in texts if text.isdigit()]


def limit_bytes() -> int:
    """What this server may use: ``DLVIZ_MAX_MEMORY_MB``, or 80 % of what there is."""
    chosen = settings().max_memory_mb
    return chosen * 2**20 if chosen > 0 else int(machine_bytes() * SHARE)


def used_bytes() -> int:
    """Resident memory of this process and of its workers."""
    me = psutil.Process()
    total = me.memory_info().rss
    for child in me.children(recursive=True):
        try:
            total += child.memory_info().rss
        except psutil.NoSuchProcess:  # it ended between the listing and the question
            continue
    return total


def make_room(empty: Callable[[], None]) -> None:
    """See that there is memory for new long work.

    Parameters
    ----------
    empty
        Called first when memory is short, to let go of what can be computed
        again.

    Raises
    ------
    Busy
        Memory is short all the same.
    """
    if used_bytes() <= limit_bytes():
        return
    empty()
    _return_to_system()
    if used_bytes() > limit_bytes():
        raise Busy(N_("The server has no memory left for a new computation. Try again in a minute."))


def _return_to_system() -> None:
    """Have the C library hand freed pages back; it keeps them otherwise, and they would count as used."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
