"""Whatever the bytes are: a valid Photo or a Refused, and memory within a bound."""

from __future__ import annotations

import resource
import sys
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlviz.errors import Refused
from dlviz.intake import WORKING_SIDE, photo
from tests.intake.pictures import SAVED, example

FILES = {kind: example(kind) for kind in SAVED}
BOUND = 600 << 20
slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of broken metadata
        try:
            taken = photo(data, "file")
        except Refused as refusal:
            assert str(refusal)
            return
    assert taken.pixels.dtype == np.uint8
    assert taken.pixels.ndim == 3
    assert taken.pixels.shape[2] == 3
    assert min(taken.pixels.shape[:2]) >= 1
    assert max(taken.pixels.shape[:2]) <= WORKING_SIDE


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


@pytest.fixture(scope="module", autouse=True)
def memory_bound():
    before = _peak()
    yield
    assert _peak() - before < BOUND


edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12)


@pytest.mark.parametrize("kind", FILES)
@slow
@given(changes=edits)
def test_changed_bytes(kind, changes):
    data = bytearray(FILES[kind])
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    check(bytes(data))


@pytest.mark.parametrize("kind", FILES)
@slow
@given(changes=edits)
def test_changed_headers(kind, changes):
    data = bytearray(FILES[kind])
    for place, value in changes:
        data[int(place * min(len(data) - 1, 120))] = value
    check(bytes(data))


@pytest.mark.parametrize("kind", FILES)
@slow
@given(start=st.floats(0, 1), length=st.floats(0, 1), junk=st.binary(max_size=40))
def test_pieces_cut_out_and_junk_put_in(kind, start, length, junk):
    data = FILES[kind]
    begin = int(start * len(data))
    end = begin + int(length * (len(data) - begin))
    check(data[:begin] + junk + data[end:])


@slow
@given(first=st.sampled_from(sorted(FILES)), second=st.sampled_from(sorted(FILES)), place=st.floats(0, 1))
def test_the_head_of_one_on_the_tail_of_another(first, second, place):
    head, tail = FILES[first], FILES[second]
    check(head[: int(place * len(head))] + tail[int(place * len(tail)) :])


@slow
@given(kind=st.sampled_from(sorted(FILES)), body=st.binary(max_size=400))
def test_a_true_beginning_on_anything(kind, body):
    check(FILES[kind][:16] + body)


@slow
@given(data=st.binary(max_size=600))
def test_anything(data):
    check(data)


@slow
@given(data=st.text(max_size=300))
def test_any_text(data):
    check(data.encode("utf-8", "surrogatepass"))
