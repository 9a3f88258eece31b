"""Training on one's own text and the single step, without a browser: both work, keep what they should, and refuse."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlviz.i18n import LANGUAGES
from dlviz.language.word_vectors import WordVectors
from dlviz.views.embeddings import common
from tests.pages.conftest import Opener


def opened(open_page: Opener, view: str, language: str = "en", **link: str) -> AppTest:
    app = open_page(
        "embeddings", language, emb_view=view, **{f"emb_{key}": value for key, value in link.items()}
    )
    assert not app.exception
    return app


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(str(one.value) for kind in (app.markdown, app.caption, app.text) for one in kind)


def losses(app: AppTest) -> list[float]:
    """Before and after the step, as the page tells them."""
    (found,) = re.findall(r"Loss \*\*([\d.]+)\*\* nats before the step, \*\*([\d.]+)\*\*", said(app))
    return [float(one) for one in found]


def table(app: AppTest) -> Any:
    return app.dataframe[0].value


def test_a_training_is_kept_and_asked_in_another_section(open_page: Opener) -> None:
    app = opened(open_page, "train", train_epochs="2", train_dims="10", train_watch="queen, Dog, unheard")
    app.button(key="emb_train_job_start").click()
    run(app)
    assert not app.error
    assert "Not among the words that were learnt: unheard" in said(app)
    app.button(key="emb_train_keep").click()
    run(app)
    held = app.session_state["emb_train_kept"]
    assert isinstance(held.store, WordVectors) and held.store.dimensions == 10 and not held.own.text
    assert any("Kept for this visit" in one.value for one in app.success)
    found: dict[str, Any] = {}
    exec("\n".join((*held.source.imports, f"store = {held.source.expression}")), found)
    assert found["store"].words == held.store.words
    assert np.array_equal(found["store"].matrix, held.store.matrix)
    next(one for one in app.get("button_group") if one.key == "emb_view_choice").set_value("words")
    run(app)
    app.selectbox(key="emb_vectors_choice").set_value(common.TRAINED)
    run(app)
    assert not app.error and "trained here: A made-up world in English" in str(app.selectbox)


@pytest.mark.parametrize("text", ["one two three", "encore " * 60, "12 34"])
def test_a_text_that_is_too_short_is_refused_before_anything_starts(open_page: Opener, text: str) -> None:
    app = opened(open_page, "train", train_text="text:" + text)
    assert len(app.warning) == 1
    assert not [one for one in app.button if one.key == "emb_train_job_start"]


def test_a_story_is_long_enough(open_page: Opener) -> None:
    app = opened(open_page, "train", train_text="lighthouse")
    assert not app.warning and app.button(key="emb_train_job_start")
    assert app.selectbox(key="emb_train_least_choice").value == "1"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
@pytest.mark.parametrize("start", ["practised", "fresh"])
def test_the_step_opens_in_every_way(open_page: Opener, language: str, method: str, start: str) -> None:
    app = opened(open_page, "step", language, step_method=method, step_start=start)
    assert not app.error and not app.warning
    shown = table(app)
    assert len(shown) >= 5 and np.allclose(shown["σ"], 1 / (1 + np.exp(-shown["u · h"])), atol=1e-3)
    assert np.allclose(shown["σ − t"], shown["σ"] - (np.arange(len(shown)) == 0), atol=1e-3)
    if start == "fresh":
        assert set(shown["σ"]) == {0.5}


def test_a_step_that_is_taken_lowers_the_loss_and_stands_in_the_link(open_page: Opener) -> None:
    app = opened(open_page, "step")
    before, after = losses(app)
    assert after < before
    app.button(key="emb_step_take").click()
    run(app)
    assert losses(app)[0] == pytest.approx(after, abs=1e-4)
    linked = app.session_state["emb_step_taken"]
    again = opened(open_page, "step", step_taken=linked)
    assert losses(again) == losses(app)
    app.button(key="emb_step_undo").click()
    run(app)
    assert losses(app) == [before, after]


def test_other_negatives_are_drawn(open_page: Opener) -> None:
    app = opened(open_page, "step")
    first = list(table(app).iloc[:, 0])
    app.button(key="emb_step_again").click()
    run(app)
    assert app.session_state["emb_step_draw"] == 1
    other = list(table(app).iloc[:, 0])
    assert other[0] == first[0] and other != first


def test_another_word_becomes_the_centre(open_page: Opener) -> None:
    app = opened(open_page, "step")
    pills = next(one for one in app.get("button_group") if one.key == "emb_step_centre_choice")
    pills.set_value("5")
    run(app)
    assert app.session_state["emb_step_centre"] == "5"
    linked = opened(open_page, "step", step_centre="5")
    assert list(table(linked).iloc[:, 0]) == list(table(app).iloc[:, 0])


@pytest.mark.parametrize(
    "link",
    [
        {"step_taken": "1.2.3_a.b.c.d.e_99999999.0.0.0.0_-1.0.0.0.0_0.0.0.0.0"},
        {"step_sentence": "99999999"},
        {"step_centre": "77"},
        {"step_centre": "-1", "step_neighbour": "99"},
        {"step_neighbour": "x", "step_draw": "-5"},
        {"step_plane": "own", "step_dims": "2", "step_across": "50"},
        {"step_plane": "own", "step_dims": "3", "step_across": "50", "step_up": "1"},
        {"train_text": "text:a b c a b c"},
        {"train_text": "text:…", "step_method": "nonsense"},
        {"train_language": "de"},
    ],
)
def test_hostile_links(open_page: Opener, link: dict[str, str]) -> None:
    opened(open_page, "step", **link)


def test_a_text_without_a_sentence_is_refused(open_page: Opener) -> None:
    app = opened(open_page, "step", train_text="text:yes. no. yes no")
    assert [one.value for one in app.warning] == ["The text needs a sentence of three words at least."]


def test_the_snippet_of_the_step_gives_its_numbers(open_page: Opener) -> None:
    app = opened(open_page, "step", step_taken="20.1.0.2.0")
    snippet = next(
        one.value for one in app.code if "word_step.explain(" in one.value and "result" in one.value
    )
    found: dict[str, Any] = {}
    exec(snippet, found)
    assert found["result"].loss == pytest.approx(losses(app)[0], abs=1e-4)
