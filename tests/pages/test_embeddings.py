"""The embeddings page without a browser: questions to words, own vectors, walks, own graphs, hostile links, snippets."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlviz import zoo
from dlviz.graphs import graph_samples, walks
from dlviz.i18n import LANGUAGES
from dlviz.language import vector_files, word_questions, word_vectors
from dlviz.views.embeddings import common
from tests.pages.conftest import Opener

QUESTIONS = ("near", "analogy", "axis", "odd", "clusters")
SECTIONS = ("words", "projector", "train", "step", "walks", "nodes")
PARTS = ("live", "links", "bias")


def opened(open_page: Opener, language: str = "en", **link: str) -> AppTest:
    """The page with that link, the table of neighbours open."""
    app = open_page("embeddings", language, **{f"emb_{name}": code for name, code in link.items()})
    assert not app.exception
    if link.get("view", "words") == "words" and link.get("ask", "near") == "near":
        app.session_state["emb_neighbour_table"] = True
        run(app)
    return app


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(str(one.value) for kind in (app.markdown, app.caption, app.text) for one in kind)


def sent(app: AppTest, field: str) -> dict[str, Any]:
    """What the component that knows ``field`` was sent."""
    for element in app.get("bidi_component"):
        proto = element.proto
        data = json.loads(proto.mixed.json if proto.WhichOneof("data") == "mixed" else proto.json)
        if field in data:
            return data
    raise AssertionError(f"no component was sent {field}")


def upload(app: AppTest, key: str, *files: tuple[str, bytes]) -> AppTest:
    uploader = next(one for one in app.file_uploader if one.key.startswith(key))
    uploader.set_value([(name, data, "application/octet-stream") for name, data in files])
    return run(app)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(open_page: Opener, section: str, language: str) -> None:
    assert not opened(open_page, language, view=section).error


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_with_both_languages_words(
    open_page: Opener, question: str, language: str
) -> None:
    assert not opened(open_page, language, ask=question, vectors=f"words-{language}").error


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_node2vec_opens(open_page: Opener, part: str, language: str) -> None:
    assert not opened(open_page, language, view="nodes", nodes_part=part).error


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_visit_sees_words_of_its_language_and_keeps_them(open_page: Opener, language: str) -> None:
    app = opened(open_page, language)
    assert app.selectbox(key="emb_vectors_choice").value == f"words-{language}"
    other = "en" if language == "fr" else "fr"
    app.segmented_control(key="lang_choice").set_value(other)
    run(app)
    assert app.selectbox(key="emb_vectors_choice").value == f"words-{language}"


def test_the_neighbours_are_those_of_the_science(open_page: Opener) -> None:
    app = opened(open_page, word="king", vectors="words-en")
    found = word_vectors.neighbours(zoo.load("words-en"), "king", count=12)
    table = app.dataframe[0].value
    assert table.iloc[:, 0].tolist() == list(found.words)
    np.testing.assert_allclose(table.iloc[:, 1], found.cosine, atol=1e-4)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_word_gets_near_spellings_to_click(open_page: Opener, language: str) -> None:
    app = opened(open_page, language, word="kinng", vectors="words-en")
    assert "kinng" in said(app)
    near = [one for one in app.button if one.key and one.key.startswith("emb_word_near_0_")]
    assert "king" in [one.label for one in near]
    next(one for one in near if one.label == "king").click()
    run(app)
    assert app.text_input(key="emb_word_typed").value == "king"
    assert not [one for one in app.button if one.key and one.key.startswith("emb_word_near_")]


def test_a_word_that_is_like_no_other_is_refused_in_words(open_page: Opener) -> None:
    app = opened(open_page, word="<script>alert(1)</script>")
    assert "is not among the" in said(app)
    assert "<script>" not in said(app)


@pytest.mark.parametrize("vectors", ["words-en", "words-fr"])
def test_the_courses_analogy_is_the_first_one(open_page: Opener, vectors: str) -> None:
    app = opened(open_page, ask="analogy", vectors=vectors)
    asked = ("man", "king", "woman") if vectors == "words-en" else ("homme", "roi", "femme")
    assert tuple(app.text_input(key=f"emb_{name}_typed").value for name in "abc") == asked
    found = word_questions.analogy(zoo.load(vectors), *asked)
    assert f"**{found.words[0]}**" in said(app)


def test_the_examples_fill_the_fields(open_page: Opener) -> None:
    app = opened(open_page, ask="analogy", vectors="words-fr")
    app.button(key="emb_analogy_example_2").click()
    run(app)
    assert app.text_input(key="emb_c_typed").value == "chante"
    assert "**chantait**" in said(app)


def test_words_that_are_not_known_are_named_and_the_others_placed(open_page: Opener) -> None:
    app = opened(open_page, ask="axis", on="doctor, zzzzqqq, nurse", vectors="words-en")
    assert "zzzzqqq" in said(app)
    assert not app.error


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_axis_says_that_it_shows_texts_and_not_the_world(open_page: Opener, language: str) -> None:
    app = opened(open_page, language, ask="axis")
    told = " ".join(one.value for one in app.info)
    assert ("not how the world is" in told) or ("non le monde tel qu" in told)


@pytest.mark.parametrize(
    "link",
    [
        {"ask": "axis", "low": "king", "high": "king"},
        {"ask": "axis", "low": "zzzzqqq"},
        {"ask": "odd", "odd": "king, queen"},
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_words(
    open_page: Opener, link: dict[str, str]
) -> None:
    app = opened(open_page, vectors="words-en", **link)
    assert len(app.error) == 1


def test_the_odd_word_is_named(open_page: Opener) -> None:
    app = opened(open_page, ask="odd", vectors="words-en", odd="monday, friday, horse, sunday")
    assert "**horse**" in said(app)


# --- vectors of one's own


def own_store() -> word_vectors.WordVectors:
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(40)]
    return word_vectors.WordVectors(words, rng.normal(size=(40, 6)).astype(np.float32))


@pytest.mark.parametrize("form", vector_files.FORMATS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_own_vectors_answer_every_question(open_page: Opener, form: Any, question: str) -> None:
    app = opened(open_page, vectors="own", ask=question)
    app = upload(app, "emb_file", *vector_files.write(own_store(), form).items())
    assert not app.error
    assert "40 words of 6 dimensions" in said(app)


def test_the_order_of_a_pair_does_not_matter(open_page: Opener) -> None:
    pair = list(vector_files.write(own_store(), "tsv").items())
    app = upload(opened(open_page, vectors="own"), "emb_file", *reversed(pair))
    assert "40 words of 6 dimensions" in said(app)


def test_unknown_names_of_a_pair_are_told_apart_by_their_content(open_page: Opener) -> None:
    files = vector_files.write(own_store(), "tsv")
    app = upload(
        opened(open_page, vectors="own"),
        "emb_file",
        ("a.tsv", files["metadata.tsv"]),
        ("b.tsv", files["vectors.tsv"]),
    )
    assert "40 words of 6 dimensions" in said(app)


@pytest.mark.parametrize("words", [1, 2, 3, 10])
@pytest.mark.parametrize("question", QUESTIONS)
def test_very_few_words_are_no_error(open_page: Opener, words: int, question: str) -> None:
    store = word_vectors.WordVectors(own_store().words[:words], own_store().matrix[:words])
    app = opened(open_page, vectors="own", ask=question)
    files = vector_files.write(store, "npz")
    app = upload(app, "emb_file", *files.items())
    assert f"{words} words of 6 dimensions" in said(app)


BAD_FILES = {
    "empty": b"",
    "a text": b"hello world and nothing else\n",
    "ragged": b"a 1 2 3\nb 1 2\n",
    "nan": b"a 1 2 3\nb nan 2 3\n",
    "cut short": b"3 2\na 1 2\n",
    "pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.",
    "no zip": b"PK\x03\x04 nothing",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("data", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_refused_and_nothing_is_lost(open_page: Opener, data: bytes, language: str) -> None:
    app = opened(open_page, language, vectors="own")
    app = upload(app, "emb_file", *vector_files.write(own_store(), "npz").items())
    app = upload(app, "emb_file", ("bad.txt", data))
    assert len(app.error) == 1
    assert "vectors.npz" in said(app)


def test_a_link_to_a_file_that_is_not_here_says_so(open_page: Opener) -> None:
    app = opened(open_page, vectors="own", file="sha256:0123456789abcdef")
    assert any("a file that is not here" in one.value for one in app.info)
    assert app.dataframe[0].value.shape[0] == 12


@pytest.mark.parametrize("code", ["trained", "nodes"])
def test_a_link_to_trained_vectors_says_that_they_are_not_here(open_page: Opener, code: str) -> None:
    app = opened(open_page, vectors=code)
    assert any("trained on this page" in one.value for one in app.info)


# --- graphs


def test_the_walk_on_the_page_is_the_one_of_the_science(open_page: Opener) -> None:
    app = opened(open_page, view="walks", graph="karate", p="0.25", q="4", walk_length="12", walk_seed="3")
    data = sent(app, "walk")
    graph = graph_samples.sample("karate")
    walk = walks.record_walk(graph, int(graph.degree().argmax()), 12, 0.25, 4.0, 3)
    assert data["walk"] == walk.nodes.tolist()
    told = {
        (number, row["node"]): row["probability"]
        for number, step in enumerate(data["steps"])
        for row in step["rows"]
    }
    for number, step in enumerate(walk.steps):
        for node, chance in zip(step.nodes.tolist(), step.probability.tolist(), strict=True):
            assert told.get((number, node), chance) == pytest.approx(chance)


def test_the_maths_shows_the_step_in_the_link(open_page: Opener) -> None:
    app = opened(open_page, view="walks", walk_n="5")
    graph = graph_samples.sample("karate")
    walk = walks.record_walk(graph, int(graph.degree().argmax()), 20, 1.0, 0.5, 0)
    after = graph.names()[int(walk.nodes[6])]
    assert any(rf"P(\text{{{after}}}" in one.value for one in app.latex)


@pytest.mark.parametrize(
    ("code", "p", "q"), [("deepwalk", 1.0, 1.0), ("depth", 1.0, 0.5), ("breadth", 1.0, 2.0)]
)
def test_a_preset_sets_p_and_q(open_page: Opener, code: str, p: float, q: float) -> None:
    app = opened(open_page, view="walks", p="10", q="10")
    app.button(key=f"emb_walk_preset_{code}").click()
    run(app)
    sliders = [app.select_slider(key=f"emb_{name}_choice").value for name in "pq"]
    assert [float(value) for value in sliders] == [p, q]


@pytest.mark.parametrize("graph", ["karate", "miserables", "florentine", "blocks", "small_world"])
@pytest.mark.parametrize("heat", ["walk", "exact", "all"])
def test_every_graph_has_every_heat(open_page: Opener, graph: str, heat: str) -> None:
    app = opened(open_page, view="walks", graph=graph, walk_heat=heat)
    assert not app.error
    data = sent(app, "walk")
    if heat == "walk":
        assert data["heat"] is None
    else:
        expected = 20 if heat == "exact" else 20 * 10 * len(data["names"])
        assert sum(data["heat"]) == pytest.approx(expected, rel=1e-3)


def test_the_number_of_walks_from_every_node_is_a_choice(open_page: Opener) -> None:
    app = opened(open_page, view="walks", walk_heat="all", walk_each="3", walk_length="7")
    assert sum(sent(app, "walk")["heat"]) == 3 * 7 * 34


def test_a_graph_of_ones_own_is_walked_on(open_page: Opener) -> None:
    app = opened(open_page, view="walks", graph="own")
    app = upload(app, "emb_graph_file", ("mine.csv", b"ann,bob,2\nbob,cy,1\ncy,ann,1\ncy,dee,3\n"))
    assert not app.error
    assert "4 nodes, 4 edges, undirected, weighted." in said(app)
    assert sent(app, "walk")["names"] == ["ann", "bob", "cy", "dee"]


def test_the_direction_of_edges_can_be_chosen(open_page: Opener) -> None:
    app = opened(open_page, view="walks", graph="own", directed="yes")
    app = upload(app, "emb_graph_file", ("mine.csv", b"a,b\nb,c\n"))
    assert "3 nodes, 2 edges, directed, without weights." in said(app)
    assert sent(app, "walk")["directed"] is True


BAD_GRAPHS = {
    "empty": b"",
    "one word a line": b"hello\nworld\n",
    "negative": b"a,b,-1\nb,c,2\n",
    "nan": b"a,b,nan\n",
    "malformed gml": b"graph [ node [ id 1 label ]",
    "no edge": b'{"nodes": [{"id": 1}], "links": []}',
    "binary": bytes(range(256)) * 8,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("data", BAD_GRAPHS.values(), ids=BAD_GRAPHS)
def test_a_bad_graph_is_refused_and_nothing_is_lost(open_page: Opener, data: bytes, language: str) -> None:
    app = opened(open_page, language, view="walks", graph="own")
    app = upload(app, "emb_graph_file", ("good.csv", b"a,b\nb,c\nc,a\n"))
    app = upload(app, "emb_graph_file", ("bad.txt", data))
    assert len(app.error) == 1
    assert sent(app, "walk")["names"] == ["a", "b", "c"]


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "data",
    [b"a,b\n", b"a,a\na,b\n", b"a,b\nc,d\n", b"a,b\na,b\nb,a\n"],
    ids=["one edge", "self-loop", "two parts", "parallel"],
)
def test_odd_graphs_are_no_error(open_page: Opener, part: str, data: bytes) -> None:
    app = opened(open_page, view="nodes", graph="own", nodes_part=part)
    app = upload(app, "emb_graph_file", ("odd.csv", data))
    assert not app.error


def test_a_large_graph_is_drawn_in_part_and_says_so(open_page: Opener) -> None:
    app = opened(open_page, view="walks", graph="small_world", ring="5000", ring_near="6")
    assert not app.error
    assert len(sent(app, "walk")["names"]) <= 2000
    assert "Too large to be drawn whole" in said(app)


def test_node2vec_trains_and_its_vectors_can_be_asked(open_page: Opener) -> None:
    app = opened(open_page, view="nodes", graph="karate", n2v_epochs="1", n2v_walks="2", n2v_dimensions="8")
    app.button(key="emb_n2v_start").click()
    run(app)
    assert not app.error
    data = sent(app, "vectors")
    assert len(data["vectors"]) == 68 and len(data["places"]) == 68
    app.button(key="emb_n2v_keep").click()
    run(app)
    app.session_state["emb_neighbour_table"] = True
    held = app.session_state["emb_kept_nodes"]
    assert held.store.matrix.shape == (34, 8)
    assert held.metadata.decode().splitlines()[0].split("\t") == ["node", "degree", "community", "club"]
    next(one for one in app.get("button_group") if one.key == "emb_view_choice").set_value("words")
    run(app)
    app.selectbox(key="emb_vectors_choice").set_value(common.NODES)
    run(app)
    assert not app.error
    assert len(app.dataframe[0].value) == 12
    snippet = next(block.value for block in app.code if "node2vec.train" in block.value)
    names: dict[str, Any] = {}
    exec(snippet, names)
    assert names["result"].words == tuple(app.dataframe[0].value.iloc[:, 0])


def test_the_comparison_is_measured(open_page: Opener) -> None:
    app = opened(
        open_page,
        view="nodes",
        nodes_part="links",
        links_repeats="1",
        n2v_epochs="1",
        n2v_walks="2",
        n2v_dimensions="8",
    )
    app.button(key="emb_links_start").click()
    run(app)
    assert not app.error
    assert "edges hidden, 1 times" in said(app)


def test_the_effect_of_p_and_q_is_measured(open_page: Opener) -> None:
    app = opened(
        open_page,
        view="nodes",
        nodes_part="bias",
        graph="florentine",
        bias_seeds="1",
        n2v_epochs="1",
        n2v_walks="1",
        n2v_length="5",
        n2v_dimensions="4",
    )
    app.button(key="emb_bias_start").click()
    run(app)
    assert not app.error
    assert app.session_state["emb_bias_finished"][1].communities.shape == (3, 3)


# --- links, snippets, exports

HOSTILE = [
    {"view": "nowhere"},
    {"vectors": "../../etc/passwd"},
    {"vectors": "caltech-cnn"},
    {"ask": "why"},
    {"word": "![x](http://localhost/x.png)"},
    {"word": "x" * 600},
    {"count": "nan"},
    {"count": "-5"},
    {"ask": "analogy", "a": "", "b": "nan", "c": "\x00"},
    {"ask": "axis", "low": ",,,", "high": ",", "on": "," * 300},
    {"ask": "odd", "odd": ","},
    {"ask": "clusters", "groups": "1e9", "limit": "nan", "clusters_seed": "-1"},
    {"view": "walks", "graph": "resnet"},
    {"view": "walks", "p": "0", "q": "nan", "walk_length": "1e12", "walk_seed": "-3"},
    {"view": "walks", "walk_n": "99999999999"},
    {"view": "walks", "walk_start": "<b>nobody</b>"},
    {"view": "walks", "graph": "blocks", "blocks": "1e9", "inside": "nan", "between": "7"},
    {"view": "walks", "graph": "small_world", "ring": "-1", "rewiring": "inf"},
    {"view": "walks", "graph": "own", "graph_file": "sha256:0123456789abcdef"},
    {"view": "nodes", "node": "nobody", "nodes_colour": "column-99"},
    {"view": "nodes", "nodes_part": "links", "links_share": "nan", "links_repeats": "1e9"},
    {"view": "projector", "proj_point": "nobody"},
]


@pytest.mark.parametrize("link", HOSTILE, ids=lambda link: "-".join(map(str, link.values()))[:40])
def test_a_hostile_link_opens_the_page(open_page: Opener, link: dict[str, str]) -> None:
    app = opened(open_page, **link)
    assert len(app.error) <= 1
    assert app.title[0].value == "Embeddings"


def test_blocks_without_an_edge_are_refused_in_words(open_page: Opener) -> None:
    app = opened(open_page, view="walks", graph="blocks", inside="0", between="0")
    assert len(app.error) == 1


SNIPPETS = [
    *({"ask": question} for question in QUESTIONS),
    {"view": "walks"},
    {"view": "walks", "graph": "blocks"},
    {"view": "walks", "graph": "small_world"},
    {"view": "nodes", "n2v_epochs": "1", "n2v_walks": "1", "n2v_dimensions": "4"},
    {"view": "nodes", "nodes_part": "links", "n2v_epochs": "1", "n2v_walks": "1", "links_repeats": "1"},
    {"view": "nodes", "nodes_part": "bias", "graph": "florentine", "n2v_epochs": "1", "n2v_walks": "1",
     "n2v_length": "5", "bias_seeds": "1"},
]  # fmt: skip


@pytest.mark.parametrize("link", SNIPPETS, ids=lambda link: "-".join(link.values()))
def test_the_snippets_run_and_give_a_result(open_page: Opener, link: dict[str, str]) -> None:
    app = opened(open_page, **link)
    snippets = [block.value for block in app.code if block.value.startswith("from dlviz")]
    assert snippets
    for snippet in snippets:
        names: dict[str, object] = {}
        exec(snippet, names)
        assert names["result"] is not None


def test_a_snippet_with_own_vectors_reads_the_file(
    open_page: Opener, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(open_page, vectors="own")
    files = vector_files.write(own_store(), "word2vec-text")
    app = upload(app, "emb_file", *files.items())
    (tmp_path / "vectors.txt").write_bytes(files["vectors.txt"])
    monkeypatch.chdir(tmp_path)
    snippet = next(block.value for block in app.code if "vector_files.read" in block.value)
    names: dict[str, Any] = {}
    exec(snippet, names)
    assert names["result"].words == tuple(app.dataframe[0].value.iloc[:, 0])


EXPORTS = [
    *(({"ask": question}, key) for question, key in zip(
        QUESTIONS, ("emb_neighbours", "emb_analogy", "emb_axis", "emb_odd", "emb_clusters"), strict=True)),
    ({"view": "walks"}, "emb_walks"),
]  # fmt: skip


@pytest.mark.parametrize(("link", "key"), EXPORTS, ids=lambda value: str(value)[:30])
def test_the_export_opens(open_page: Opener, link: dict[str, str], key: str) -> None:
    app = opened(open_page, **link)
    app.session_state[f"{key}_export"] = True
    run(app)
    assert len(app.get("download_button")) >= 1


def test_every_preset_opens(open_page: Opener) -> None:
    links = [one.proto.query_string for one in opened(open_page).get("page_link") if one.proto.query_string]
    assert len(links) >= 10
    for link in links:
        state = {key.removeprefix("emb_"): value for key, value in parse_qsl(link) if key.startswith("emb_")}
        app = opened(open_page, **state)
        assert state
        assert not app.error


def test_a_pair_with_columns_keeps_them_for_the_projector(open_page: Opener) -> None:
    store = own_store()
    files = vector_files.write(store, "tsv")
    table = io.StringIO()
    table.write("word\tkind\n" + "".join(f"{word}\t{i % 3}\n" for i, word in enumerate(store.words)))
    app = upload(
        opened(open_page, vectors="own", view="projector"),
        "emb_file",
        ("vectors.tsv", files["vectors.tsv"]),
        ("metadata.tsv", table.getvalue().encode()),
    )
    assert not app.error


@pytest.mark.parametrize("question", QUESTIONS)
def test_vectors_in_a_folder_of_the_operators_are_offered(
    open_page: Opener, question: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"grown-here-{question}"
    folder.mkdir()
    (folder / "vectors.txt").write_bytes(vector_files.write(own_store(), "glove")["vectors.glove.txt"])
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(folder))
    app = opened(open_page, vectors=f"folder-{folder.name}", ask=question)
    assert not app.error
    assert app.selectbox(key="emb_vectors_choice").value == f"folder-{folder.name}"
    zoo.unload(f"folder-{folder.name}")
