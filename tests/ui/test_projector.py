"""The projector's arithmetic under node beside numpy's, and what a hostile browser may send."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlviz.figures.palette import CLASSES
from dlviz.ui.components import projector, script

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

NODE = """
import { readFileSync } from "node:fs";
import * as p from "./projector.mjs";
const { points, flat, line, names, queries, boxes, rows, colours } = JSON.parse(readFileSync("in.json", "utf8"));
const places = p.framed(Float32Array.from(points.flat()), 3);
const plane = p.framed(Float32Array.from(flat.flat()), 2);
const turn = p.turned(p.turned([1, 0, 0, 0, 1, 0, 0, 0, 1], 0.7, -0.4), -2.1, 1.3);
const view = { dims: 3, centre: [0.1, -0.2, 0.05], zoom: 1.5, turn };
const screen = [...p.onScreen(places, p.lens(view, 800, 600), 800, 600, new Float32Array(places.length))];
const eye = { dims: 2, centre: [0.3, 0.1, 0], zoom: 2, turn };
const flatScreen = [...p.onScreen(plane, p.lens(eye, 800, 600), 800, 600, new Float32Array(plane.length))];
const hidden = new Uint8Array(points.length);
hidden[3] = 1;
const shelf = new p.Shelf(800, 600);
let many = turn;
for (let i = 0; i < 5000; i++) many = p.turned(many, 0.013, 0.007);
const behind = p.onScreen(Float32Array.from([0, 0, 9]), p.lens({ ...view, centre: [0, 0, 0], turn: [1, 0, 0, 0, 1, 0, 0, 0, 1] }, 800, 600), 800, 600, new Float32Array(3));
console.log(JSON.stringify({
  places: [...places], turn, many, screen, flatScreen, behind: [...behind].map((x) => (Number.isNaN(x) ? null : x)),
  lassoed: p.lassoed(screen, hidden, line),
  nearest: [p.pointAt(screen, hidden, 400, 300, 1e4), p.pointAt(screen, hidden, -1e4, 0, 10)],
  kept: boxes.map((box) => shelf.take(...box)),
  found: queries.map((query) => p.matches(names.map(p.folded), query)),
  bits: rows.map(([some, count]) => p.bits(some, count)),
  rgb: colours.map(p.rgb),
  one: [...p.framed(Float32Array.from([5, 7]), 2)],
}));
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("projector")
    rng = np.random.default_rng(0)
    given = {
        "points": (rng.normal(size=(300, 3)) * [1, 2, 0.5] + 7).astype(np.float32).tolist(),
        "flat": (rng.normal(size=(300, 2)) * 50).astype(np.float32).tolist(),
        "line": [[300, 150], [560, 200], [500, 420], [380, 300], [290, 400]],
        "names": ["École", "ecole", "the schoolmaster", "Éc", "x", ""],
        "queries": ["ecole", "ÉC", "  ", "master", "zzz"],
        "boxes": boxes(),
        "rows": [[[0, 7, 8, 63], 64], [[], 9], [list(range(0, 50_000, 3)), 50_000]],
        "colours": ["#39699b", "rgb(1, 2, 3)", "rgba(4, 5, 6, 0.5)"],
    }
    (folder / "in.json").write_text(json.dumps(given))
    (folder / "projector.mjs").write_text(script("projector_geometry"), "utf-8")
    (folder / "run.mjs").write_text(NODE, "utf-8")
    done = subprocess.run(["node", "run.mjs"], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return given, json.loads(done.stdout)


def boxes():
    """Boxes on a picture of 800 by 600, some of them beyond its edge."""
    rng = np.random.default_rng(1)
    corners = rng.uniform([-50, -50], [800, 600], size=(400, 2))
    return np.hstack([corners, corners + rng.uniform([20, 8], [160, 18], size=(400, 2))]).tolist()


@needs_node
def test_most_points_lie_between_minus_one_and_one(told):
    given, found = told
    points, places = np.array(given["points"]), np.array(found["places"]).reshape(-1, 3)
    assert (np.abs(places) < 1.1).mean() > 0.99 and np.abs(places).max() > 0.9
    scale = np.ptp(points, axis=0) / np.ptp(places, axis=0)
    np.testing.assert_allclose(scale, scale[0], rtol=1e-3)  # one scale for all axes: nothing is bent
    assert found["one"] == [0, 0, 0]


@needs_node
def test_the_lens_is_a_camera_that_looks_at_the_centre(told):
    _given, found = told
    places = np.array(found["places"]).reshape(-1, 3)
    turn = np.array(found["turn"]).reshape(3, 3)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(
        np.array(found["many"]).reshape(3, 3) @ np.array(found["many"]).reshape(3, 3).T, np.eye(3), atol=1e-9
    )
    seen = (places - [0.1, -0.2, 0.05]) @ turn.T
    far = 1 / (0.7 * 1.5)
    depth = far - seen[:, 2]
    unit = 0.46 * 600 / 0.7
    depth[depth <= 1e-4] = np.nan  # behind the eye
    expected = np.stack([400 + unit * seen[:, 0] / depth, 300 - unit * seen[:, 1] / depth, depth], axis=1)
    screen = np.array(found["screen"], float).reshape(-1, 3)
    np.testing.assert_allclose(screen[:, :2], expected[:, :2], rtol=1e-3, atol=0.05)
    assert found["behind"][:2] == [None, None]


@needs_node
def test_the_plane_is_seen_straight(told):
    given, found = told
    flat = np.array(given["flat"])
    screen = np.array(found["flatScreen"]).reshape(-1, 3)
    assert np.corrcoef(flat[:, 0], screen[:, 0])[0, 1] == pytest.approx(1)
    assert np.corrcoef(flat[:, 1], screen[:, 1])[0, 1] == pytest.approx(-1)
    assert np.ptp(screen[:, 0]) / np.ptp(flat[:, 0]) == pytest.approx(
        np.ptp(screen[:, 1]) / np.ptp(flat[:, 1])
    )


@needs_node
def test_lasso_and_pointing(told):
    from matplotlib.path import Path

    given, found = told
    screen = np.array(found["screen"], float).reshape(-1, 3)
    inside = Path(given["line"]).contains_points(screen[:, :2])
    inside[3] = False  # hidden
    assert found["lassoed"] == np.flatnonzero(inside).tolist() and len(found["lassoed"]) > 5
    apart = np.hypot(screen[:, 0] - 400, screen[:, 1] - 300)
    apart[3] = np.inf
    assert found["nearest"] == [int(np.nanargmin(apart)), -1]


@needs_node
def test_labels_do_not_overlap_and_none_is_left_out_needlessly(told):
    given, found = told
    kept = []
    for (left, top, right, bottom), taken in zip(given["boxes"], found["kept"], strict=True):
        inside = left >= 0 and top >= 0 and right <= 800 and bottom <= 600
        free = all(right <= a or left >= c or bottom <= b or top >= d for a, b, c, d in kept)
        assert taken == (inside and free)
        if taken:
            kept.append((left, top, right, bottom))
    assert 30 < len(kept) < 300


@needs_node
def test_search_knows_no_accents_and_puts_beginnings_first(told):
    _given, found = told
    assert found["found"] == [[0, 1], [3, 0, 1], [], [2], []]


@needs_node
def test_selected_rows_and_colours_arrive_as_they_left(told):
    given, found = told
    for (rows, count), bits in zip(given["rows"], found["bits"], strict=True):
        told_back = projector._selected({"set": "a", "bits": bits}, "a", count)
        assert told_back.tolist() == rows
    assert found["rgb"] == [[57, 105, 155], [1, 2, 3], [4, 5, 6]]


@given(
    st.none()
    | st.integers()
    | st.dictionaries(
        st.sampled_from(["set", "bits", "count"]),
        st.text() | st.integers() | st.none() | st.lists(st.integers()),
    )
    | st.builds(lambda raw: {"set": "a", "bits": base64.b64encode(raw).decode()}, st.binary(max_size=40))
)
def test_whatever_a_browser_sends_selects_rows_that_are_there(sent):
    rows = projector._selected(sent, "a", 50)
    assert ((rows >= 0) & (rows < 50)).all() and len(np.unique(rows)) == len(rows)


def unpack(block):
    (length,) = struct.unpack_from("<I", block)
    header = json.loads(block[4 : 4 + length])
    told = {}
    for name, array in header["arrays"].items():
        kind = {"f4": np.float32, "i4": np.int32, "u1": np.uint8}[array["type"]]
        told[name] = np.frombuffer(block, kind, int(np.prod(array["shape"])), 4 + length + array["offset"])
    return header, told


def test_colours_as_one_byte_a_point():
    header, told = unpack(
        projector._paint(projector.Categories("kind", np.array([0, 2, -1, 300]), ["a", "b", "c"]), 4)
    )
    assert header["kind"] == "categories" and header["colours"] == list(CLASSES[:3])
    assert told["codes"].tolist() == [0, 2, 255, 255]
    steps = [str(step) for step in range(255)]
    header, told = unpack(
        projector._paint(projector.Values("size", np.array([0, 1, 0.5, np.nan, 7]), steps), 5)
    )
    assert (header["low"], header["high"]) == ("0", "254")
    assert told["codes"].tolist() == [0, 254, 127, 255, 254]


def test_a_name_with_line_feeds_stays_one_name():
    _header, told = unpack(projector._block(["a\nb", "", "c\td"], None))
    assert bytes(told["names"]).decode().split("\n") == ["a b", "", "c d"]
    assert (np.diff(told["priority"]) < 0).all()


def test_shaders_and_page_are_one_source_without_imports():
    source = script("projector", after=("pictures", "depot", "projector_geometry", "projector_card"))
    assert not [line for line in source.splitlines() if line.startswith("import ")]
    assert source.count("export default") == 1
