"""The graph components: what they send to the browser, and what the browser makes of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlviz.graphs import graph_samples, walks
from dlviz.ui.components import FOLDER, graph_twins, script, walk_stepper

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def page():
    import numpy as np

    from dlviz.graphs import graph_samples, layout, walks
    from dlviz.ui.components.graph_twins import graph_twins
    from dlviz.ui.components.walk_stepper import Drawing, walk_stepper

    graph = graph_samples.sample("karate")
    nodes = np.arange(graph.nodes)
    drawing = Drawing(
        nodes, layout.layout(graph).positions, graph.names(), graph.edge_list(), False, graph.weighted
    )
    walk_stepper("walker", drawing, walks.record_walk(graph, 33, 12, 1.0, 0.5), n=4)
    graph_twins(
        "twins",
        drawing,
        np.ones((34, 2)),
        group=np.zeros(34, int),
        groups=["all"],
        titles=("a", "b"),
        chosen=3,
        near=[5, 99],
    )


def sent(app: AppTest, field: str) -> dict:
    for element in app.get("bidi_component"):
        proto = element.proto
        data = json.loads(proto.mixed.json if proto.WhichOneof("data") == "mixed" else proto.json)
        if field in data:
            return data
    raise AssertionError(field)


def test_every_step_of_the_walk_is_sent_with_its_exact_chances() -> None:
    app = AppTest.from_function(page).run(timeout=60)
    assert not app.exception
    data = sent(app, "walk")
    graph = graph_samples.sample("karate")
    walk = walks.record_walk(graph, 33, 12, 1.0, 0.5)
    assert data["walk"] == walk.nodes.tolist() and data["n"] == 4
    for told, step, after in zip(data["steps"], walk.steps, walk.nodes[1:], strict=True):
        assert [row["node"] for row in told["rows"] if row["chosen"]] == [after]
        chances = dict(zip(step.nodes.tolist(), step.probability.tolist(), strict=True))
        assert all(row["probability"] == pytest.approx(chances[row["node"]]) for row in told["rows"])
        assert sum(row["probability"] for row in told["rows"]) + told["rest"] == pytest.approx(1)
        chosen = next(row for row in told["rows"] if row["chosen"])
        assert chosen["from"] <= told["draw"] <= chosen["from"] + chosen["probability"] + 1e-12


def test_of_many_candidates_the_likeliest_are_listed_and_the_chosen_one() -> None:
    graph = graph_samples.sample("karate")
    step = walks.step_candidates(graph, 0, 33, 1.0, 4.0)
    least = int(step.nodes[step.probability.argmin()])
    rows = walk_stepper.listed(step, least)
    assert len(rows) == walk_stepper.MOST_ROWS
    assert least in step.nodes[rows]
    best = np.sort(step.probability)[::-1][: walk_stepper.MOST_ROWS - 1]
    assert np.sort(step.probability[rows])[::-1][: walk_stepper.MOST_ROWS - 1] == pytest.approx(best)


def test_near_nodes_that_are_not_drawn_are_left_out() -> None:
    app = AppTest.from_function(page).run(timeout=60)
    data = sent(app, "vectors")
    assert data["chosen"] == 3 and data["near"] == [5]


@pytest.mark.parametrize(("name", "module"), [("walk_stepper", walk_stepper), ("graph_twins", graph_twins)])
def test_every_element_that_the_script_asks_for_is_there(name, module) -> None:
    source = (FOLDER / f"{name}.js").read_text("utf-8")
    asked = re.findall(r'find\("(\w+)"\)', source)
    assert asked
    for part in asked:
        assert re.search(rf'class="([\w-]+ )*{part}( [\w-]+)*"', module.HTML), part


def test_every_word_of_the_walk_is_there(monkeypatch) -> None:
    monkeypatch.setattr("dlviz.ui.components.walk_stepper._", lambda message, **values: message)
    source = (FOLDER / "walk_stepper.js").read_text("utf-8")
    assert set(re.findall(r"words\.(\w+)", source)) <= set(walk_stepper._words())
    assert {"first", "step_back", "play", "pause", "forward", "last"} <= set(walk_stepper._words())


NODE = """
import { readFileSync } from "node:fs";
import { visits } from "./walk.mjs";
import { within } from "./twins.mjs";
import { neighbourhoods, blend } from "./twins.mjs";
const { points, lasso } = JSON.parse(readFileSync("in.json", "utf8"));
console.log(JSON.stringify({
  visits: visits([0, 2, 0, 1], 2, 4),
  inside: within(lasso, points.length, (i) => points[i]),
  around: neighbourhoods(4, [0, 1, 1, 2]),
  half: blend("#000000", "#ffffff", 0.5),
}));
"""


@needs_node
def test_the_browser_counts_visits_and_finds_what_a_lasso_holds(tmp_path) -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(-2, 2, (300, 2))
    lasso = [[0, -1.5], [1.5, 0], [0, 1.5], [-1.5, 0], [0, -0.2]]
    (tmp_path / "walk.mjs").write_text(script("walk_stepper", after=("graph_canvas",)), "utf-8")
    (tmp_path / "twins.mjs").write_text(script("graph_twins", after=("graph_canvas",)), "utf-8")
    (tmp_path / "in.json").write_text(json.dumps({"points": points.tolist(), "lasso": lasso}))
    (tmp_path / "run.mjs").write_text(NODE, "utf-8")
    done = subprocess.run(["node", "run.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["visits"] == [2, 0, 1, 0]
    assert told["around"] == [[1], [0, 2], [1], []]
    assert told["half"] == "rgb(128,128,128)"
    from matplotlib.path import Path

    expected = np.flatnonzero(Path([*lasso, lasso[0]]).contains_points(points))
    assert 20 < len(expected) < 200
    assert told["inside"] == expected.tolist()
