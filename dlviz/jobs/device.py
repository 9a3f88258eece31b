"""The lane for generators: one thread owns the accelerator, and jobs take turns step by step.

A click must feel the same whether or not somebody else's job runs. Three
things see to that:

- *Clicks first.* While a click computes (:func:`interactive`), no job begins
  a step; a job that has waited ``patience`` seconds takes one all the same,
  so that a full class delays a job but never stops it.
- *Low priority.* On Linux the lane's thread, and with it the threads that
  torch starts on its behalf, run at 10 more niceness than the server: the rest of a step that is
  already under way takes about a tenth of a core from the click.
- *Short steps.* Locks are held for a step (about 50 ms), never for a job.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dlviz.events import Result, Work
from dlviz.jobs.job import Job, Queued, checked, started

NICENESS = 10


class Gate:
    """Lets clicks pass before steps."""

    def __init__(self) -> None:
        self._clicks = 0
        self._changed = threading.Condition()

    @contextmanager
    def click(self) -> Iterator[None]:
        """Hold jobs back while the body runs."""
        with self._changed:
            self._clicks += 1
        try:
            yield
        finally:
            with self._changed:
                self._clicks -= 1
                self._changed.notify_all()

    def wait(self, patience: float) -> None:
        """Wait for a moment without clicks, at most ``patience`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._clicks, patience)


class DeviceLane:
    """Round robin between visitors, one step each.

    Parameters
    ----------
    slots
        Jobs that take turns at the same time. The others wait: each started
        job holds memory on the device, and sharing the device among thirty
        would make all thirty end late.
    patience
        Seconds that clicks may hold a step back.
    abandon_after
        Seconds after which a job that nobody reads is cancelled: its tab was
        closed, or its connection broke.
    """

    def __init__(
        self, gate: Gate, slots: int = 4, patience: float = 1.0, abandon_after: float = 10.0
    ) -> None:
        self._gate = gate
        self._slots = slots
        self._patience = patience
        self._abandon_after = abandon_after
        self._waiting: list[Job] = []
        self._active: dict[Job, Work] = {}
        self._served: Counter[str] = Counter()
        self._turn = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def enter(self, job: Job) -> None:
        """Take ``job`` in; its first news is its position if it has to wait."""
        job.on_cancel(self._notify)
        with self._changed:
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dlviz-device-lane", daemon=True)
                self._thread.start()
            if len(self._active) >= self._slots:
                self._tell_positions()
            self._changed.notify_all()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        lower_priority()
        while True:
            job, work = self._next()
            self._gate.wait(self._patience)
            if not job.cancelled:
                self._step(job, work)

    def _next(self) -> tuple[Job, Work]:
        """Sweep, admit, and give the turn to the visitor who has waited longest for one."""
        while True:
            self._sweep()
            with self._changed:
                self._admit()
                if self._active:
                    job = min(self._active, key=lambda j: self._served[j.visitor])
                    self._turn += 1
                    self._served[job.visitor] = self._turn
                    # One visitor's several jobs take turns too: the one just served goes to the end.
                    self._active[job] = self._active.pop(job)
                    return job, self._active[job]
                self._served.clear()
                if not self._waiting:
                    self._changed.wait()

    def _admit(self) -> None:
        """Fill free slots, first those visitors who have fewest jobs running, then by arrival."""
        admitted = False
        while self._waiting and len(self._active) < self._slots:
            running = Counter(job.visitor for job in self._active)
            job = min(self._waiting, key=lambda j: running[j.visitor])
            self._waiting.remove(job)
            self._active[job] = _lazily(job)
            admitted = True
        if admitted:
            self._tell_positions()

    def _tell_positions(self) -> None:
        for position, job in enumerate(self._waiting, start=1):
            job.post(Queued(position))

    def _sweep(self) -> None:
        """Close what was cancelled or abandoned, before anyone takes another step."""
        with self._changed:
            everyone = [*self._active, *self._waiting]
        for job in everyone:
            if job.unread_for() > self._abandon_after:
                job.cancel()
            if job.cancelled:
                self._leave(job)

    def _step(self, job: Job, work: Work) -> None:
        try:
            event = checked(next(work))
        except StopIteration:
            self._leave(job)
        except BaseException as error:  # handed to the reader as it is; the lane lives on
            self._leave(job, error)
        else:
            job.steps += 1
            job.post(event)
            if isinstance(event, Result):
                self._leave(job)

    def _leave(self, job: Job, error: BaseException | None = None) -> None:
        """Close the generator in the lane's own thread, where its ``finally`` may touch the device."""
        with self._changed:
            work = self._active.pop(job, None)
            if job in self._waiting:
                self._waiting.remove(job)
                self._tell_positions()
        try:
            if work is not None:
                work.close()
        except BaseException as failure:
            error = error or failure
        job.close(error)


def _lazily(job: Job) -> Work:
    """Make the generator at its first step, so that making it counts as part of a turn."""
    yield from started(job.work)


def lower_priority(niceness: int = NICENESS) -> None:
    """Make this thread, and those it starts, polite to others; only Linux has a priority for each thread.

    Relative to the server's own niceness: one that was itself started as polite may not go back.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        now = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(19, now + niceness))
