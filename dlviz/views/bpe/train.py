"""Train step by step: the pairs before and after each merge, the text in tokens, the tree of a token."""

from __future__ import annotations

import streamlit as st

from dlviz.language import bpe, bpe_film, sample_texts
from dlviz.language.results import MergeSettings, MergeTrace
from dlviz.ui import lesson
from dlviz.ui.components.token_stepper import Panel, token_stepper
from dlviz.ui.language import _, latex
from dlviz.views.bpe import files, moments
from dlviz.views.bpe.scene import TRACE, Scene, noted

KEY = moments.TRAINED


@st.fragment
def show(scene: Scene, trace: MergeTrace) -> None:
    """The stepper, the maths with the numbers of the merge that it shows, and what can be taken along."""
    n = moments.current(KEY, trace.merges)
    playing = bpe_film.film(trace, *moments.window(trace, n))
    token_stepper(
        "bpe_stepper",
        [Panel(film=playing, words=words(trace.settings), more=_more(trace, playing))],
        film=scene.film,
        n=n,
        on_move=lambda step: moments.remember(KEY, step),
    )
    st.caption(_stopped(trace))
    if scene.text == sample_texts.COURSE_BPE and scene.settings == MergeSettings():
        st.caption(
            _(
                "The slide prints another final list of tokens: that list is not what the procedure yields. What it "
                "does yield, with this tie-break, is shown here."
            )
        )
    maths(trace, n)
    lesson.code(
        [
            (
                _("Training keeps, for each symbol, which merge glued it to the next one: the whole film."),
                bpe.train,
                {"text": scene.source, "settings": noted(scene.settings)},
            ),
            (
                _("Any merge can then be looked at, with the pairs before and after it:"),
                bpe.step,
                {"trace": TRACE, "n": n},
            ),
        ],
        model=None,
    )
    files.show(trace)


def words(settings: MergeSettings) -> dict[str, str]:
    """The sentences around a training by BPE, the tie-break among them."""
    if settings.tie_break == "ids":
        tied = _(
            "{tied} pairs were seen {count} times each; of equals, the one with the smallest token ids wins. "
            "Merge {n} makes {made} of {left} + {right}."
        )
    else:
        tied = _(
            "{tied} pairs were seen {count} times each; of equals, the one that comes first in the text "
            "wins. Merge {n} makes {made} of {left} + {right}."
        )
    return {
        "start": _("Nothing is merged yet: {tokens} symbols. The pair that wins next has a dotted line."),
        "won": _(
            "Merge {n} makes {made} of {left} + {right}, seen {count} times: {margin} more than the next "
            "best, {runner_left} + {runner_right} ({runner_count})."
        ),
        "tied": tied,
        "alone": _("Merge {n} makes {made} of {left} + {right}, seen {count} times: no other pair is left."),
        "before": _("Pairs before merge {n}"),
        "before_none": _("Pairs before the first merge"),
        "after": _("Pairs after merge {n}"),
        "after_last": _("Pairs after the last merge"),
        "distinct": _("{distinct} different pairs"),
    }


def _more(trace: MergeTrace, playing: bpe_film.Film) -> str:
    whole = int(trace.tokens[0])
    if len(playing.symbols) >= whole:
        return ""
    return _("… the first {shown} of {whole} symbols.", shown=len(playing.symbols), whole=whole)


def _stopped(trace: MergeTrace) -> str:
    if trace.stopped == "size":
        return _(
            "Training stopped after {merges} merges: the vocabulary has its {size} entries.",
            merges=trace.merges,
            size=trace.vocabulary_size,
        )
    return _(
        "Training stopped after {merges} merges, with {size} entries: no pair is seen {least} times "
        "any more.",
        merges=trace.merges,
        size=trace.vocabulary_size,
        least=trace.settings.min_count,
    )


def maths(trace: MergeTrace, n: int) -> None:
    """BPE's choice with the numbers of merge ``n``."""
    after = int(trace.tokens[n])
    live = ""
    if n:
        live = (
            rf"\mathrm{{count}}(a_{{{n}}}\,b_{{{n}}}) = {latex(int(trace.pair_count[n - 1]), 0)}, \qquad "
            rf"|\mathbf{{x}}| = {latex(int(trace.tokens[n - 1]), 0)} - {latex(int(trace.formed[n - 1]), 0)}"
            rf" = {latex(after, 0)}"
        )
    characters, tokens = _("characters"), _("tokens")
    ratio = rf"\frac{{{latex(trace.characters, 0)}}}{{{latex(after, 0)}}}"
    per_token = trace.characters / max(1, after)
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "Each merge takes the pair of neighbours that is seen most often, and every place where "
                    "it stands loses one token."
                ),
                r"(a_n, b_n) = \arg\max_{a,\,b} \mathrm{count}(a\,b), \qquad "
                r"V_n = V_{n-1} \cup \{a_n b_n\}",
                live,
            ),
            lesson.Formula(
                _("The compression is the number of characters that one token stands for."),
                rf"\frac{{\text{{{characters}}}}}{{\text{{{tokens}}}}}",
                rf"{ratio} = {latex(per_token, 2)}",
            ),
        ]
    )
