"""Results that all visitors share: computed once, read-only, bounded in bytes."""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from typing import Any

import numpy as np


class SharedResults:
    """A cache by key, least recently used out first, with one computation a key at a time.

    Written out here because it is short and because what matters is how the
    parts meet: thirty visitors who ask for the same thing while it is being
    computed wait for the one who asked first (single flight). An error goes to
    everyone who waited for it and is not kept.

    Parameters
    ----------
    limit
        Bytes of arrays and text that may be kept. A single result beyond that
        is returned but not kept.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._kept: OrderedDict[str, tuple[object, int]] = OrderedDict()
        self._flights: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: str) -> bool:
        """Whether the value of ``key`` is kept: asking for it takes no time."""
        return key in self._kept

    def get(self, key: str, compute: Callable[[], Any]) -> Any:
        """The value of ``key``, from the cache, from a computation under way, or by ``compute()``."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
            flight = self._flights.get(key)
            leading = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if leading:
            self._fly(key, flight, compute)
        return flight.result()

    def empty(self) -> None:
        """Forget everything kept; computations under way go on."""
        with self._lock:
            self._kept.clear()
            self.size = 0

    def _fly(self, key: str, flight: Future[Any], compute: Callable[[], Any]) -> None:
        try:
            value = compute()
            size = freeze(value)
        except BaseException as error:
            self._land(key)
            flight.set_exception(error)
        else:
            self._land(key, value, size)
            flight.set_result(value)

    def _land(self, key: str, value: object = None, size: int | None = None) -> None:
        with self._lock:
            del self._flights[key]
            if size is None or size > self.limit:
                return
            self._kept[key] = (value, size)
            self.size += size
            while self.size > self.limit:
                self.size -= self._kept.popitem(last=False)[1][1]


def freeze(value: object) -> int:
    """Make every array in a result read-only, and return the result's size in bytes.

    Raises
    ------
    TypeError
        For what cannot be frozen: a list, a dict, a dataclass that is not
        frozen. One visitor's page could change what another one sees.
    """
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        value.flags.writeable = False
        # A view keeps the whole array alive that it looks into.
        return max(value.nbytes, getattr(value.base, "nbytes", 0))
    if value is None or isinstance(value, (str, bytes, bool, int, float, complex, np.generic, Enum)):
        return sys.getsizeof(value)
    if isinstance(value, (tuple, frozenset)):
        return sys.getsizeof(value) + sum(map(freeze, value))
    if _is_frozen_dataclass(value):
        fields = dataclasses.fields(value)  # type: ignore[arg-type]
        return sys.getsizeof(value) + sum(freeze(getattr(value, field.name)) for field in fields)
    raise TypeError(
        f"A result holds a {type(value).__name__}, which cannot be shared between visitors: use frozen"
        " dataclasses, numpy arrays, tuples and plain values."
    )


def _is_frozen_dataclass(value: object) -> bool:
    parameters = getattr(type(value), "__dataclass_params__", None)
    return parameters is not None and parameters.frozen
