"""Tokenise: which merges fire on a sentence, in which order, and what comes out."""

from __future__ import annotations

import streamlit as st

from dlviz.errors import Refused
from dlviz.language import bpe, bpe_film
from dlviz.language.results import MergeTrace, Replay, Token
from dlviz.ui import controls, lesson
from dlviz.ui.components.token_stepper import Panel, token_stepper
from dlviz.ui.language import _, latex, number, say
from dlviz.views.bpe import files, moments
from dlviz.views.bpe.scene import TRACE, Scene, noted, sentence

KEY = "bpe_fired"
SENTENCE = "bpe_sentence"
DEFAULT = "la souris sourit sous le parapluie ☂"


def show(scene: Scene, trace: MergeTrace) -> None:
    """The section: a sentence, the vocabulary to use, and the replay."""
    words = sentence(SENTENCE, _("A sentence to tokenise"), DEFAULT)
    step = moments.current(moments.TRAINED, trace.merges)
    used = controls.choice(
        _("With"),
        {
            "all": _("all {count} merges", count=trace.merges),
            "step": _("the first {count}, where Train stands", count=step),
        },
        key="bpe_used",
        wrap=True,
    )
    n = step if used == "step" else trace.merges
    try:
        replay = bpe.replay(trace, words, n=n)
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
        return
    if not replay.symbols.tokens:
        st.info(_("Type a sentence above."), icon=":material/edit:")
        return
    firings(KEY, replay, f"{scene.film} {n} {words}")
    outcome(replay)
    maths(replay)
    lesson.code(
        [
            (
                _("The vocabulary is learnt first:"),
                bpe.train,
                {"text": scene.source, "settings": noted(scene.settings)},
            ),
            (
                _("Then each piece of the sentence is merged by the rule: the earliest learnt pair first."),
                bpe.replay,
                {"trace": TRACE, "text": words, "n": n},
            ),
        ],
        model=None,
    )
    files.show(trace)


@st.fragment
def firings(key: str, replay: Replay, film: str) -> None:
    """The replay of a sentence in the browser; it opens on its end."""
    steps = len(replay.firings)
    n = moments.current(key, steps, default=steps)
    token_stepper(
        f"{key}_stepper",
        [Panel(film=bpe_film.replay_film(replay), words=replay_words(), show="fired")],
        film=film,
        n=n,
        on_move=lambda step: moments.remember(key, step),
    )


def replay_words() -> dict[str, str]:
    """The sentences around a replay."""
    fired = _("Merge {merge} fires: {left} + {right} become {made}. {tokens} tokens are left.")
    return {
        "start": _("The sentence in single symbols: {tokens}. Press play to let the merges fire."),
        "won": fired,
        "tied": fired,
        "alone": fired,
        "after": _("Merges that fire, in this order"),
    }


def outcome(replay: Replay) -> None:
    """What came out: counts, the round trip, the ids."""
    tokens = replay.result.tokens
    unknown = sum(not token.known for token in tokens)
    columns = st.columns(4)
    columns[0].metric(_("Tokens"), number(len(tokens), 0))
    columns[1].metric(_("Characters per token"), number(len(replay.result.text) / max(1, len(tokens)), 2))
    columns[2].metric(_("Unknown"), number(unknown, 0))
    columns[3].metric(_("Bytes"), number(len(replay.result.text.encode("utf-8")), 0))
    round_trip(replay.result.text, replay.result.decoded, same=replay.result.round_trip)
    with st.expander(_("Ids, bytes and merges, token by token"), icon=":material/tag:"):
        st.code(" ".join(str(token.id) for token in tokens), language=None, wrap_lines=True)
        st.dataframe(rows(tokens), hide_index=True)


def round_trip(text: str, decoded: str, *, same: bool) -> None:
    """Decoding shown beside the text."""
    if same:
        st.success(_("Round trip: decoding the ids gives the text back, character by character."))
    else:
        st.warning(
            _(
                "Round trip: decoding the ids gives another text. What differs was not in the vocabulary, or was "
                "changed before tokenising (capitals, spaces, accents)."
            )
        )
    st.code(decoded, language=None, wrap_lines=True)


def rows(tokens: tuple[Token, ...]) -> dict[str, list[object]]:
    """The tokens as a table."""
    return {
        _("Place"): list(range(1, len(tokens) + 1)),
        _("Token"): [token.text for token in tokens],
        _("As written in the vocabulary"): [token.written for token in tokens],
        _("id"): [token.id for token in tokens],
        _("Bytes in UTF-8"): [token.raw.hex(" ").upper() for token in tokens],
        _("Merge"): [token.merge or None for token in tokens],
    }


def maths(replay: Replay) -> None:
    """How encoding chooses, and how far it came."""
    start, end = len(replay.symbols.tokens), len(replay.result.tokens)
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "A sentence is encoded by the order of learning, not by counts: of all neighbours that have "
                    "a merge, the one learnt earliest is glued first."
                ),
                r"(a, b) = \arg\min_{a\,b \,\in\, \mathbf{x}} \mathrm{rank}(a\,b)",
                rf"{latex(start, 0)} \;\to\; {latex(end, 0)} \quad "
                rf"(\times\, {latex(end / max(1, start), 2)})",
            )
        ]
    )
