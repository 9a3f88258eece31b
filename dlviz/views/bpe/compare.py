"""BPE, WordPiece and Unigram on the same text, step by step, and on the same sentence."""

from __future__ import annotations

import streamlit as st

from dlviz.errors import Refused
from dlviz.language import bpe, bpe_film, pretokenise, unigram, wordpiece
from dlviz.language.results import LongestMatch, MergeSettings, MergeTrace, UnigramSettings, UnigramTrace
from dlviz.ui import compute, lesson
from dlviz.ui.components.token_stepper import Panel, Round, token_stepper
from dlviz.ui.language import _, latex, say
from dlviz.views.bpe import files, moments, tokens, train
from dlviz.views.bpe.scene import Scene, noted, sentence

KEY = "bpe_three"
LONGEST = 20_000
"""Characters of the text that the three learn from: Unigram weighs every way to cut every word."""

AT_ONCE = 1000
"""Characters up to which Unigram takes less than a moment."""

DEFAULT = "la souris sourit"


def show(scene: Scene) -> None:
    """The section."""
    extra = st.select_slider(
        _("Pieces beyond the single letters"),
        [4, 8, 16, 32, 64, 128, 256, 512],
        4,
        key="bpe_extra",
        bind="query-params",
    )
    st.caption(
        _(
            "All three start from the characters of words, whatever borders are chosen above; each step is "
            "one merge, or one round of pruning."
        )
    )
    text = scene.text[:LONGEST]
    if len(text) < len(scene.text):
        st.caption(_("All three learn from the first {count} characters.", count=LONGEST))
    bytepair, word, pieces = settings_of(text, scene.settings, int(extra))
    try:
        merges = compute.run(bpe.train, text=text, settings=bytepair)
        bound = compute.run(bpe.train, text=text, settings=word)
        likely = _unigram(text, pieces)
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
        return
    if likely is None:
        return
    three(merges, bound, bpe_film.piece_film(likely), f"{scene.film} {extra}")
    st.subheader(_("The same sentence in all three"), anchor=False)
    on_a_sentence(merges, bound, likely)
    lesson.code(
        [
            (
                _("WordPiece is trained by the same loop, with another choice:"),
                bpe.train,
                {"text": scene.source, "settings": noted(word)},
            ),
            (
                _("Unigram starts large and is pruned:"),
                unigram.train,
                {"text": scene.source, "settings": noted(pieces)},
            ),
        ],
        model=None,
    )
    files.show_three(merges, bound, likely)


def _unigram(text: str, settings: UnigramSettings) -> UnigramTrace | None:
    """At once for a short text, as a job for a long one."""
    if len(text) <= AT_ONCE:
        return compute.run(unigram.train, text=text, settings=settings)
    trace: UnigramTrace | None = compute.stream(
        unigram.train_steps, key="bpe_pieces", label=_("Unigram"), text=text, settings=settings
    )
    return trace


def settings_of(
    text: str, chosen: MergeSettings, extra: int
) -> tuple[MergeSettings, MergeSettings, UnigramSettings]:
    """The three trainings with room for ``extra`` pieces beyond the letters.

    With an end mark, and with ``##``, each letter stands in the alphabet twice.
    """
    clean = pretokenise.normalise(text, chosen.normalisation, lower=chosen.lower)
    letters = len({letter for word in pretokenise.pieces(clean, "words") for letter in word})
    size = 2 * letters + extra
    form, lower, least = chosen.normalisation, chosen.lower, chosen.min_count
    tie = chosen.tie_break
    return (
        MergeSettings("bpe", "characters", "words", form, lower, size, least, tie),
        MergeSettings("wordpiece", "characters", "bert", form, lower, size, least, tie),
        UnigramSettings(letters + 1 + extra, normalisation=form, lower=lower),
    )


@st.fragment
def three(merges: MergeTrace, bound: MergeTrace, pruned: bpe_film.PieceFilm, film: str) -> None:
    """The three panels under one set of buttons, and the maths of their choices."""
    last = max(merges.merges, bound.merges, len(pruned.rounds) - 1)
    n = moments.current(KEY, last, default=3)
    token_stepper(
        "bpe_three_stepper",
        [
            _merging(_("BPE: the most frequent pair"), merges, n, train.words(merges.settings), "count"),
            _merging(_("WordPiece: the pair most bound together"), bound, n, _bound_words(), "score"),
            _pruning(pruned),
        ],
        film=film,
        n=n,
        on_move=lambda step: moments.remember(KEY, step),
    )
    maths(merges, bound, pruned, n)


def _merging(title: str, trace: MergeTrace, n: int, words: dict[str, str], by: str) -> Panel:
    playing = bpe_film.film(trace, *moments.window(trace, min(n, trace.merges)), top=8, symbols=700)
    return Panel(film=playing, title=title, words=words, show="next", by=by, rows=8)


def _bound_words() -> dict[str, str]:
    won = _(
        "Merge {n} makes {made} of {left} + {right}: count {count}, score {score}. Next best: "
        "{runner_left} + {runner_right}, score {runner_score}."
    )
    alone = _("Merge {n} makes {made} of {left} + {right}: count {count}, score {score}.")
    return {
        "start": _("Nothing is merged yet: {tokens} symbols. The pair that wins next has a dotted line."),
        "won": won,
        "tied": _(
            "{tied} pairs have the score {score} and the count {count}; the tie-break decides. "
            "Merge {n} makes {made} of {left} + {right}."
        ),
        "alone": alone,
        "after": _("Scores after merge {n}"),
        "after_last": _("Scores after the last merge"),
        "none": _("No pair is seen often enough to be merged."),
        "distinct": _("{distinct} different pairs"),
    }


