"""Where a single step is taken: the text, the sentence, the word, the draws, and the steps taken before."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from dlviz.errors import Refused
from dlviz.language import word_corpus, word_step
from dlviz.language.word_step_results import Place, StepSettings, Weights, Window
from dlviz.language.word_training_results import Corpus
from dlviz.ui import compute, controls
from dlviz.ui.language import _, number, say
from dlviz.views.embeddings.own_text import OwnText

READ = 500_000
"""Characters of a text that are looked at here."""

MOST_TAKEN = 30
"""Steps that a link remembers."""

AROUND = 18
"""Words to either side of the centre that are shown of a long sentence."""

TAKEN, SENTENCE, CENTRE, NEIGHBOUR = (
    "emb_step_taken",
    "emb_step_sentence",
    "emb_step_centre",
    "emb_step_neighbour",
)
FIRST_THINNING = 2
"""A seed whose windows are wide enough to see something on a first visit."""

DRAW, THINNING = "emb_step_draw", "emb_step_thinning"
SUBSAMPLING = {"0": 0.0, "1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4}
RATES = {"0.025": 0.025, "0.1": 0.1, "0.5": 0.5, "1": 1.0}


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All that a step needs."""

    own: OwnText
    corpus: Corpus
    weights: Weights
    start: str
    dimensions: int
    settings: StepSettings
    place: Place
    seen: Window
    taken: tuple[Place, ...]

    def word(self, row: int) -> str:
        """A word by its row."""
        return self.corpus.words[row]


def settings(own: OwnText) -> tuple[StepSettings, str, int]:
    """The widgets for how a step is taken, the vectors it begins from, and their dimensions."""
    method = controls.choice(_("Method"), {"skip-gram": "Skip-gram", "cbow": "CBOW"}, key="emb_step_method")
    start = controls.choice(
        _("The vectors before"),
        {"practised": _("after some training on this text"), "fresh": _("as drawn, before the first step")},
        key="emb_step_start",
        wrap=True,
    )
    left, right = st.columns(2)
    window = left.slider(_("Window, in words"), 1, 8, 3, key="emb_step_window", bind="query-params")
    negatives = right.slider(_("Negatives"), 1, 12, 5, key="emb_step_negatives", bind="query-params")
    with st.popover(_("More choices"), icon=":material/tune:"):
        dimensions = st.slider(_("Dimensions"), 2, 50, 10, key="emb_step_dims", bind="query-params")
        rate = controls.choice(
            _("Learning rate"),
            {code: number(value, 3) for code, value in RATES.items()},
            key="emb_step_rate",
            default="0.1",
        )
        subsampling = controls.choice(
            _("Thin out words more frequent than"),
            {
                code: number(value, 4) if value else _("none are thinned out")
                for code, value in SUBSAMPLING.items()
            },
            key="emb_step_sample",
            default="0" if own.short else "1e-2",
            style="select",
        )
    found = StepSettings(method, int(window), int(negatives), SUBSAMPLING[subsampling], RATES[rate])  # type: ignore[arg-type]
    return found, start, int(dimensions)


