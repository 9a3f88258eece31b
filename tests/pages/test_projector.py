"""The projector's section without a browser: words, columns of one's own, pictures, links that name nobody, a computation."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlviz.i18n import LANGUAGES
from dlviz.ui import lesson


def section() -> None:
    """A hundred and twenty invented words in four groups, with a table of what is known about them."""
    import numpy as np
    import streamlit as st

    from dlviz.language.word_vectors import WordVectors
    from dlviz.ui.snippet import Source
    from dlviz.views.embeddings import clouds, projector

    rng = np.random.default_rng(0)
    kinds = np.arange(120) % 4
    matrix = (rng.normal(size=(4, 12))[kinds] * 3 + rng.normal(size=(120, 12))).astype(np.float32)
    words = [f"word{i}" for i in range(120)]
    table = "word\tlength\tkind\n" + "".join(
        f"{w}\t{i * 0.5}\tkind {k}\n" for i, (w, k) in enumerate(zip(words, kinds, strict=True))
    )
    vectors = WordVectors(words, matrix, np.arange(120, 0, -1))
    given = table.encode() if st.query_params.get("table") else None
    st.title("Section")
    source = Source("np.load('own.npy')", ("import numpy as np",))
    projector.show(clouds.of_words(vectors, title="Own words", metadata=given), source=source)


def opened(language: str = "en", **link: str) -> AppTest:
    app = AppTest.from_function(section, default_timeout=120)
    for panel in (lesson.MATHS, lesson.CODE, "emb_proj_export"):
        app.session_state[panel] = True
    for name, value in {"lang": language, **link}.items():
        app.query_params[name] = value
    return checked(app)


def checked(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def sent(app: AppTest) -> dict[str, Any]:
    """What the cloud on the page was sent."""
    for element in app.get("bidi_component"):
        if element.proto.WhichOneof("data") == "json" and "channel" in element.proto.json:
            return json.loads(element.proto.json)
    raise AssertionError("no cloud on the page")


def texts(app: AppTest) -> str:
    return "\n".join(one.value for one in [*app.markdown, *app.caption, *app.warning, *app.info, *app.error])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("link", [{}, {"emb_proj_dims": "3"}, {"table": "1"}, {"emb_proj_what": "digits"}])
def test_every_kind_of_cloud_is_drawn_at_once(language, link):
    app = opened(language, **link)
    told = sent(app)
    assert told["chosen"] == -1 and (told["atlas"] is not None) == ("emb_proj_what" in link)
    assert not app.error and len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("colour", ["none", "cluster", "frequency", "kept", "column0", "column1", "nonsense"])
def test_colours(colour):
    app = opened(table="1", emb_proj_colour=colour)
    if colour == "kept":  # offered once it is known
        app = checked(app)
    assert not app.error


def test_a_chosen_point_has_both_kinds_of_neighbours():
    app = opened(emb_proj_point="word7")
    told = sent(app)
    assert told["chosen"] == 7 and len(told["own"]) == 10 == len(told["near"])
    own, seen = (frame.value for frame in app.dataframe)
    assert len(own) == 10 == len(seen)
    marked = [name for name in own["Name"] if name.startswith("●")]
    assert f"{len(marked)} of 10 are the same" in texts(app)
    # The embedding's neighbours are of the word's own group.
    assert sum(int(name.removeprefix("● ").removeprefix("word")) % 4 == 3 for name in own["Name"]) >= 9


def test_a_point_that_is_not_drawn_still_has_neighbours():
    app = opened(emb_proj_what="digits", emb_proj_count="500", emb_proj_point="0 · 1")
    if sent(app)["chosen"] < 0:
        assert "not among those drawn" in texts(app) and len(app.dataframe) == 1


def test_a_name_that_nobody_has_gets_near_spellings():
    app = opened(emb_proj_point="wrod7")
    assert "No point is called so." in texts(app)
    names = [button.label for button in app.button]
    assert "word7" in names
    next(button for button in app.button if button.label == "word7").click()
    assert sent(checked(app))["chosen"] == 7


@pytest.mark.parametrize(
    "link",
    [
        {"emb_proj_point": "\x00" * 300},
        {"emb_proj_method": "magic", "emb_proj_dims": "7"},
        {"emb_proj_count": "-5", "emb_proj_by": "never"},
        {
            "emb_proj_method": "umap",
            "emb_proj_neighbours": "1e99",
            "emb_proj_min_dist": "nan",
            "emb_proj_seed": "-1",
        },
        {"emb_proj_groups": "banana", "emb_proj_draw": "99999999999"},
    ],
)
def test_hostile_links(link):
    assert sent(opened(**link))["points"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_a_picture_is_computed_kept_and_judged(method):
    app = opened(emb_proj_method=method, emb_proj_perplexity="5")
    before = sent(app)["points"]
    assert "This is PCA." in texts(app)
    next(button for button in app.button if button.label == "Compute this picture").click()
    checked(app)
    app = checked(app)
    after = sent(app)["points"]
    assert after != before and "This is PCA." not in texts(app)
    assert "Groups hold together" in texts(app)
    # Another colour does not compute it again.
    app.session_state["emb_proj_colour"] = "none"
    assert sent(checked(app))["points"] == after


@pytest.mark.parametrize("by", ["frequency", "random"])
def test_the_snippets_run_and_draw_the_same_points(by):
    app = opened(emb_proj_what="digits", emb_proj_count="500", emb_proj_by=by)
    snippets = [block.value for block in app.code if block.value.startswith(("import", "from"))]
    assert len(snippets) == 2
    spaces: list[dict[str, Any]] = []
    for text in snippets:
        space: dict[str, Any] = {}
        exec(text, space)
        spaces.append(space)
    assert spaces[0]["result"].points.shape == (500, 2)
    assert 0.5 < spaces[1]["result"].trustworthiness[0] <= 1
    assert np.isfinite(spaces[1]["result"].kept).all()
