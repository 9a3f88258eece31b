"""Embeddings: vectors of words and of nodes, asked, trained on a text or a graph of one's own, and looked at."""

from __future__ import annotations

from dlviz.ui import controls, lesson
from dlviz.ui.language import _
from dlviz.views.embeddings import chooser, graph_scene, nodes, walks, words


def presets() -> list[lesson.Preset]:
    """States of the page worth seeing."""
    return [
        lesson.Preset(
            _("The course's analogy"),
            _(
                "king − man + woman: is queen the answer? Look at the ranking, at the words that are left out of it, and "
                "at the parallelogram with its true corners."
            ),
            {"emb_vectors": "words-en", "emb_ask": "analogy"},
        ),
        lesson.Preset(
            _("The same in French"),
            _(
                "roi − homme + femme, learnt from a hundred French novels: the right answer is not the first one."
            ),
            {"emb_vectors": "words-fr", "emb_ask": "analogy"},
        ),
        lesson.Preset(
            _("An analogy that works in French"),
            _("parlait − parle + chante: the vectors have found the imperfect on their own."),
            {
                "emb_vectors": "words-fr",
                "emb_ask": "analogy",
                "emb_a": "parle",
                "emb_b": "parlait",
                "emb_c": "chante",
            },
        ),
        lesson.Preset(
            _("What novels say of trades"),
            _(
                "An axis from “she” to “he”: the vectors repeat who held which trade in the novels of 1840 to 1920."
            ),
            {"emb_vectors": "words-en", "emb_ask": "axis"},
        ),
        lesson.Preset(
            _("Kinds of words that nobody has named"),
            _(
                "Money, clothes, rooms, the moor and its rivers, women by name: k-means finds such groups on its own."
            ),
            {"emb_vectors": "words-en", "emb_ask": "clusters", "emb_groups": "24", "emb_limit": "5000"},
        ),
        lesson.Preset(
            _("A walk that stays near"),
            _("q = 2: the walk weighs what lies further away half as much, and circles around its start."),
            {"emb_view": "walks", "emb_graph": "miserables", "emb_q": "2", "emb_walk_start": "Valjean"},
        ),
        lesson.Preset(
            _("A walk that leads away"),
            _("q = 0.5 on a small world: watch it take the long edges."),
            {"emb_view": "walks", "emb_graph": "small_world", "emb_q": "0.5"},
        ),
        lesson.Preset(
            _("Four blocks"),
            _("A graph whose communities are known: start the training and watch the four of them part."),
            {"emb_view": "nodes", "emb_graph": "blocks", "emb_nodes_colour": "column-0"},
        ),
        lesson.Preset(
            _("Is it better than linear algebra?"),
            _("Hidden edges of the karate club: on so small a graph eigenvectors are hard to beat."),
            {"emb_view": "nodes", "emb_nodes_part": "links"},
        ),
    ]


def show_words() -> None:
    """Questions to the chosen vectors."""
    chosen = chooser.choose()
    if chosen is not None:
        words.show(chosen)
        if chosen.model is not None:
            lesson.model_card(chosen.model)


def show_graph(section: str) -> None:
    """A walk on the chosen graph, or its vectors."""
    scene = graph_scene.choose()
    if scene is not None:
        {"walks": walks, "nodes": nodes}[section].show(scene)


lesson.begin(
    "embeddings",
    _("Type a word and walk from neighbour to neighbour; then let a graph of your own become vectors."),
)
lesson.presets("embeddings", presets())
view = controls.choice(
    _("Look at"),
    {"words": _("Words"), "walks": _("A walk on a graph"), "nodes": _("Node2Vec")},
    key="emb_view",
    label_visibility="collapsed",
    wrap=True,
)
if view == "words":
    show_words()
else:
    show_graph(view)
