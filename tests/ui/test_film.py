"""The film: what it takes, what it refuses, what it gives back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlviz.ui.components import FOLDER, film, script


def page():
    import numpy as np
    import streamlit as st

    from dlviz.ui.components.film import film

    grey = np.arange(5 * 4 * 6, dtype=np.uint8).reshape(5, 4, 6)
    colour = np.zeros((2, 8, 8, 3), np.uint8)
    told = film(grey, key="a", labels=[str(i) for i in range(5)], title="Five", index=2, report=True)
    st.session_state["answer"] = (told, film(colour, key="b"), film(grey[:1], key="c", strip=False))


def test_the_film_begins_where_it_is_told_and_says_nothing_unasked():
    test = AppTest.from_function(page).run(timeout=60)
    assert not test.exception
    assert test.session_state["answer"] == (2, None, None)


@pytest.mark.parametrize(
    ("frames", "labels"),
    [
        (np.zeros((0, 4, 4), np.uint8), ()),
        (np.zeros((3, 4, 4), np.float32), ()),
        (np.zeros((4, 4), np.uint8), ()),
        (np.zeros((2, 4, 4, 4), np.uint8), ()),
        (np.zeros((5000, 30, 30), np.uint8), ()),
        (np.zeros((3, 4, 4), np.uint8), ("one", "two")),
    ],
)
def test_what_is_no_film_is_an_error(frames, labels):
    with pytest.raises(ValueError):
        film.film(frames, key="x", labels=labels)


def test_every_word_and_every_element_that_the_script_asks_for_is_there(monkeypatch):
    monkeypatch.setattr("dlviz.ui.components.film._", lambda message: message)
    source = (FOLDER / "film.js").read_text("utf-8")
    assert set(re.findall(r"words\.(\w+)", source)) <= set(film._words())
    assert {"back", "forward", "play", "pause", "loop"} <= set(film._words())
    for name in re.findall(r'find\("(\w+)"\)', source):
        assert f'class="{name}"' in film.HTML, name


def test_the_script_brings_the_reader_of_its_bytes():
    assert script("film", after=("pictures",)).count("export function decode") == 1
