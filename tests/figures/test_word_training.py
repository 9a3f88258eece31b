"""Figures of word training hold what they are given, whatever the words and wherever the vectors."""

from __future__ import annotations

import numpy as np
import pytest

from dlviz.figures import word_training as figures
from dlviz.language import word_step
from dlviz.language.word_step_results import StepPlane, Weights
from dlviz.language.word_training_results import WordFrame

NASTY = "<b onclick=x>"


def _frame(words: int = 40, losses: int = 3) -> WordFrame:
    draw = np.random.default_rng(0)
    return WordFrame(
        done=1,
        total=2,
        epochs=np.arange(losses) / 2,
        losses=np.linspace(4, 2, losses),
        words_per_second=1.0,
        words=(NASTY, *(f"word{i}" for i in range(words - 1))),
        positions=draw.standard_normal((words, 2)).astype(np.float32) * 0.3,
        frequencies=np.arange(words, 0, -1),
        watched=(NASTY, "word5"),
        near=(("word1",), ("word2",)),
        cosine=np.zeros((2, 1)),
    )


def test_the_map_shows_every_word_and_escapes_it() -> None:
    frame = _frame()
    made = figures.word_map(frame, hover="used")
    assert sum(len(trace.x) for trace in made.data) == 40
    labels = [one.text for one in made.layout.annotations]
    assert "<b>word5</b>" in labels and any("&lt;b onclick" in label for label in labels)
    assert not any("<b onclick" in str(text) for trace in made.data for text in trace.text)
    assert made.layout.xaxis.range[1] > np.abs(frame.positions).max()


def test_labels_that_nobody_asked_for_do_not_overlap() -> None:
    frame = _frame(300)
    chosen = figures._labels(frame, np.zeros(300, bool), 1.0, 500)
    places = frame.positions[chosen] * 250
    for i, (x, y) in enumerate(places):
        others = np.delete(places, i, 0)
        assert not ((np.abs(others[:, 0] - x) < 20) & (np.abs(others[:, 1] - y) < 14)).any()
    assert 5 < len(chosen) < 300


def test_the_loss_begins_beside_what_guessing_costs() -> None:
    made = figures.loss(_frame(losses=0), epochs=5, untrained=4.16, names=("a", "b"), axes=("x", "y"))
    assert list(made.data[0].y) == [4.16, 4.16] and len(made.data[1].x) == 0


@pytest.mark.parametrize(("method", "chosen"), [("skip-gram", 1), ("cbow", None)])
def test_every_word_of_the_window_has_its_box(method: str, chosen: int | None) -> None:
    drawing = figures.Drawing(NASTY, ("one", "two", "three"), (-2, -1, 1), chosen)
    made = figures.architecture(method, drawing, columns=("in", "mid", "out"), middle="h")  # type: ignore[arg-type]
    assert len(made.layout.shapes) == 5
    said = " ".join(str(one.text) for one in made.layout.annotations)
    assert "w(t−2)" in said and "w(t+1)" in said and "&lt;b onclick" in said
    arrows = [one for one in made.layout.annotations if one.showarrow]
    assert len(arrows) == 4
    # Input is on the left: one word of a skip-gram, three of CBOW.
    assert sum(one.ax < 1 for one in arrows) == (1 if method == "skip-gram" else 3)


def _plane(scale: float) -> StepPlane:
    draw = np.random.default_rng(0)
    weights = Weights(scale * draw.standard_normal((9, 4)), draw.standard_normal((9, 4)))
    return word_step.plane(
        word_step.step(weights, np.array([1, 2]), np.array([3, 4, 5]), 0.1, np.zeros(3), 0)
    )


def test_arrows_lead_where_the_step_leads() -> None:
    plane = _plane(1.0)
    made, scale = figures.moves(
        plane, inputs=("a", "b"), targets=("c", "d", "e"), hidden="h", axes=("x", "y")
    )
    assert scale.shorter == 1.0 and scale.longer >= 1.0
    arrow = [one for one in made.layout.annotations if one.showarrow][1]  # the right word's
    tip = plane.targets[0] + scale.longer * (plane.targets_after[0] - plane.targets[0])
    assert [arrow.x, arrow.y] == pytest.approx(tip) and [arrow.ax, arrow.ay] == pytest.approx(
        plane.targets[0]
    )
    assert figures.moves(_plane(12.0), inputs="ab", targets="cde", hidden="h", axes=("x", "y"))[1].shorter > 2


def test_vectors_of_zeros_are_drawn_too() -> None:
    weights = Weights(np.zeros((4, 3)), np.zeros((4, 3)))
    plane = word_step.plane(word_step.step(weights, np.array([0]), np.array([1, 2]), 0.1, np.zeros(2), 0))
    _, scale = figures.moves(plane, inputs=("a",), targets=("b", "c"), hidden="h", axes=("x", "y"))
    assert scale == figures.Scale(1.0, 1.0)


def test_names_of_points_in_one_place_share_a_label() -> None:
    weights = Weights(np.eye(4), np.zeros((4, 4)))
    plane = word_step.plane(word_step.step(weights, np.array([0]), np.array([1, 2, 3]), 0.1, np.zeros(3), 0))
    made, _ = figures.moves(plane, inputs=("a",), targets=("b", "c", NASTY), hidden="h", axes=("x", "y"))
    labels = [one.text for one in made.layout.annotations if one.text]
    assert labels == ["<b>h</b>", "<b>b</b>", "<b>c, &lt;b onclick=x&gt;</b>"]


def test_noise_cost_and_softmax() -> None:
    shares = np.array([0.5, 0.3, 0.2])
    made = figures.noise(shares, shares[::-1], [(2, NASTY)], names=("a", "b", "c"), axes=("x", "y"))
    assert list(made.data[2].x) == [3] and "&lt;b" in made.data[2].text[0]
    many = np.sort(np.random.default_rng(0).random(50_000))[::-1]
    assert len(figures.noise(many, many, [], names=("a", "b", "c"), axes=("x", "y")).data[0].x) <= 200
    weights = Weights(np.eye(9), np.eye(9))
    found = word_step.step(weights, np.array([3]), np.array([8, 1]), 0.1, np.zeros(2), 0).softmax
    assert 8 in found.rows and len(found.rows) == 8
    words = [NASTY] * 8
    bars = figures.softmax(found, words, right=7, names=("a", "b"), axis="p")
    assert bars.layout.yaxis.ticktext[7].startswith("<b>&lt;b")
    both = np.array([10.0, 100.0])
    made = figures.cost(both, 3 * both, both, [(10.0, 30.0, "here")], names=("a", "b"), axes=("x", "y"))
    assert made.layout.xaxis.type == made.layout.yaxis.type == "log"
