"""Which of a few words fits the others least."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlviz.figures import embeddings as figures
from dlviz.language import word_questions
from dlviz.language.word_results import OddOneOut
from dlviz.ui import charts, export, lesson
from dlviz.ui.language import _, latex
from dlviz.views.embeddings import examples, fields
from dlviz.views.embeddings.common import Chosen
from dlviz.views.embeddings.fields import plain, tex

ROW = "emb_odd"


def show(chosen: Chosen) -> None:
    """The question *which one does not belong?*"""
    some = examples.odd(chosen)
    text = fields.typed(
        _("Words, one of which does not belong"),
        key=ROW,
        default=some[0],
        help=_("Words with commas between them."),
    )
    fields.examples(ROW, [(plain(row), {ROW: row}) for row in some])
    fields.knows(chosen, ROW, text, fields.words(text))
    known = fields.sift(chosen, fields.words(text))[0]
    found = chosen.run(word_questions.odd_one_out, words=tuple(known))
    st.markdown(
        _(
            "**{word}** fits the others least: its cosine with the mean of all is {cosine}.",
            word=plain(found.words[found.odd]),
            cosine=round(float(found.cosine[found.odd]), 3),
        )
    )
    left, right = st.columns([3, 4], gap="large")
    with left:
        charts.show(bars(found), key="emb_odd_bars", alt=_("Cosine of each word with the mean of all."))
    with right:
        charts.show(between(found), key="emb_odd_between", alt=_("Cosines of the words with each other."))
    maths(found)
    chosen.code_panel(
        [
            (
                _("The lowest cosine with the mean of all:"),
                word_questions.odd_one_out,
                {"words": list(found.words)},
            )
        ]
    )
    _export(found)


def bars(found: OddOneOut) -> Any:
    """Each word's cosine with the mean, the lowest last."""
    order = (-found.cosine).argsort(kind="stable")
    return figures.ranking(
        [found.words[i] for i in order],
        found.cosine[order],
        hover=[""] * len(order),
        axis=_("cosine with the mean"),
        marked=len(order) - 1,
    )


def between(found: OddOneOut) -> Any:
    """The words against each other."""
    return figures.between(found.words, found.between, name=_("cosine"))


def maths(found: OddOneOut) -> None:
    """The mean, and the cosine of the odd one."""
    lesson.maths(
        [
            lesson.Formula(
                _("The mean of all words' vectors of length 1, and the word that is least like it:"),
                r"m = \frac{1}{n}\sum_i \hat w_i, \qquad \arg\min_i \cos(\hat w_i, m)",
                rf"\cos({tex(found.words[found.odd])}, m) = {latex(float(found.cosine[found.odd]))}",
            )
        ]
    )


def _export(found: OddOneOut) -> None:
    export.panel(
        "emb_odd",
        figures={
            _("Cosine of each word with the mean of all"): lambda: bars(found),
            _("Cosines of the words with each other"): lambda: between(found),
        },
        tables={
            _("Cosines of the words with each other, as a table"): lambda: [
                {"word": word, **dict(zip(found.words, map(float, row), strict=True))}
                for word, row in zip(found.words, found.between, strict=True)
            ]
        },
    )
