"""Small functions with dotted names for the tests of the door, and a count of their calls."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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


STEP = 0.08
ZOO: object = None
LOCKED_AT_CLOSE: list[bool] = []


def held_by_someone(name: str) -> bool:
    """Whether another thread holds the lock of model ``name``."""
    lock = ZOO.lock(name)  # type: ignore[attr-defined]
    if lock.acquire(blocking=False):
        lock.release()
        return False
    return True


def _seen_from_another_thread(name: str) -> bool:
    with ThreadPoolExecutor(1) as other:
        return other.submit(held_by_someone, name).result()


def is_locked(factor: float) -> bool:
    return _seen_from_another_thread("double" if factor == 2.0 else "triple")


def locked_steps(factor: float) -> Iterator[Event]:
    try:
        while True:
            yield Frame(is_locked(factor))
    finally:
        LOCKED_AT_CLOSE.append(is_locked(factor))


def long_steps(factor: float) -> Iterator[Event]:
    for step in range(10_000):
        time.sleep(STEP)
        yield Progress(step, 10_000)


def fit(points: np.ndarray) -> Means:
    return Means(points.mean(axis=1), process_id())


def process_id() -> str:
    return str(os.getpid())
