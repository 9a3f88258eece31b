"""Words in groups by direction: what the vectors hold to be of a kind."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlviz.figures import embeddings as figures
from dlviz.language import word_questions
from dlviz.language.word_results import Clusters
from dlviz.ui import charts, export, lesson
from dlviz.ui.language import _, latex
from dlviz.views.embeddings.common import Chosen

LIMITS = (500, 1000, 2000, 5000)
CENTRAL = 10


def show(chosen: Chosen) -> None:
    """The question *which words are of a kind?*"""
    groups, limit, seed = _settings(chosen)
    with st.spinner(_("Grouping the words."), show_time=True):
        found = chosen.run(word_questions.clusters, groups=groups, limit=limit, central=CENTRAL, seed=seed)
    charts.show(
        tiles(found),
        key="emb_clusters_tiles",
        alt=_("The groups of words, each with its most central words."),
    )
    st.caption(
        _(
            "Each tile is a group, its area the number of its words; it names the words nearest to its centre. Nobody has "
            "told the vectors what a verb, a place or a part of the body is."
        )
    )
    _one(found)
    maths(found)
    chosen.code_panel(
        [
            (
                _("k-means on vectors of length 1:"),
                word_questions.clusters,
                {"groups": groups, "limit": limit, "central": CENTRAL, "seed": seed},
            )
        ]
    )
    _export(found)


def _settings(chosen: Chosen) -> tuple[int, int, int]:
    words = len(chosen.store)
    left, middle, right = st.columns([2, 3, 1], vertical_alignment="bottom")
    most = max(2, min(40, words))
    groups = left.slider(
        _("Groups"), 2, most, min(12, most), key="emb_groups", bind="query-params"
    ) if most > 2 else most  # fmt: skip
    limit = middle.select_slider(
        _("Words, the most frequent first"), LIMITS, 2000, key="emb_limit", bind="query-params"
    )
    seed = right.number_input(_("Seed"), 0, 9999, 0, key="emb_clusters_seed", bind="query-params")
    return min(int(groups), words), int(limit), int(seed)


def names(found: Clusters) -> list[str]:
    """A group is named by its three most central words."""
    return [", ".join(words[:3]) for words in found.central]


def tiles(found: Clusters) -> Any:
    """The groups as tiles."""
    return figures.tiles(found, size=_("words"), cohesion=_("mean cosine with the centre"))


def _one(found: Clusters) -> None:
    """All words of one group, the visitor's choice."""
    titles = names(found)
    with st.expander(_("All words of a group"), icon=":material/list:"):
        place = st.selectbox(
            _("Group"),
            range(len(titles)),
            format_func=lambda i: f"{i + 1} · {titles[i]}",
            key=f"emb_cluster_of_{len(titles)}",
        )
        members = [
            word for word, label in zip(found.words, found.labels, strict=True) if label == (place or 0)
        ]
        st.text(", ".join(members))


def maths(found: Clusters) -> None:
    """What k-means makes small."""
    share = float((found.cohesion * found.sizes).sum() / found.sizes.sum())
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "k-means moves k centres until each word belongs to the nearest one and each centre is the mean of its "
                    "words. Live: the mean cosine of a word with its own centre."
                ),
                r"\min_{c_1 \dots c_k} \sum_i \min_j \lVert \hat w_i - c_j \rVert^2",
                rf"\frac{{1}}{{n}} \sum_i \cos(\hat w_i, c_{{(i)}}) = {latex(share)}",
            )
        ]
    )


def _export(found: Clusters) -> None:
    export.panel(
        "emb_clusters",
        figures={_("The groups of words"): lambda: tiles(found)},
        tables={
            _("Every word and its group"): lambda: [
                {"word": word, "group": int(label) + 1, "rank": int(row) + 1}
                for word, label, row in zip(found.words, found.labels, found.rows, strict=True)
            ]
        },
    )
