"""The bundled word vectors as they are shipped: what their cards promise, and what the lesson shows with them."""

from __future__ import annotations

import numpy as np
import pytest
from gensim.models import KeyedVectors

from dlviz import zoo
from dlviz.language import word_questions, word_vectors
from dlviz.language.word_vectors import WordVectors
from dlviz.recipes import word_quality

NAMES = ("words-en", "words-fr")


@pytest.mark.parametrize("name", NAMES)
def test_a_language_has_its_words_and_dimensions(name: str) -> None:
    vectors = zoo.load(name)
    assert isinstance(vectors, WordVectors)
    assert len(vectors) >= 30_000 and vectors.dimensions == 100
    assert zoo.card(name).parameters == vectors.matrix.size
    assert (np.diff(vectors.counts) <= 0).all() and vectors.counts[-1] >= 5
    assert zoo.status(name) == "ready"


def test_both_languages_take_less_than_12_mb() -> None:
    assert sum(zoo.card(name).size for name in NAMES) < 12e6


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_the_cards(name: str) -> None:
    """The quick figures measured again on what is shipped; rounding has cost less than two hundredths."""
    vectors = zoo.load(name)
    reference = KeyedVectors(vectors.dimensions)
    reference.add_vectors(list(vectors.words), vectors.matrix)
    measured = zoo.catalogue.read_facts(zoo.bundled_dir(name)).metrics
    for figure, value in word_quality.quick(reference, measured["language"]).items():
        assert value == pytest.approx(measured[figure], abs=2e-3)
    for figure, exact in measured["before_rounding"].items():
        assert abs(measured[figure] - exact) < 0.02


@pytest.mark.parametrize(
    ("name", "word", "near"),
    [
        ("words-en", "king", {"queen", "prince", "emperor", "throne", "kings", "duke"}),
        ("words-en", "horse", {"pony", "mare", "steed", "horses", "saddle", "cob"}),
        ("words-fr", "roi", {"reine", "prince", "empereur", "trône", "rois", "duc"}),
        ("words-fr", "cheval", {"chevaux", "jument", "poney", "cavalier", "selle", "galop"}),
    ],
)
def test_neighbours_are_of_a_kind(name: str, word: str, near: set[str]) -> None:
    found = word_vectors.neighbours(zoo.load(name), word, count=15)
    assert len(near & set(found.words)) >= 2


@pytest.mark.parametrize(
    ("name", "a", "b", "c", "d"),
    [
        ("words-en", "man", "king", "woman", "queen"),
        ("words-fr", "homme", "roi", "femme", "reine"),
    ],
)
def test_the_slides_analogy(name: str, a: str, b: str, c: str, d: str) -> None:
    assert d in word_questions.analogy(zoo.load(name), a, b, c).words[:5]
