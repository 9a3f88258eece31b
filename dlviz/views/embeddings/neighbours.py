"""The words nearest to a word: a list to walk along, and a small picture that says how much it keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlviz.figures import embeddings as figures
from dlviz.language import word_vectors
from dlviz.language.word_results import Neighbours
from dlviz.ui import charts, export, lesson
from dlviz.ui.language import _, latex, percent
from dlviz.views.embeddings import examples, fields
from dlviz.views.embeddings.common import Chosen
from dlviz.views.embeddings.fields import tex

WORD = "emb_word"
_BARS = "emb_neighbour_bars"


def show(chosen: Chosen) -> None:
    """The question *what is near this word?*"""
    some = examples.words(chosen)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        word = fields.typed(_("Word"), key=WORD, default=some[0])
    most = min(30, len(chosen.store) - 1)
    count = min(12, most)
    if most > 5:
        count = right.slider(_("Neighbours"), 5, most, count, key="emb_count", bind="query-params")
    fields.examples(WORD, [(fields.plain(one), {WORD: one}) for one in some])
    if not fields.knows(chosen, WORD, word, [word]):
        return
    found = chosen.run(word_vectors.neighbours, word=word, count=int(count))
    if not found.words:
        st.info(_("These vectors know this one word only: it has no neighbours."))
        return
    _tell(chosen, found)
    bars_place, plane_place = st.columns([3, 4], gap="large")
    with bars_place:
        charts.show(
            bars(found),
            key=_BARS,
            on_select=_picked,
            selection_mode="points",
            alt=_("The nearest words of {word} by cosine.", word=found.word),
        )
        st.caption(_("Click a bar to go on from its word."))
    with plane_place:
        _picture(chosen, found)
    _table(chosen, found)
    maths(chosen, found)
    chosen.code_panel(
        [
            (
                _("One product of the whole matrix with one vector finds the nearest words:"),
                word_vectors.neighbours,
                {"word": found.word, "count": len(found.words)},
            )
        ]
    )
    _export(chosen, found)


def _tell(chosen: Chosen, found: Neighbours) -> None:
    row = chosen.store.row(found.word)
    word = fields.plain(found.word)
    if not len(chosen.store.counts):
        st.markdown(_("**{word}** is word number {rank} of these vectors.", word=word, rank=row + 1))
        return
    seen = int(chosen.store.counts[row])
    st.markdown(
        _(
            "**{word}** is word number {rank} by frequency: it was seen {seen} times in training.",
            word=word,
            rank=row + 1,
            seen=seen,
        )
    )
    if seen < 30:
        st.caption(_("Seen so rarely, its vector is hardly learnt: do not expect much of its neighbours."))


def _picked() -> None:
    points = st.session_state[_BARS].selection.points
    if points and isinstance(points[0].get("customdata"), (str, list)):
        named = points[0]["customdata"]
        st.session_state[WORD] = named if isinstance(named, str) else named[0]


def bars(found: Neighbours) -> Any:
    """The neighbours as bars."""
    return figures.ranking(
        found.words,
        found.cosine,
        hover=[
            _("distance {distance} · number {rank}", distance=round(float(away), 3), rank=int(row) + 1)
            for away, row in zip(found.distance, found.rows, strict=True)
        ],
        axis=_("cosine with {word}", word=found.word),
    )


def plane(chosen: Chosen, found: Neighbours) -> tuple[np.ndarray, float]:
    """Word and neighbours in the plane that keeps most of their spread, and the share that it keeps."""
    rows = np.concatenate([[chosen.store.row(found.word)], found.rows])
    units = chosen.store.unit(rows)
    turned, spread, _axes = np.linalg.svd(units - units.mean(0), full_matrices=False)
    places = np.zeros((len(rows), 2))
    places[:, : len(spread[:2])] = turned[:, :2] * spread[:2]
    total = float((spread**2).sum())
    return places, float((spread[:2] ** 2).sum()) / total if total else 1.0


def picture(places: np.ndarray, found: Neighbours) -> Any:
    """The small picture as a figure."""
    return figures.around(places, (found.word, *found.words), found.cosine)


def _picture(chosen: Chosen, found: Neighbours) -> None:
    places, share = plane(chosen, found)
    charts.show(picture(places, found), key="emb_neighbour_plane", alt=_("The word among its nearest words."))
    st.caption(
        _(
            "A plane keeps {share} of how these vectors differ in {dimensions} dimensions: who is near whom is told "
            "by the list, not by the picture. Thicker lines are larger cosines.",
            share=percent(share, 0),
            dimensions=chosen.store.dimensions,
        )
    )


def _table(chosen: Chosen, found: Neighbours) -> None:
    opened = st.expander(
        _("As a table, with both distances"),
        icon=":material/table:",
        key="emb_neighbour_table",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        st.dataframe(
            {
                _("Word"): list(found.words),
                _("Cosine"): found.cosine.round(4),
                _("Cosine distance"): found.distance.round(4),
                _("Straight distance"): found.euclidean.round(4),
                _("Rank by frequency"): found.rows + 1,
            },
            hide_index=True,
        )
        st.caption(
            _(
                "The straight distance also counts how long the vectors are, and length follows how often and how "
                "evenly a word is used: that is why words are compared by direction."
            )
        )


def maths(chosen: Chosen, found: Neighbours) -> None:
    """The cosine with the numbers of the nearest word."""
    store = chosen.store
    first, other = store.row(found.word), int(found.rows[0])
    product = float(store.matrix[first] @ store.matrix[other])
    lengths = [float(store.lengths[row]) for row in (first, other)]
    live = (
        rf"\cos({tex(found.word)}, {tex(found.words[0])}) = "
        rf"\frac{{{latex(product)}}}{{{latex(lengths[0])} \cdot {latex(lengths[1])}}} = "
        rf"{latex(float(found.cosine[0]))}"
    )
    lesson.maths(
        [
            lesson.Formula(
                _("Near means: pointing the same way. The cosine is 1 for the same direction, 0 for none."),
                r"\cos(u, w) = \frac{u \cdot w}{\lVert u \rVert \, \lVert w \rVert}, \qquad "
                r"\text{distance} = 1 - \cos(u, w)".replace("distance", _("distance")),
                live,
            )
        ]
    )


def _export(chosen: Chosen, found: Neighbours) -> None:
    rows = np.concatenate([[chosen.store.row(found.word)], found.rows])
    export.panel(
        "emb_neighbours",
        figures={
            _("The nearest words"): lambda: bars(found),
            _("The word among its nearest words"): lambda: picture(plane(chosen, found)[0], found),
        },
        tables={
            _("The nearest words as a table"): lambda: [
                {
                    "word": word,
                    "cosine": float(cosine),
                    "cosine_distance": float(away),
                    "euclidean": float(straight),
                    "rank": int(row) + 1,
                }
                for word, cosine, away, straight, row in zip(
                    found.words, found.cosine, found.distance, found.euclidean, found.rows, strict=True
                )
            ]
        },
        arrays={
            _("Their vectors"): lambda: {
                "words": np.array((found.word, *found.words)),
                "vectors": chosen.store.matrix[rows],
            }
        },
    )
