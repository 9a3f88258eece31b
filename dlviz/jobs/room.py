"""The jobs room: where long work is handed in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from dlviz.errors import Busy
from dlviz.i18n import N_
from dlviz.jobs.device import DeviceLane, Gate
from dlviz.jobs.job import Call, Job, Maker
from dlviz.jobs.process import ProcessLane

Lane = Literal["device", "process"]


class Room:
    """Two lanes and the rule on how much one visitor may ask for.

    A visitor's new job replaces that visitor's oldest one rather than being
    refused: what visitors ask for now is what they look at now, and the older
    job's page is most likely gone.
    """

    def __init__(self, device: DeviceLane, process: ProcessLane, gate: Gate, limit: int = 100) -> None:
        self._lanes: dict[Lane, DeviceLane | ProcessLane] = {"device": device, "process": process}
        self._gate = gate
        self._limit = limit
        self._jobs: list[Job] = []
        self._lock = threading.Lock()

    def submit(self, work: Maker | Call, *, visitor: str, lane: Lane = "device", per_visitor: int = 1) -> Job:
        """See :func:`dlviz.jobs.submit`."""
        if isinstance(work, Call) != (lane == "process"):
            raise TypeError("The process lane takes a Call, the device lane a function without arguments.")
        job = Job(work, visitor)
        with self._lock:
            self._jobs = [other for other in self._jobs if not other.over]
            mine = [other for other in self._jobs if other.visitor == visitor]
            replaced = mine[: max(0, len(mine) + 1 - per_visitor)]
            if len(self._jobs) - len(replaced) >= self._limit:
                raise Busy(
                    N_("The server already has {count} long computations. Try again in a minute."),
                    count=len(self._jobs),
                )
            self._jobs.append(job)
        for other in replaced:
            other.cancel()
        self._lanes[lane].enter(job)
        return job

    def open_jobs(self) -> int:
        """How many jobs run or wait."""
        with self._lock:
            return sum(not job.over for job in self._jobs)

    @contextmanager
    def interactive(self) -> Iterator[None]:
        """See :func:`dlviz.jobs.interactive`."""
        with self._gate.click():
            yield


def open_room() -> Room:
    """A room with the usual lanes."""
    gate = Gate()
    return Room(DeviceLane(gate), ProcessLane(), gate)