def _pruning(film: bpe_film.PieceFilm) -> Panel:
    rounds = [
        Round(
            tokens=one.tokens,
            words=one.words,
            rows=[(row.entry, row.loss, row.pruned) for row in one.rows],
            said=_round_said(number_, one),
            title=_("Least missed: loss in nats"),
            note=_("{pieces} pieces", pieces=one.pieces),
        )
        for number_, one in enumerate(film.rounds, 1)
    ]
    return Panel(
        entries=film.entries,
        rounds=rounds,
        title=_("Unigram: prune what is missed least"),
        show="next",
        rows=8,
        ids=False,
    )


def _round_said(round_number: int, one: bpe_film.PieceRound) -> str:
    values = {
        "round": round_number,
        "pieces": one.pieces,
        "tokens": one.whole,
        "before": round(one.before, 1),
        "after": round(one.after, 1),
    }
    if one.pruned:
        return _(
            "Round {round}: {pieces} pieces, {tokens} tokens. EM lowers the text's cost from {before} to "
            "{after} nats; then {pruned} pieces go.",
            pruned=one.pruned,
            **values,
        )
    return _(
        "Round {round}, the last: {pieces} pieces stay, {tokens} tokens. EM lowers the text's cost from "
        "{before} to {after} nats.",
        **values,
    )


def maths(merges: MergeTrace, bound: MergeTrace, pruned: bpe_film.PieceFilm, n: int) -> None:
    """The three choices with the numbers of the step that is shown."""
    count = score = ""
    if n and merges.merges:
        count = rf"\mathrm{{count}} = {latex(int(merges.pair_count[min(n, merges.merges) - 1]), 0)}"
    if n and bound.merges:
        now = bpe.step(bound, min(n, bound.merges), top=1)
        assert now.winner is not None
        parts = now.winner.count / now.winner.score
        ratio = rf"\frac{{{now.winner.count}}}{{{latex(parts, 0)}}}"
        score = rf"\mathrm{{score}} = {ratio} = {latex(now.winner.score)}"
    one = pruned.rounds[min(n, len(pruned.rounds) - 1)]
    lesson.maths(
        [
            lesson.Formula(
                _("BPE merges the pair seen most often."), r"\arg\max_{a,\,b} \mathrm{count}(a\,b)", count
            ),
            lesson.Formula(
                _("WordPiece merges the pair whose parts are seen least without each other."),
                r"\mathrm{score}(a, b) = \frac{\mathrm{count}(a\,b)}{\mathrm{count}(a)\,\mathrm{count}(b)}",
                score,
            ),
            lesson.Formula(
                _(
                    "Unigram gives each piece a probability by EM, and prunes the pieces without which the "
                    "best segmentation of the text gets worse the least."
                ),
                r"\mathcal{L} = -\sum_{w} \log \sum_{\mathbf{x} \to w} \prod_i p(x_i)",
                rf"\mathcal{{L}}: {latex(one.before, 1)} \to {latex(one.after, 1)}\ \text{{nats}}",
            ),
        ]
    )


def on_a_sentence(merges: MergeTrace, bound: MergeTrace, likely: UnigramTrace) -> None:
    """One sentence in the three finished vocabularies, and how each of them found its way."""
    words = sentence("bpe_same", _("A sentence to tokenise"), DEFAULT)
    try:
        replay = bpe.replay(merges, words)
        match = wordpiece.longest_match(bound, words)
        best = unigram.tokenise(likely, words)
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
        return
    named = (
        (_("BPE"), replay.result.tokens, _("{tokens} tokens by replaying the merges.")),
        (_("WordPiece"), match.result.tokens, _("{tokens} tokens by taking the longest piece that fits.")),
        (_("Unigram"), best.tokens, _("{tokens} tokens by the most probable way through.")),
    )
    token_stepper(
        "bpe_same_tokens",
        [tokens.panel(title, found, said.format(tokens=len(found))) for title, found, said in named],
        film=f"{words} {likely.characters} {likely.settings}",
        stacked=True,
    )
    with st.expander(_("What WordPiece tried at each place"), icon=":material/straighten:"):
        st.dataframe(_tries(match), hide_index=True)
    lattice = unigram.lattice(likely, words)
    with st.expander(_("The pieces that Unigram weighed"), icon=":material/route:"):
        st.dataframe(
            {
                _("Begins at"): [arc.start for arc in lattice.arcs],
                _("Piece"): [arc.piece for arc in lattice.arcs],
                _("Log-probability"): [arc.log_probability for arc in lattice.arcs],
                _("Best way that ends with it"): [arc.best for arc in lattice.arcs],
                _("Chosen"): [arc.chosen for arc in lattice.arcs],
            },
            hide_index=True,
        )


def _tries(match: LongestMatch) -> dict[str, list[object]]:
    return {
        _("Word"): [one.word + 1 for one in match.matches],
        _("Begins at"): [one.start for one in match.matches],
        _("Tried in vain"): [", ".join(one.tried) for one in match.matches],
        _("Taken"): [one.piece or _("none: the word is unknown") for one in match.matches],
    }
