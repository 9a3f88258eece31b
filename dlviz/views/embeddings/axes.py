"""An axis between two lists of words, and words placed on it: what the texts say, prejudice included."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlviz.figures import embeddings as figures
from dlviz.language import word_questions
from dlviz.language.word_results import AxisPlacement
from dlviz.ui import charts, export, lesson
from dlviz.ui.language import _, latex
from dlviz.views.embeddings import examples, fields
from dlviz.views.embeddings.common import Chosen
from dlviz.views.embeddings.fields import tex

LOW, HIGH, ON = "emb_low", "emb_high", "emb_on"


def show(chosen: Chosen) -> None:
    """The question *where do these words stand between those?*"""
    some = examples.axes(chosen)
    lists = _lists(some[0])
    titles = _titles()
    fields.examples(
        "emb_axis", [(titles[one.code], {LOW: one.low, HIGH: one.high, ON: one.on}) for one in some]
    )
    for key, text in lists.items():
        fields.knows(chosen, key, text, fields.words(text))
    low, high, on = (fields.sift(chosen, fields.words(text))[0] for text in lists.values())
    found = chosen.run(
        word_questions.semantic_axis, negative=tuple(low), positive=tuple(high), words=tuple(on)
    )
    charts.show(axis(found), key="emb_axis_strip", alt=_("Words on an axis between two poles."))
    st.caption(
        _(
            "The grey band is where most words stand: the mean of all words of these vectors, and one standard "
            "deviation on either side. The zero of an axis means nothing by itself."
        )
    )
    _what_it_says()
    _ends(found)
    maths(found)
    chosen.code_panel(
        [
            (
                _("The axis joins the means of the two poles, and a word's place on it is a product:"),
                word_questions.semantic_axis,
                {"negative": low, "positive": high, "words": on},
            )
        ]
    )
    _export(found)


def _titles() -> dict[str, str]:
    return {
        "gender": _("Women and men: who holds which trade?"),
        "wealth": _("Poor and rich"),
        "feeling": _("Sadness and joy"),
        "own": _("Frequent words"),
    }


def _lists(first: examples.Axis) -> dict[str, str]:
    help_ = _("Words with commas between them.")
    left, right = st.columns(2)
    with left:
        low = fields.typed(_("One pole"), key=LOW, default=first.low, help=help_)
    with right:
        high = fields.typed(_("The other pole"), key=HIGH, default=first.high, help=help_)
    on = fields.typed(_("Words to place between them"), key=ON, default=first.on, help=help_)
    return {LOW: low, HIGH: high, ON: on}


def _what_it_says() -> None:
    st.info(
        _(
            "What you see is how these texts use the words, not how the world is, nor how it should be. A word stands "
            "near a pole because it is used like the pole's words: if a trade stands near “she”, these texts tell of "
            "women in it. Vectors learn such habits, prejudices among them, and whoever builds on the vectors passes "
            "them on."
        ),
        icon=":material/balance:",
    )


def _ends(found: AxisPlacement) -> None:
    """The frequent words that stand furthest out: what the axis is really about."""
    left, right = st.columns(2)
    for column, title, words in (
        (left, _("Furthest towards the first pole, of the 5,000 most frequent words:"), found.lowest),
        (right, _("Furthest towards the other pole:"), found.highest),
    ):
        with column:
            st.markdown(f"{title} {', '.join(fields.plain(word) for word in words) or '–'}")


def axis(found: AxisPlacement) -> Any:
    """The axis as a figure."""
    names = (", ".join(found.negative[:4]), ", ".join(found.positive[:4]))
    return figures.axis(found, poles=names, title=_("cosine with the axis"))


def maths(found: AxisPlacement) -> None:
    """The axis with the place of the outermost word."""
    live = ""
    if found.words:
        far = int(abs(found.places - found.mean).argmax())
        place, standard = float(found.places[far]), float(found.standard[far])
        live = (
            rf"\hat w \cdot a = {latex(place)} \quad ({tex(found.words[far])}), \qquad "
            rf"\frac{{{latex(place)} - ({latex(found.mean)})}}{{{latex(found.spread)}}} = {latex(standard, 2)}"
        )
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "Each pole is the mean of its words' vectors of length 1. The place of a word is its cosine with "
                    "the step from one pole to the other; below, also in standard deviations from the mean of all "
                    "words."
                ),
                r"a = \frac{m_+ - m_-}{\lVert m_+ - m_- \rVert}, \qquad \text{place}(w) = \hat w \cdot a".replace(
                    "place", _("place")
                ),
                live,
            )
        ]
    )


def _export(found: AxisPlacement) -> None:
    export.panel(
        "emb_axis",
        figures={_("The axis"): lambda: axis(found)},
        tables={
            _("The places as a table"): lambda: [
                {"word": word, "place": float(place), "standard_deviations": float(standard)}
                for word, place, standard in zip(found.words, found.places, found.standard, strict=True)
            ]
        },
    )
