"""The figures of words and graphs: what is drawn is what was measured, and no word is read as HTML."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from dlviz.figures import embeddings, graphs
from dlviz.graphs.results import BiasGrid, Comparison, EmbeddingScore
from dlviz.language import word_questions, word_vectors
from dlviz.language.word_vectors import WordVectors

RNG = np.random.default_rng(0)
WORDS = ("<b>bold</b>", "a & b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l")
STORE = WordVectors(WORDS, RNG.normal(size=(12, 8)).astype(np.float32))


def whole(figure: go.Figure) -> str:
    """Drawing the figure to JSON is what the page does; it fails on what Plotly does not take."""
    text = str(figure.to_json())
    assert '<b>bold</b>"' not in text
    return text


def test_the_bars_are_the_cosines() -> None:
    found = word_vectors.neighbours(STORE, "c", count=5)
    figure = embeddings.ranking(found.words, found.cosine, hover=[""] * 5, axis="cosine")
    np.testing.assert_allclose(figure.data[0].x, found.cosine)
    assert list(figure.data[0].customdata) == list(found.words)
    whole(figure)


def test_words_of_the_question_stand_apart_in_another_colour() -> None:
    found = word_questions.analogy(STORE, "<b>bold</b>", "a & b", "c", count=4)
    figure = embeddings.ranking(
        (*found.words, *found.question), [*found.cosine, *found.own], hover=[""] * 7, axis="x", pale=3
    )
    assert figure.data[0].marker.color[0] == embeddings.ANSWER
    assert set(figure.data[0].marker.color[-3:]) == {embeddings.OTHER}
    assert figure.data[0].y[4] - figure.data[0].y[3] > 1.5
    assert "&lt;b&gt;bold" in whole(figure)


def test_the_parallelogram_has_four_true_corners() -> None:
    found = word_questions.analogy(STORE, "<b>bold</b>", "a & b", "c", count=4)
    figure = embeddings.parallelogram(found.plane, target="b − a + c")
    a, b, c = found.plane.points[:3]
    np.testing.assert_allclose(found.plane.target, b - a + c, atol=1e-6)
    first, second = figure.data[0], figure.data[1]
    np.testing.assert_allclose(
        [first.x[1] - first.x[0], first.y[1] - first.y[0]],
        [second.x[1] - second.x[0], second.y[1] - second.y[0]],
        atol=1e-6,
    )
    assert figure.layout.yaxis.scaleanchor == "x"
    whole(figure)


def test_an_axis_shows_each_word_at_its_place_and_where_most_words_stand() -> None:
    found = word_questions.semantic_axis(STORE, ("c",), ("d", "e"), ("f", "g", "<b>bold</b>"))
    figure = embeddings.axis(found, poles=("c", "d"), title="cosine")
    words = figure.data[-1]
    assert list(words.x) == sorted(found.places.tolist())
    band = figure.layout.shapes[0]
    assert (band.x0, band.x1) == pytest.approx((found.mean - found.spread, found.mean + found.spread))
    whole(figure)


def test_an_axis_without_words_shows_its_poles() -> None:
    found = word_questions.semantic_axis(STORE, ("c",), ("d",), ())
    whole(embeddings.axis(found, poles=("c", "d"), title="cosine"))


def test_a_group_is_as_large_as_it_has_words() -> None:
    found = word_questions.clusters(STORE, groups=3)
    figure = embeddings.tiles(found, size="words", cohesion="cosine")
    assert list(figure.data[0]["values"]) == found.sizes.tolist()
    whole(figure)


def test_labels_of_equal_places_go_to_different_sides() -> None:
    places = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    sides = embeddings._sides(places, ("one", "two", "three"), 400)
    assert sides[0] != sides[1]


def test_a_picture_of_nodes_has_its_edges_and_names() -> None:
    places = RNG.normal(size=(12, 2)).astype(np.float32)
    figure = graphs.nodes(places, np.arange(12) % 3, names=WORDS, edges=np.array([[0, 1], [2, 3]]))
    assert len(figure.data[0].x) == 6 and np.isnan(figure.data[0].x[2])
    assert len(figure.layout.images) == 1
    assert "&lt;b&gt;bold" in whole(figure)


def test_a_large_picture_names_no_node() -> None:
    places = RNG.normal(size=(500, 2)).astype(np.float32)
    figure = graphs.nodes(places, np.zeros(500, int), names=[str(i) for i in range(500)])
    assert figure.data[0].text is None


def score(method: str, auc: float) -> EmbeddingScore:
    curve = np.array([0.0, 0.5, 1.0])
    return EmbeddingScore(method, auc, 0.02, curve, curve, auc / 2)  # type: ignore[arg-type]


def test_the_comparison_shows_means_and_spreads() -> None:
    found = Comparison((score("node2vec", 0.8), score("spectral", 0.7), score("random", 0.5)), 10, 40, 3)
    figure = graphs.comparison(found, names=["a", "b", "c"], titles=("x", "y"), guess="0.5")
    assert list(figure.data[0].x) == [0.8, 0.7, 0.5]
    assert list(figure.data[0].error_x.array) == [0.02] * 3
    assert list(figure.data[1].x) == [0.4, 0.35, 0.25]
    whole(figure)
    whole(graphs.roc(found, names=["a", "b", "c"], axes=("x", "y")))


def test_the_grid_writes_the_spread_beside_each_mean() -> None:
    grid = np.arange(9.0).reshape(3, 3) / 10
    values = np.array([0.25, 1.0, 4.0])
    found = BiasGrid(values, values, grid, grid / 10, grid[::-1], grid / 10, 3)
    figure = graphs.bias_grid(found, labels=["0,25", "1", "4"], titles=("communities", "roles"), name="NMI")
    assert (figure.data[0].z[2][2], figure.data[0].customdata[2][2]) == (0.8, 0.08)
    assert figure.data[0].texttemplate == "%{z:.2f} ± %{customdata:.2f}"
    assert list(figure.layout.xaxis2.ticktext) == ["0,25", "1", "4"]
    whole(figure)


def test_reach_has_a_line_a_kind_and_a_quantity() -> None:
    line = np.arange(5.0)
    figure = graphs.reach(["a", "b"], [line, line], [line, line], titles=("d", "n"), axis="step")
    assert len(figure.data) == 4
    whole(figure)
