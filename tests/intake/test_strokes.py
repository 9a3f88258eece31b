"""A drawing in letters: what is written is read again, what is no drawing is refused, and ink is where it should be."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlviz.errors import Refused
from dlviz.intake import strokes
from dlviz.intake.strokes import Stroke

PLACES = st.tuples(st.integers(0, 255), st.integers(0, 255))
STROKES = st.builds(
    Stroke,
    points=st.lists(PLACES, min_size=1, max_size=40).map(tuple),
    width=st.integers(0, 31).map(lambda n: 4 + 2 * n),
    eraser=st.booleans(),
)
HOSTILE = st.text() | st.text(string.ascii_letters + string.digits + "-_~.", max_size=300)


@given(st.lists(STROKES, max_size=8).map(tuple))
def test_what_is_written_is_read_again(drawing):
    code = strokes.write(drawing)
    assert strokes.read(code) == drawing
    assert set(code) <= set(strokes.LETTERS + "~.")


@given(HOSTILE)
def test_whatever_a_link_says_is_a_drawing_or_refused(code):
    try:
        drawing = strokes.read(code)
    except Refused:
        return
    assert all(0 <= x < 256 and 0 <= y < 256 for stroke in drawing for x, y in stroke.points)
    assert strokes.draw(drawing, 28).shape == (28, 28)


@given(st.lists(STROKES, min_size=1, max_size=4).map(tuple), st.data())
def test_a_code_that_was_cut_is_never_an_error_of_ours(drawing, data):
    code = strokes.write(drawing)
    cut = code[: data.draw(st.integers(0, len(code)))]
    try:
        assert all(stroke.points for stroke in strokes.read(cut))
    except Refused as refusal:
        assert "stays" in refusal.message


def test_the_code_by_hand():
    """Width 22 is letter J; x = 10 and y = 5 are 10 * 512 + 5 = 1 * 4096 + 16 * 64 + 5; a step of (+1, -2) is h, e."""
    line = Stroke(((10, 5), (11, 3), (200, 3)), 22)
    assert strokes.write([line]) == "JBQFhe" + "~ZAD"
    assert strokes.read("JBQFhe~ZAD") == (line,)
    assert strokes.read("pBQF") == (Stroke(((10, 5),), 22, eraser=True),)


@pytest.mark.parametrize(
    "code",
    [
        "A",
        "JQI",
        "JQIw~A",
        "JQIwp",
        "J___",
        "JAAAAA",
        ".",
        "JQIw..JQIw",
        "JQIw JQIw",
        "JQIw" + "AA" * 20_000,
        ".".join(["JQIw"] * 501),
        "é" * 8,
    ],
)
def test_what_is_no_drawing_is_refused(code):
    with pytest.raises(Refused):
        strokes.read(code)


def test_ink_is_white_and_as_wide_as_the_pen():
    line = strokes.draw([Stroke(((32, 128), (224, 128)), 32)], 64)
    assert line.dtype == np.uint8 and line.max() == 255 and line[0, 0] == 0
    column = line[:, 32].astype(float) / 255
    assert column.sum() == pytest.approx(32 / 4, abs=0.3)
    assert (column * np.arange(64)).sum() / column.sum() == pytest.approx(128.5 / 4 - 0.5, abs=0.15)
    assert line[32, 5] > 0 and line[32, 61] == 0 and line[32, 2] == 0


def test_a_dot_is_round():
    dot = strokes.draw([Stroke(((128, 128),), 64)], 128).astype(float) / 255
    assert dot.sum() == pytest.approx(np.pi * 16**2, rel=0.03)


def test_the_eraser_takes_ink_away_and_the_order_counts():
    pen, eraser = Stroke(((60, 60), (200, 200)), 22), Stroke(((200, 60), (60, 200)), 40, eraser=True)
    assert strokes.draw([pen, eraser])[56, 56] == 0
    assert strokes.draw([eraser, pen])[56, 56] == 255
    assert not strokes.draw([]).any()
