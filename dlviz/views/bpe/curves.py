"""Curves: what a larger vocabulary buys, how much of it is used, and Zipf's law."""

from __future__ import annotations

import streamlit as st

from dlviz.language import bpe
from dlviz.language.results import MergeTrace
from dlviz.ui import charts, controls, lesson
from dlviz.ui.language import _, latex
from dlviz.views.bpe import files, moments, quantities
from dlviz.views.bpe.scene import TRACE, Scene, noted


def show(scene: Scene, trace: MergeTrace) -> None:
    """The section: four curves over the merges, Zipf's law at the step that Train shows."""
    if not trace.merges:
        st.info(_("No pair is seen often enough to be merged, so there is no curve to draw."))
        return
    step = moments.current(moments.TRAINED, trace.merges)
    axis = controls.choice(
        _("Along"),
        {"moment": _("merges"), "vocabulary": _("size of the vocabulary")},
        key="bpe_axis",
        wrap=True,
    )
    drawn = list(quantities.titles().items())
    for row in (drawn[:2], drawn[2:]):
        for column, (field, title) in zip(st.columns(2), row, strict=True):
            with column:
                figure = quantities.curve(trace, step, field, by_vocabulary=axis == "vocabulary")
                st.markdown(f"**{title}**")
                charts.show(figure, key=f"bpe_curve_{field}", height=300, alt=title)
    st.subheader(_("Zipf's law after merge {n}", n=step), anchor=False)
    st.caption(
        _(
            "The dotted line, and this plot, stand at the merge that Train shows; move it there, and they "
            "follow."
        )
    )
    charts.show(quantities.zipf(trace, step), key="bpe_zipf", height=420, alt=_("Tokens by rank and count."))
    maths(trace, step)
    lesson.code(
        [
            (
                _("The vocabulary is learnt first:"),
                bpe.train,
                {"text": scene.source, "settings": noted(scene.settings)},
            ),
            (_("Then its curves are read off the trace:"), bpe.curves, {"trace": TRACE}),
        ],
        model=None,
    )
    files.show(trace)


def maths(trace: MergeTrace, step: int) -> None:
    """The two ratios and the law with their numbers."""
    tokens = int(trace.tokens[step])
    result = bpe.frequencies(trace, step)
    characters, named, words = _("characters"), _("tokens"), _("words")
    lesson.maths(
        [
            lesson.Formula(
                _("A larger vocabulary makes texts shorter, and the model's table of embeddings larger."),
                rf"\frac{{\text{{{characters}}}}}{{\text{{{named}}}}}, \qquad "
                rf"\frac{{\text{{{named}}}}}{{\text{{{words}}}}}",
                rf"\frac{{{latex(trace.characters, 0)}}}{{{latex(tokens, 0)}}} = "
                rf"{latex(trace.characters / tokens, 2)}, \qquad "
                rf"\frac{{{latex(tokens, 0)}}}{{{latex(trace.words, 0)}}} = "
                rf"{latex(tokens / max(1, trace.words), 2)}",
            ),
            lesson.Formula(
                _("Zipf's law: the count of a token falls as a power of its rank."),
                r"\mathrm{count}(r) \approx C\, r^{-s}",
                rf"C = {latex(result.level, 1)}, \qquad s = {latex(result.exponent, 2)}",
            ),
        ]
    )
