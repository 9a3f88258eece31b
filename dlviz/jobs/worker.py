"""The other end of the process lane: ``python -m dlviz.jobs.worker``.

It reads one call after the other from its standard input and writes messages
to its standard output, both pickled: ``("event", event)`` any number of times,
then ``("end", None)`` or ``("error", exception)``. What the called library
prints goes to the standard error, so that it cannot damage the messages. When
the server goes away the input ends, and the worker with it, even in the middle
of a call.
"""

from __future__ import annotations

import importlib
import os
import pickle
import queue
import sys
import threading
import traceback
from collections.abc import Generator
from typing import BinaryIO

from dlviz.events import Event, Result
from dlviz.jobs.device import lower_priority
from dlviz.jobs.job import Call, checked


def main() -> None:
    """Serve calls until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    lower_priority()
    calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, calls), daemon=True).start()
    while True:
        _serve(calls.get(), answers)


def _read(source: BinaryIO, calls: queue.SimpleQueue[Call]) -> None:
    try:
        while True:
            calls.put(pickle.load(source))
    finally:
        os._exit(0)


def _serve(call: Call, answers: BinaryIO) -> None:
    try:
        for event in events_of(call):
            _write(answers, "event", event)
    except Exception as error:
        error.add_note("In a worker process:\n" + traceback.format_exc())
        _write(answers, "error", _portable(error))
    else:
        _write(answers, "end", None)


def events_of(call: Call) -> Generator[Event, None, None]:
    """Run a call; a function that returns a plain value becomes a job with one ``Result``."""
    module, _, name = call.function.partition(":")
    returned = getattr(importlib.import_module(module), name)(**call.arguments)
    if isinstance(returned, Generator):
        yield from map(checked, returned)
    else:
        yield Result(returned)


def _write(answers: BinaryIO, kind: str, content: object) -> None:
    # Pickled in one piece first: a value that cannot be pickled must not leave half a message behind.
    answers.write(pickle.dumps((kind, content)))
    answers.flush()


def _portable(error: Exception) -> Exception:
    """``error`` if it survives the journey, else a plain one with its text."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


if __name__ == "__main__":
    main()
