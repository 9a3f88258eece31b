"""Functions that the worker process runs for the tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from dlviz.errors import Refused
from dlviz.events import Event, Progress, Result


def process_id() -> int:
    return os.getpid()


def add(left: int, right: int) -> int:
    print("libraries print to standard output too")
    return left + right


def count(steps: int) -> Iterator[Event]:
    for step in range(steps):
        yield Progress(step + 1, steps)
    yield Result(steps)


def sleep_forever(started: Path) -> None:
    started.write_text(str(os.getpid()))
    time.sleep(3600)


def refuse() -> None:
    raise Refused("{count} is too many.", count=7)


def crash() -> None:
    os._exit(9)


def unpicklable() -> object:
    return lambda: None


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)
