"""A SHA-256 over a function's arguments, to the last bit: the key of what is computed once for all."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable, Mapping
from enum import Enum
from types import FunctionType

import numpy as np


def dotted_name(function: Callable[..., object]) -> str:
    """``package.module.function``, and a promise that the name means this function everywhere.

    Raises
    ------
    TypeError
        For a lambda, a function made inside another one, or one of a page:
        two of them may share a name and do different things.
    """
    name = getattr(function, "__qualname__", "")
    module = getattr(function, "__module__", None)
    if not isinstance(function, FunctionType) or "<" in name or module in (None, "__main__"):
        raise TypeError(
            f"{function!r} has no dotted name of its own: define it at the top level of a module."
        )
    return f"{module}.{name}"


def fingerprint(arguments: Mapping[str, object]) -> str:
    """SHA-256 over names and values, whatever the order of the names.

    Arrays count with every byte, their shape and their dtype (Streamlit's own
    key samples large arrays: two pictures that differ in one pixel would share
    a result). Every value is written with its type and its length, so that
    ``("ab", "c")`` and ``("a", "bc")``, or ``1``, ``1.0`` and ``True``, differ.

    Raises
    ------
    TypeError
        For a value that has no such form: a model, an open file, an object
        that may change.
    """
    digest = hashlib.sha256()
    for name in sorted(arguments):
        _feed(digest, name)
        _feed(digest, arguments[name])
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, value: object) -> None:
    if value is None:
        _write(digest, b"none", b"")
    elif isinstance(value, Enum):
        _write(digest, b"enum", f"{_type_name(value)}.{value.name}".encode())
    elif isinstance(value, np.ndarray):
        _feed_array(digest, value)
    elif isinstance(value, np.generic):
        _feed_array(digest, np.asarray(value), b"scalar")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        _feed_dataclass(digest, value)
    elif isinstance(value, Mapping):
        _feed_many(digest, b"mapping", [part for item in value.items() for part in item])
    elif type(value) in (tuple, list):
        _feed_many(digest, type(value).__name__.encode(), list(value))  # type: ignore[call-overload]
    else:
        _feed_plain(digest, value)


def _feed_plain(digest: hashlib._Hash, value: object) -> None:
    # Exact types: a subclass may carry more than its base's value shows.
    if type(value) is str:
        _write(digest, b"str", value.encode("utf-8", "surrogatepass"))
    elif type(value) is bytes:
        _write(digest, b"bytes", value)
    elif type(value) is bool:
        _write(digest, b"bool", bytes([value]))
    elif type(value) is int:
        _write(digest, b"int", str(value).encode())
    elif type(value) is float:
        _write(digest, b"float", struct.pack("<d", value))
    else:
        raise TypeError(f"An argument of type {type(value).__name__} cannot be part of a cache key.")


def _feed_array(digest: hashlib._Hash, array: np.ndarray, kind: bytes = b"array") -> None:
    if array.dtype.hasobject:
        raise TypeError("An array of Python objects cannot be part of a cache key.")
    _write(digest, kind, repr((array.dtype.descr, array.shape)).encode())
    contiguous = np.ascontiguousarray(array)
    _write(digest, b"data", contiguous.reshape(-1).view(np.uint8).data if contiguous.size else b"")


def _feed_dataclass(digest: hashlib._Hash, value: object) -> None:
    if not type(value).__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise TypeError(
            f"{type(value).__name__} may change: only frozen dataclasses can be part of a cache key."
        )
    fields = [f.name for f in dataclasses.fields(value)]  # type: ignore[arg-type]
    parts = [part for name in fields for part in (name, getattr(value, name))]
    _feed_many(digest, b"dataclass " + _type_name(value).encode(), parts)


def _feed_many(digest: hashlib._Hash, kind: bytes, parts: list[object]) -> None:
    _write(digest, kind, str(len(parts)).encode())
    for part in parts:
        _feed(digest, part)


def _write(digest: hashlib._Hash, kind: bytes, data: bytes | memoryview) -> None:
    size = len(data)
    digest.update(b"%d:%b%d:" % (len(kind), kind, size))
    digest.update(data)


def _type_name(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"
