"""The key of a computation: every byte counts, and nothing else does."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest

from dlviz.ui.fingerprint import dotted_name, fingerprint
from tests.ui import science


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Shade(enum.Enum):
    RED = 1


@dataclass(frozen=True, slots=True)
class Box:
    left: int
    right: int


@dataclass(frozen=True, slots=True)
class Crop:
    left: int
    right: int


@dataclass
class Open:
    left: int


IMAGE = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)


def of(value: object) -> str:
    return fingerprint({"value": value})


@pytest.mark.parametrize("position", [(0, 0, 0), (255, 17, 1), (511, 511, 2)])
def test_one_flipped_bit_changes_the_key(position: tuple[int, int, int]) -> None:
    flipped = IMAGE.copy()
    flipped[position] ^= 1
    assert of(flipped) != of(IMAGE)
    assert of(IMAGE.copy()) == of(IMAGE)


def test_every_flipped_pixel_of_many_gives_its_own_key() -> None:
    keys = set()
    for index in range(0, IMAGE.size, IMAGE.size // 97):
        flipped = IMAGE.copy()
        flipped.flat[index] ^= 1
        keys.add(of(flipped))
    assert len(keys) == len(range(0, IMAGE.size, IMAGE.size // 97))


def test_different_values_have_different_keys() -> None:
    values: list[object] = [
        None, True, False, 0, 1, 1.0, -0.0, 0.0, "", "1", b"1", "None", (), (1,), [1], (1, 2), ((1,), 2),
        (1, (2,)),
        ("ab", "c"), ("a", "bc"), {}, {"a": 1}, {"a": (1,)}, (("a", 1),), Colour.RED, Colour.BLUE, Shade.RED,
        Box(1, 2), Box(2, 1), Crop(1, 2), np.float32(1), np.float64(1), np.array(1.0), np.array([1.0]),
        np.zeros((2, 3)), np.zeros((3, 2)), np.zeros(6), np.zeros((2, 3), np.float32),
        np.zeros((2, 3), ">f8"),
        np.zeros((2, 3), np.int64), np.zeros((0, 3)), np.zeros((3, 0)), b"\0" * 48,
    ]  # fmt: skip
    assert len({of(value) for value in values}) == len(values)


def test_a_value_does_not_run_into_the_next_name() -> None:
    assert fingerprint({"a": "x", "b": "y"}) != fingerprint({"a": "y", "b": "x"})
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": ("b", 1)}) != fingerprint({"a": "b", "b": 1})


def test_memory_layout_does_not_count() -> None:
    assert of(np.asfortranarray(IMAGE)) == of(IMAGE)
    assert of(IMAGE[::2]) == of(IMAGE[::2].copy())


@pytest.mark.parametrize(
    "value", [object(), {1, 2}, Open(1), np.array([object()]), lambda: 1, bytearray(b"x"), 1j, (1, object())]
)
def test_what_has_no_fixed_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        of(value)


def test_subclasses_are_refused_because_they_may_hold_more() -> None:
    class Loud(str):
        pass

    with pytest.raises(TypeError):
        of(Loud("x"))


def test_names() -> None:
    assert dotted_name(science.row_means) == "tests.ui.science.row_means"
    for nameless in (lambda: 1, partial(science.row_means), of.__call__):
        with pytest.raises(TypeError):
            dotted_name(nameless)
