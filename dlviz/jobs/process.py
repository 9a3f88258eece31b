"""The lane for what cannot yield: a process that can be killed.

UMAP's fit or gensim's epochs run for seconds inside one call. They get a
process of their own, so that cancelling is ending the process, and so that
they share neither the interpreter lock nor a low-priority thread's patience.

Processes are started as ``python -m dlviz.jobs.worker`` and not through
``multiprocessing``: its *spawn* runs the parent's ``__main__`` again in the
child, and under Streamlit ``__main__`` is whichever page ran last.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

from dlviz.errors import DlvizError
from dlviz.events import Event
from dlviz.i18n import N_
from dlviz.jobs.job import Call, Job, Queued


class WorkerDiedError(DlvizError):
    """The process that did the work ended without an answer (killed for memory, or crashed)."""


class Worker:
    """A process that answers one call at a time."""

    def __init__(self) -> None:
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        command = [sys.executable, "-m", "dlviz.jobs.worker"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.idle_since = time.monotonic()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def run(self, call: Call) -> Iterator[Event]:
        """Send ``call`` and iterate over its events; raises the call's error, or :class:`WorkerDiedError`."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(pickle.dumps(call))
            self._process.stdin.flush()
            while True:
                kind, content = pickle.load(self._process.stdout)
                if kind == "error":
                    raise content
                if kind == "end":
                    return
                yield content
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise WorkerDiedError(
                N_("The computation ended without a result. Try it with less data.")
            ) from None

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.terminate()

    def bury(self) -> None:
        """Kill the process and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(BrokenPipeError):  # unsent bytes of a call that nobody will read
                    stream.close()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None


class ProcessLane:
    """Runs calls in processes, a few at a time.

    Parameters
    ----------
    slots
        Calls that run at the same time; each is a whole interpreter with its
        libraries, 0.3 to 1 GB.
    idle
        Processes kept warm for the next call: importing umap and compiling it
        takes much longer than most of its fits.
    idle_for
        Seconds after which an idle process is ended.
    abandon_after
        Seconds after which a job that nobody reads is cancelled.
    """

    def __init__(
        self, slots: int = 1, idle: int = 1, idle_for: float = 600.0, abandon_after: float = 10.0
    ) -> None:
        self._slots = slots
        self._keep = idle
        self._idle_for = idle_for
        self._abandon_after = abandon_after
        self._waiting: list[Job] = []
        self._running: dict[Job, Worker] = {}
        self._idle: list[Worker] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def enter(self, job: Job) -> None:
        """Take ``job`` in; its first news is its position if it has to wait."""
        job.on_cancel(self._notify)
        with self._changed:
            self._waiting.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="dlviz-process-lane", daemon=True)
                self._thread.start()
            if len(self._running) >= self._slots:
                self._tell_positions()
            self._changed.notify_all()

    def processes(self) -> list[int]:
        """The ids of all processes, working and idle."""
        with self._changed:
            return [worker.pid for worker in [*self._running.values(), *self._idle]]

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _tell_positions(self) -> None:
        for position, job in enumerate(self._waiting, start=1):
            job.post(Queued(position))

    def _run(self) -> None:
        """Start, cancel and tidy; sleeps until something happens, with a look around now and then."""
        while True:
            with self._changed:
                busy = bool(self._running or self._waiting)
                self._sweep()
                while self._waiting and len(self._running) < self._slots:
                    self._start(self._waiting.pop(0))
                    self._tell_positions()
                self._changed.wait(0.25 if busy else 5.0 if self._idle else None)

    def _sweep(self) -> None:
        for job in [*self._running, *self._waiting]:
            if job.unread_for() > self._abandon_after:
                job.cancel()
        for job in [job for job in self._waiting if job.cancelled]:
            self._waiting.remove(job)
            job.close()
            self._tell_positions()
        for job, worker in self._running.items():
            if job.cancelled:
                worker.kill()
        now = time.monotonic()
        for worker in [worker for worker in self._idle if now - worker.idle_since > self._idle_for]:
            self._idle.remove(worker)
            worker.bury()

    def _start(self, job: Job) -> None:
        try:
            worker = self._idle.pop() if self._idle else Worker()
        except OSError as error:  # no memory or no process to be had: the reader's error, the lane lives on
            job.close(error)
            return
        self._running[job] = worker
        threading.Thread(
            target=self._serve, args=(job, worker), name="dlviz-process-job", daemon=True
        ).start()

    def _serve(self, job: Job, worker: Worker) -> None:
        """Carry a worker's events to the job's mailbox until the call ends, in a thread of its own."""
        error: BaseException | None = None
        try:
            for event in worker.run(cast(Call, job.work)):
                job.steps += 1
                job.post(event)
        except Exception as failure:
            error = None if job.cancelled else failure
        self._finish(job, worker)
        job.close(error)

    def _finish(self, job: Job, worker: Worker) -> None:
        """Give the slot back; keep the process if it is in good health and there is room for it."""
        with self._changed:
            del self._running[job]
            keep = worker.alive and not job.cancelled and len(self._idle) < self._keep
            if keep:
                worker.idle_since = time.monotonic()
                self._idle.append(worker)
            self._changed.notify_all()
        if not keep:
            worker.bury()
