"""The canvas: the browser's letters are Python's, the link is the drawing, and what cannot be read changes nothing."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlviz.intake import strokes
from dlviz.intake.strokes import Stroke
from dlviz.ui.components import FOLDER, drawing, script

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

RING = strokes.write([Stroke(((128, 40), (200, 128), (128, 216), (56, 128), (128, 40)), 22)])

NODE = """
import { readFileSync } from "node:fs";
import { decode, encode, settle, simplify } from "./drawing.mjs";
const { drawings, scribbles, room } = JSON.parse(readFileSync("in.json", "utf8"));
console.log(JSON.stringify({
  encoded: drawings.map(encode),
  again: drawings.map((drawing) => encode(decode(encode(drawing)))),
  settled: scribbles.map((drawing) => encode(settle(drawing, room))),
  line: simplify([[0, 0], [1, 0.2], [2, 0], [3, 9], [4, 0]], 1),
}));
"""


def in_node(folder, told):
    (folder / "drawing.mjs").write_text(script("drawing"), "utf-8")
    (folder / "in.json").write_text(json.dumps(told), "utf-8")
    (folder / "run.mjs").write_text(NODE, "utf-8")
    done = subprocess.run(["node", "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def random_drawing(dice):
    count = dice.randint(1, 5)
    points = [
        tuple((dice.randrange(256), dice.randrange(256)) for _ in range(dice.randint(1, 30)))
        for _ in range(count)
    ]
    return [Stroke(own, 4 + 2 * dice.randrange(32), dice.random() < 0.3) for own in points]


def scribble(dice, count):
    """What a hand gives: many points, close together, between the cells of the grid."""
    x, y, raw = 128.0, 128.0, []
    for _ in range(count):
        x, y = (min(max(value + dice.gauss(0, 3), 0), 255.9) for value in (x, y))
        raw.append([x, y])
    return {"raw": raw, "points": raw[:1], "width": 22, "eraser": False}


@needs_node
def test_the_browser_writes_the_letters_that_python_reads(tmp_path):
    dice = random.Random(0)
    drawings = [random_drawing(dice) for _ in range(50)]
    scribbles = [[scribble(dice, count)] for count in (1, 2, 60, 300)]
    as_json = [[{"points": s.points, "width": s.width, "eraser": s.eraser} for s in d] for d in drawings]
    told = in_node(tmp_path, {"drawings": as_json, "scribbles": scribbles, "room": drawing.IN_LINK})
    assert told["encoded"] == [strokes.write(own) for own in drawings] == told["again"]
    assert told["line"] == [[0, 0], [2, 0], [3, 9], [4, 0]]
    for code, (own,) in zip(told["settled"], scribbles, strict=True):
        assert len(code) <= drawing.IN_LINK
        (read,) = strokes.read(code)
        raw = np.array(own["raw"])
        inner = np.array([[_distance(point, read.points) for point in raw]])
        assert inner.max() < 3.2 + 1.5


def _distance(point, line):
    places = np.array(line, float) + 0.5
    if len(places) == 1:
        return float(np.hypot(*(places[0] - point)))
    starts, along = places[:-1], np.diff(places, axis=0)
    share = np.clip(((point - starts) * along).sum(1) / np.maximum((along**2).sum(1), 1e-9), 0, 1)
    return float(np.hypot(*(starts + share[:, None] * along - point).T).min())


def page():
    import streamlit as st

    from dlviz.ui.components import drawing

    st.session_state["picture"] = drawing.canvas("test_drawing", label="Draw", size=56)


def opened(link=None):
    test = AppTest.from_function(page)
    if link is not None:
        test.query_params["test_drawing"] = link
    return test.run(timeout=60)


def test_nothing_is_drawn_at_first():
    test = opened()
    assert not test.exception and test.session_state["picture"] is None and not test.warning


def test_a_link_gives_the_picture_without_a_browser():
    test = opened(RING)
    assert np.array_equal(test.session_state["picture"], strokes.draw(strokes.read(RING), 56))
    assert test.session_state["picture"].any()


@pytest.mark.parametrize("link", ["nan", "JQI", "<script>", "JQIw~A", "%00", "🙂" * 20, "." * 500])
def test_a_link_that_is_no_drawing_says_so_and_changes_nothing(link):
    test = opened(RING)
    before = test.session_state["picture"]
    test.session_state["test_drawing"] = link
    test.run()
    assert len(test.warning) == 1 and not test.exception
    assert np.array_equal(test.session_state["picture"], before)
    test.session_state["test_drawing"] = RING
    test.run()
    assert not test.warning


def test_the_drawing_of_a_link_that_holds_only_its_digest_is_not_here():
    test = opened("sha256:0123456789abcdef")
    assert len(test.info) == 1 and test.session_state["picture"] is None and not test.exception


def callback():
    """A page whose canvas has just told what the browser drew."""
    import streamlit as st

    from dlviz.ui.components import drawing

    told = st.session_state.pop("told", None)
    if told is not None:
        st.session_state["d_canvas"] = {"strokes": told}
        drawing._drawn("d")
        del st.session_state["d_canvas"]
    st.session_state["picture"] = drawing.canvas("d", label="Draw", size=28)
    st.session_state["link"] = st.session_state["d"]
    st.session_state["source"] = drawing.notebook_source("d", size=28).expression


def told(test, code):
    test.session_state["told"] = code
    return test.run(timeout=60)


def test_what_the_browser_draws_goes_into_the_link_and_a_long_one_by_its_digest():
    test = AppTest.from_function(callback).run(timeout=60)
    told(test, RING)
    assert test.session_state["link"] == RING and test.session_state["picture"].any()
    assert eval(test.session_state["source"], {"strokes": strokes}).any()
    dice = random.Random(1)
    long = strokes.write([Stroke(tuple((dice.randrange(256), dice.randrange(256)) for _ in range(400)), 6)])
    told(test, long)
    assert re.fullmatch("sha256:[0-9a-f]{16}", test.session_state["link"])
    assert np.array_equal(test.session_state["picture"], strokes.draw(strokes.read(long), 28))
    test.run()
    assert np.array_equal(test.session_state["picture"], strokes.draw(strokes.read(long), 28))
    assert "d_turn" not in test.session_state  # nothing that the canvas itself told is put onto it again
    told(test, "")
    assert test.session_state["link"] == "" and test.session_state["picture"] is None


@pytest.mark.parametrize("hostile", ["J" * 30_000, 7, ["JQIw"], {"a": 1}, "NaN", "JQIw" + ".JQIw" * 600])
def test_what_no_canvas_draws_is_refused(hostile):
    test = AppTest.from_function(callback).run(timeout=60)
    told(test, RING)
    told(test, hostile)
    assert len(test.warning) == 1 and not test.exception
    assert test.session_state["link"] == RING and test.session_state["picture"].any()


def test_every_word_and_every_element_that_the_script_asks_for_is_there(monkeypatch):
    monkeypatch.setattr("dlviz.ui.components.drawing._", lambda message: message)
    source = (FOLDER / "drawing.js").read_text("utf-8")
    words = {*drawing._words(), "label"}
    assert set(re.findall(r"words\.(\w+)", source)) <= words
    assert {"pen", "eraser", "undo", "redo", "clear"} <= words
    for name in re.findall(r'(?:find|querySelector)\("\.(\w+)"\)', source):
        assert f'class="{name}"' in drawing.HTML, name