def scene(own: OwnText, chosen: StepSettings, start: str, dimensions: int) -> Scene | None:
    """The place in the text, from its widgets; None, with a sentence, where the text has none."""
    _forget_the_last_text(own)
    try:
        corpus = compute.run(word_corpus.corpus, text=own.text[:READ], language=own.language)
        numbers = word_step.places(corpus)
        if len(corpus.words) < 3 or not len(numbers):
            st.warning(_("The text needs a sentence of three words at least."), icon=":material/short_text:")
            return None
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
        return None
    if len(own.text) > READ:
        st.caption(_("Of this long text the first {count} characters are looked at here.", count=READ))
    if start == "fresh":
        weights = compute.run(word_step.fresh, corpus=corpus, dimensions=dimensions)
    else:
        weights = compute.run(word_step.practised, corpus=corpus, dimensions=dimensions, method=chosen.method)
    left, middle, right = st.columns([3, 2, 2], gap="large")
    with left:
        sentence = _sentence(corpus, [int(n) for n in numbers], own)
    thinning = middle.number_input(
        _("Seed of the window"),
        0,
        99_999,
        FIRST_THINNING,
        key=THINNING,
        bind="query-params",
        help=_("Which frequent words are left out, and how far the window reaches."),
    )
    draw = right.number_input(
        _("Seed of the negatives"),
        0,
        99_999,
        0,
        key=DRAW,
        bind="query-params",
        help=_("Another seed draws others."),
    )
    place = Place(sentence, _centre(corpus, sentence, own), thinning=int(thinning), draw=int(draw))
    seen = word_step.window(corpus, chosen, place)
    if chosen.method == "skip-gram":
        place = replace(place, neighbour=_neighbour(corpus, seen))
    return Scene(own, corpus, weights, start, dimensions, chosen, place, seen, taken())


def _forget_the_last_text(own: OwnText) -> None:
    """A place in one text means nothing in another."""
    state, key = st.session_state, "emb_step_about"
    if state.get(key, own.digest) != own.digest:
        for name in (SENTENCE, CENTRE, NEIGHBOUR, TAKEN):
            state.pop(name, None)
    state[key] = own.digest


def _sentence(corpus: Corpus, numbers: list[int], own: OwnText) -> int:
    first = 0
    if own.watched and own.watched[0] in corpus.words:
        row = corpus.words.index(own.watched[0])
        first = next((i for i, n in enumerate(numbers) if row in corpus.sentence(n)), 0)
    state = st.session_state
    if isinstance(state.get(SENTENCE), int) and not 1 <= state[SENTENCE] <= len(numbers):
        del state[SENTENCE]
    chosen = st.number_input(
        _("Sentence, of {count}", count=len(numbers)),
        1,
        len(numbers),
        first + 1,
        key=SENTENCE,
        bind="query-params",
    )
    return numbers[int(chosen) - 1]


def _centre(corpus: Corpus, sentence: int, own: OwnText) -> int:
    """Click a word of the sentence to make it the centre."""
    words = [corpus.words[row] for row in corpus.sentence(sentence)]
    watched = [place for place, word in enumerate(words) if word in own.watched]
    first = watched[0] if watched else len(words) // 2
    linked = str(st.session_state.get(CENTRE) or "")
    middle = int(linked) if linked.isdecimal() and int(linked) < len(words) else first
    shown = range(max(0, middle - AROUND), min(len(words), middle + AROUND + 1))
    return int(
        controls.choice(
            _("Click the word in the middle"),
            {str(place): words[place] for place in shown},
            key=CENTRE,
            default=str(first),
            style="pills",
        )
    )


def _neighbour(corpus: Corpus, seen: Window) -> int:
    """Click the neighbour that makes the pair."""
    if not len(seen.context):
        return 0
    options = {
        str(i): f"{corpus.words[seen.rows[place]]} ({place - seen.centre:+d})".replace("-", "−")
        for i, place in enumerate(seen.context.tolist())
    }
    return int(
        controls.choice(_("and the neighbour that it has to foretell"), options, key=NEIGHBOUR, style="pills")
    )


def taken() -> tuple[Place, ...]:
    """The steps in the link: places with their draws, five numbers each."""
    linked = controls.hidden_field(TAKEN, _("Steps in the link"))
    found = []
    for part in linked.split("_")[:MOST_TAKEN]:
        numbers = part.split(".")
        if len(numbers) == 5 and all(one.isdecimal() and len(one) < 9 for one in numbers):
            found.append(Place(*map(int, numbers)))
    return tuple(found)


def remember(places: tuple[Place, ...]) -> None:
    """Put steps into the link."""
    st.session_state[TAKEN] = "_".join(
        f"{one.sentence}.{one.centre}.{one.neighbour}.{one.thinning}.{one.draw}" for one in places
    )
