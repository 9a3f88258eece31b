"""Long work: ``submit``, ``events``, ``cancel``.

::

    job = jobs.submit(lambda: maximise(network, unit=3), visitor="a")
    for event in job.events():
        ...
    job.cancel()

These three words are the whole interface, so that a remote engine can take a
lane's place. Work is a function without arguments that returns a generator of
:mod:`dlviz.events` (the device lane), or a :class:`Call` for what cannot yield
between short steps (the process lane).
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from dlviz.jobs.job import Call, Job, Maker, Queued
from dlviz.jobs.room import Lane, Room, open_room

__all__ = ["Call", "Job", "Lane", "Queued", "Room", "interactive", "open_jobs", "open_room", "submit"]

_ROOM = open_room()


def submit(work: Maker | Call, *, visitor: str, lane: Lane = "device", per_visitor: int = 1) -> Job:
    """Hand work in.

    Parameters
    ----------
    work
        For the device lane a function without arguments that returns a
        generator; for the process lane a :class:`Call`.
    visitor
        Whose work it is. Visitors take turns, one step each.
    per_visitor
        How many jobs this visitor may have; the oldest ones beyond that are
        cancelled.

    Raises
    ------
    Busy
        The room is full.
    """
    return _ROOM.submit(work, visitor=visitor, lane=lane, per_visitor=per_visitor)


def interactive() -> AbstractContextManager[None]:
    """While the body runs, jobs hold their next step back (a second at most): clicks come first."""
    return _ROOM.interactive()


def open_jobs() -> int:
    """How many jobs run or wait in this server."""
    return _ROOM.open_jobs()
