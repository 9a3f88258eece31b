"""Small functions with dotted names for the tests of the door, and a count of their calls."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dlviz.events import Event, Frame, Progress, Result

CALLS: Counter[str] = Counter()
CLOSED = threading.Event()


@dataclass(frozen=True, slots=True)
class Means:
    """Mean colour of each row."""

    rows: np.ndarray
    label: str


def row_means(image: np.ndarray, label: str = "") -> Means:
    CALLS["row_means"] += 1
    time.sleep(0.05)
    return Means(image.mean(axis=1), label)


def scaled(factor: float, image: np.ndarray) -> Means:
    CALLS["scaled"] += 1
    return Means(image.mean(axis=1) * factor, "scaled")


def fails(image: np.ndarray) -> Means:
    CALLS["fails"] += 1
    time.sleep(0.05)
    raise ZeroDivisionError("as asked")


def as_list(image: np.ndarray) -> list[float]:
    return [float(image.mean())]


def count_up(steps: int, pause: float = 0.01) -> Iterator[Event]:
    CALLS["count_up"] += 1
    CLOSED.clear()
    try:
        for step in range(steps):
            time.sleep(pause)
            yield Progress(step + 1, steps)
            yield Frame(step)
        yield Result(Means(np.arange(steps, dtype=float), "counted"))
    finally:
        CLOSED.set()
