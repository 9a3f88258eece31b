"""a is to b as c is to ...: the ranking, and the parallelogram with its true corners."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlviz import zoo
from dlviz.figures import embeddings as figures
from dlviz.language import word_questions
from dlviz.language.word_results import Analogy
from dlviz.ui import charts, export, lesson
from dlviz.ui.language import _, latex, percent
from dlviz.views.embeddings import examples, fields
from dlviz.views.embeddings.common import Chosen
from dlviz.views.embeddings.fields import plain, tex

KEYS = ("emb_a", "emb_b", "emb_c")
COUNT = 10


def show(chosen: Chosen) -> None:
    """The question *a is to b as c is to what?*"""
    some = examples.analogies(chosen)
    asked = _asked(some[0])
    fields.examples(
        "emb_analogy",
        [
            (
                _("{a} : {b} = {c} : ?", a=plain(a), b=plain(b), c=plain(c)),
                dict(zip(KEYS, (a, b, c), strict=True)),
            )
            for a, b, c in some
        ],
    )
    # Every field gets its own suggestions, so all of them are looked at.
    known = [fields.knows(chosen, key, word, [word]) for key, word in zip(KEYS, asked, strict=True)]
    if not all(known):
        return
    a, b, c = asked
    found = chosen.run(word_questions.analogy, a=a, b=b, c=c, count=COUNT)
    if not found.words:
        st.info(_("There is no other word to answer with."))
        return
    _tell(found)
    bars_place, plane_place = st.columns([3, 4], gap="large")
    with bars_place:
        charts.show(bars(found), key="emb_analogy_bars", alt=_("The ranking of the analogy."))
        _say_what_was_left_out(found)
    with plane_place:
        charts.show(parallelogram(found), key="emb_analogy_plane", alt=_("The parallelogram of the analogy."))
        st.caption(
            _(
                "The plane goes through the first three words exactly, and the fourth corner lies in it. Answers are "
                "shadows on this plane: the smaller and paler a point, the higher it stands above it."
            )
        )
    _how_often_right(chosen)
    maths(found)
    chosen.code_panel(
        [
            (
                _("The words in the direction of b − a + c, those of the question left out:"),
                word_questions.analogy,
                {"a": a, "b": b, "c": c, "count": COUNT},
            )
        ]
    )
    _export(found)


def _asked(first: tuple[str, str, str]) -> tuple[str, str, str]:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        a = fields.typed(_("This word…"), key=KEYS[0], default=first[0])
        b = fields.typed(_("…is to this one…"), key=KEYS[1], default=first[1])
        c = fields.typed(_("…as this one is to ?"), key=KEYS[2], default=first[2])
    return a, b, c


def _tell(found: Analogy) -> None:
    a, b, c = (plain(word) for word in found.question)
    st.markdown(
        _(
            "{b} − {a} + {c} points most nearly at **{first}** (cosine {cosine}).",
            a=a,
            b=b,
            c=c,
            first=plain(found.words[0]),
            cosine=round(float(found.cosine[0]), 3),
        )
    )


def _say_what_was_left_out(found: Analogy) -> None:
    nearest = int(found.own.argmax())
    if found.own[nearest] > found.cosine[0]:
        st.caption(
            _(
                "Left out of the ranking, as always: the words of the question. **{word}** itself is nearer still "
                "(cosine {cosine}); without this rule it would be the answer.",
                word=plain(found.question[nearest]),
                cosine=round(float(found.own[nearest]), 3),
            )
        )
    else:
        st.caption(_("Left out of the ranking, as always: the words of the question (grey bars)."))


def _how_often_right(chosen: Chosen) -> None:
    """How much to trust such an answer: the card's own figure."""
    if chosen.model is None:
        return
    share = next((one.value for one in zoo.card(chosen.model).metrics if one.name == "Analogies"), None)
    if share is not None:
        st.caption(
            _(
                "Do not trust a single example: of the thousands of questions in the model's card, the first answer is "
                "right for {share}.",
                share=percent(share),
            )
        )


def bars(found: Analogy) -> Any:
    """The ranking as bars, the question's own words pale below it."""
    return figures.ranking(
        (*found.words, *found.question),
        [*found.cosine, *found.own],
        hover=[
            *[_("number {rank} by frequency", rank=int(row) + 1) for row in found.rows],
            *[_("a word of the question")] * 3,
        ],
        axis=_("cosine with b − a + c"),
        pale=3,
    )


def parallelogram(found: Analogy) -> Any:
    """The plane of the question as a figure."""
    a, b, c = found.question
    return figures.parallelogram(found.plane, target=f"{b} − {a} + {c}")


def maths(found: Analogy) -> None:
    """3CosAdd with the numbers of the winner."""
    a, b, c = (tex(word) for word in found.question)
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "The step from a to b, taken from c: with vectors of length 1, the word in that direction is the "
                    "answer. It maximises three similarities at once: near to b and to c, far from a."
                ),
                r"\arg\max_{w \notin \{a, b, c\}} \cos(\hat w,\; \hat b - \hat a + \hat c)",
                rf"\cos({tex(found.words[0])},\; {b} - {a} + {c}) = {latex(float(found.cosine[0]))}",
            )
        ]
    )


def _export(found: Analogy) -> None:
    export.panel(
        "emb_analogy",
        figures={
            _("The ranking"): lambda: bars(found),
            _("The parallelogram"): lambda: parallelogram(found),
        },
        tables={
            _("The ranking as a table"): lambda: [
                {"word": word, "cosine": float(cosine), "rank": int(row) + 1}
                for word, cosine, row in zip(found.words, found.cosine, found.rows, strict=True)
            ]
        },
        arrays={
            _("The plane"): lambda: {
                "points": found.plane.points,
                "height": found.plane.height,
                "target": found.plane.target,
            }
        },
    )
