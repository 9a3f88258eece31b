"""Shared results: one computation for all, bounded in bytes, read-only."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from dlviz.ui.shared_results import SharedResults, freeze


@dataclass(frozen=True, slots=True)
class Inner:
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class Outer:
    parts: tuple[Inner, ...]
    name: str
    scale: float


def test_thirty_who_ask_at_once_make_one_computation() -> None:
    results = SharedResults(10**6)
    calls = []
    gate = threading.Barrier(30)

    def compute() -> np.ndarray:
        calls.append(1)
        time.sleep(0.2)
        return np.arange(10)

    def ask(_: int) -> np.ndarray:
        gate.wait()
        return results.get("key", compute)

    with ThreadPoolExecutor(30) as visitors:
        answers = list(visitors.map(ask, range(30)))
    assert len(calls) == 1
    assert all(answer is answers[0] for answer in answers)


def test_an_error_goes_to_all_who_wait_and_is_not_kept() -> None:
    results = SharedResults(10**6)
    calls = []
    gate = threading.Barrier(5)

    def fail() -> None:
        calls.append(1)
        time.sleep(0.2)
        raise ZeroDivisionError

    def ask(_: int) -> str:
        gate.wait()
        with pytest.raises(ZeroDivisionError):
            results.get("key", fail)
        return "told"

    with ThreadPoolExecutor(5) as visitors:
        assert list(visitors.map(ask, range(5))) == ["told"] * 5
    assert len(calls) == 1, "waiting for a failure is not asking again"
    assert results.get("key", lambda: 7) == 7


def test_different_keys_do_not_wait_for_each_other() -> None:
    results = SharedResults(10**6)
    inside = threading.Event()
    release = threading.Event()

    def slow() -> int:
        inside.set()
        release.wait(5)
        return 1

    thread = threading.Thread(target=lambda: results.get("slow", slow))
    thread.start()
    assert inside.wait(5)
    assert results.get("quick", lambda: 2) == 2
    release.set()
    thread.join()


def test_memory_is_bounded_and_the_least_used_goes_first() -> None:
    results = SharedResults(10_000)
    for key in "abcde":
        results.get(key, lambda: np.zeros(3000, np.uint8))
        results.get("a", lambda: np.zeros(3000, np.uint8))
        assert results.size <= 10_000
    assert len(results) == 3
    calls = []
    for key in "ade":
        results.get(key, lambda: calls.append(1))
    assert calls == []
    results.get("b", lambda: calls.append(1))
    assert calls == [1]


def test_what_is_larger_than_the_cache_is_given_but_not_kept() -> None:
    results = SharedResults(100)
    results.get("small", lambda: 1)
    assert results.get("large", lambda: np.zeros(1000)).shape == (1000,)
    assert len(results) == 1 and 0 < results.size <= 100


def test_a_view_counts_as_the_array_it_keeps_alive() -> None:
    assert freeze(np.zeros(10**6)[:3]) >= 8 * 10**6


def test_emptying() -> None:
    results = SharedResults(10_000)
    results.get("a", lambda: np.zeros(100))
    results.empty()
    assert (len(results), results.size) == (0, 0)


def test_arrays_are_read_only_however_deep() -> None:
    value = Outer((Inner(np.zeros(3)), Inner(np.ones(3))), "x", 1.0)
    assert freeze(value) >= 48
    for inner in value.parts:
        with pytest.raises(ValueError, match="read-only"):
            inner.values[0] = 5


@dataclass
class Open:
    values: np.ndarray


@pytest.mark.parametrize("value", [[1], {"a": 1}, Open(np.zeros(1)), object(), np.array([object()]), ([1],)])
def test_what_could_be_changed_by_a_visitor_is_refused(value: object) -> None:
    results = SharedResults(10**6)
    with pytest.raises(TypeError):
        results.get("key", lambda: value)
    assert len(results) == 0
