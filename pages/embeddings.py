"""Embeddings: vectors of words and of nodes, asked, trained on a text or a graph of one's own, and looked at."""

from __future__ import annotations

import streamlit as st

from dlviz.errors import Refused
from dlviz.ui import controls, lesson
from dlviz.ui.language import _, say
from dlviz.ui.snippet import Source
from dlviz.views.embeddings import (
    chooser,
    clouds,
    graph_scene,
    neighbours,
    nodes,
    projector,
    step,
    train,
    walks,
    words,
)
from dlviz.views.embeddings.common import Chosen


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
            _("Thirty thousand words at a glance"),
            _(
                "The projector: turn the cloud, click a point, and hold the picture's neighbours against the true ones."
            ),
            {
                "emb_view": "projector",
                "emb_proj_dims": "3",
                "emb_proj_point": "king",
                "emb_vectors": "words-en",
            },
        ),
        lesson.Preset(
            _("Digits as points"),
            _("1,797 handwritten digits by t-SNE: ten islands, and the odd digit on the wrong one."),
            {"emb_view": "projector", "emb_proj_what": "digits", "emb_proj_method": "tsne"},
        ),
        lesson.Preset(
            _("A walk that stays near"),
            _(
                "q = 4 on a small world: what lies further away weighs a quarter. After 19 steps such walks are two edges "
                "from their start on average."
            ),
            {"emb_view": "walks", "emb_graph": "small_world", "emb_q": "4"},
        ),
        lesson.Preset(
            _("A walk that leads away"),
            _(
                "q = 0.25 on the same small world: after 19 steps more than four edges from the start on average."
            ),
            {"emb_view": "walks", "emb_graph": "small_world", "emb_q": "0.25"},
        ),
        lesson.Preset(
            _("Four blocks"),
            _("A graph whose communities are known: start the training and watch the four of them part."),
            {"emb_view": "nodes", "emb_graph": "blocks", "emb_nodes_colour": "column-0"},
        ),
        lesson.Preset(
            _("Is it better than linear algebra?"),
            _(
                "Hidden edges of the karate club: mind the whiskers. On so small a graph the lead over eigenvectors is smaller "
                "than what chance makes of it."
            ),
            {"emb_view": "nodes", "emb_nodes_part": "links"},
        ),
    ]


def show_vectors(section: str) -> None:
    """Questions to the chosen vectors, or their picture."""
    chosen = chooser.choose()
    if chosen is None:
        return
    if section == "words":
        words.show(chosen)
    else:
        show_projector(chosen)
    if chosen.model is not None:
        lesson.model_card(chosen.model)


def show_projector(chosen: Chosen) -> None:
    """The chosen vectors as points."""
    try:
        cloud = clouds.of_words(chosen.store, title=chosen.title, metadata=chosen.metadata)
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
        return
    projector.show(cloud, source=Source(f"{chosen.source.expression}.matrix", chosen.source.imports))


def show_graph(section: str) -> None:
    """A walk on the chosen graph, or its vectors."""
    scene = graph_scene.choose()
    if scene is not None:
        {"walks": walks, "nodes": nodes}[section].show(scene)


def keep_in_the_link(section: str) -> None:
    """What the other sections are about stays in the link while this one is shown."""
    if section not in ("words", "projector"):
        controls.hidden_field(chooser.KEY, _("Vectors"))
    if section != "words":
        controls.hidden_field(neighbours.WORD, _("Word"))
    if section not in ("train", "step"):
        controls.hidden_field("emb_train_text", _("Text in the link"))
    if section not in ("walks", "nodes"):
        controls.hidden_field(graph_scene.KEY, _("Graph"))


lesson.begin(
    "embeddings",
    _(
        "Type a word and walk from neighbour to neighbour; then let a text or a graph of your own become vectors."
    ),
)
lesson.presets("embeddings", presets())
titles = {
    "words": _("Words"),
    "projector": _("Projector"),
    "train": _("Train on your text"),
    "step": _("One training step"),
    "walks": _("A walk on a graph"),
    "nodes": _("Node2Vec"),
}
view = controls.choice(_("Look at"), titles, key="emb_view", label_visibility="collapsed", wrap=True)
keep_in_the_link(view)
if view in ("words", "projector"):
    show_vectors(view)
elif view in ("walks", "nodes"):
    show_graph(view)
else:
    {"train": train, "step": step}[view].show()
