"""Train word vectors on a text of one's own: loss, neighbours and the map move while they are learnt."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from dlviz.errors import DlvizError, Refused
from dlviz.figures import word_training as figures
from dlviz.language import vector_files, word_corpus, word_training
from dlviz.language.word_training_results import TrainedWords, WordFrame, WordSettings
from dlviz.ui import charts, compute, controls, export, lesson
from dlviz.ui.language import _, latex, number, say
from dlviz.ui.snippet import Source
from dlviz.views.embeddings import own_text, own_words
from dlviz.views.embeddings.own_text import OwnText

SHORT = 400_000
"""Characters up to which the words are counted before the training is started: a part of a second."""

LEAST = (1, 2, 3, 5, 10, 20, 50, 100)
SUBSAMPLING = {"0": 0.0, "1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4, "1e-5": 1e-5}
RATES = {"0.01": 0.01, "0.025": 0.025, "0.05": 0.05, "0.1": 0.1}


@st.fragment
def show() -> None:
    """The section."""
    st.markdown(
        _(
            "Every word begins with a random vector. Then the text is read, and each word has to foretell its neighbours: "
            "words with the same neighbours end up with like vectors. Nothing else is told to the computer."
        )
    )
    left, right = st.columns([5, 6], gap="large")
    with left:
        own = own_text.choose()
    with right:
        settings = _settings(own)
        watched = _watched(own)
        fits = _counted(own, settings)
    # What stands below is written first: the script stays in the training until it is over.
    top, places, end, below = st.container(), _places(), st.container(), st.container()
    with below:
        _maths(settings)
        _code(own, settings, watched)
    if not fits:
        return
    try:
        with top:
            trained = compute.stream(
                word_training.train,
                key="emb_train_job",
                lane="process",
                label=_("Characters read"),
                start=_("Start the training"),
                on_frame=lambda frame: _frame(places, frame, settings),
                text=own.text,
                settings=settings,
                language=own.language,
                watched=watched,
            )
    except DlvizError as error:
        top.error(say(error), icon=":material/block:")
        return
    if trained is not None:
        with end:
            _finished(places, trained, own)


def _settings(own: OwnText) -> WordSettings:
    method = controls.choice(
        _("Method"),
        {"skip-gram": "Skip-gram", "cbow": "CBOW"},
        key="emb_train_method",
        help=_(
            "Skip-gram: the word foretells each of its neighbours. CBOW: the mean of the neighbours foretells the word."
        ),
    )
    left, right = st.columns(2)
    window = left.slider(_("Window, in words"), 1, 15, 5, key="emb_train_window", bind="query-params")
    dimensions = right.slider(_("Dimensions"), 2, 300, 50, key="emb_train_dims", bind="query-params")
    epochs = left.slider(_("Epochs"), 1, 50, 10, key="emb_train_epochs", bind="query-params")
    negatives = right.slider(_("Negatives a pair"), 1, 20, 5, key="emb_train_negatives", bind="query-params")
    with st.popover(_("More choices"), icon=":material/tune:"):
        subsampling, least, rate, seed = _more(own)
    return WordSettings(
        method=method,  # type: ignore[arg-type]
        dimensions=int(dimensions),
        window=int(window),
        negatives=int(negatives),
        subsampling=subsampling,
        epochs=int(epochs),
        min_count=least,
        alpha=rate,
        seed=seed,
    )


def _more(own: OwnText) -> tuple[float, int, float, int]:
    least = controls.choice(
        _("A word is learnt if it is used at least"),
        {str(count): number(count, 0) for count in LEAST},
        key="emb_train_least",
        default="1" if own.short else "5",
        style="select",
        help=_("Of rarer words there is too little to learn from. A short text needs a small number."),
    )
    subsampling = controls.choice(
        _("Thin out words more frequent than"),
        {
            code: number(value, 5) if value else _("none are thinned out")
            for code, value in SUBSAMPLING.items()
        },
        key="emb_train_sample",
        default="0" if own.short else "1e-3",
        style="select",
        help=_(
            "A share of the running words. Words above it are left out at random, the more frequent the oftener."
        ),
    )
    rate = controls.choice(
        _("Learning rate at the start"),
        {code: number(value, 3) for code, value in RATES.items()},
        key="emb_train_rate",
        default="0.05",
    )
    seed = st.number_input(_("Seed"), 0, 9999, 0, key="emb_train_seed", bind="query-params")
    return SUBSAMPLING[subsampling], int(least), RATES[rate], int(seed)


def _watched(own: OwnText) -> tuple[str, ...]:
    typed = st.text_input(
        _("Words to watch, with commas between"),
        key="emb_train_watch",
        bind="query-params",
        max_chars=200,
        placeholder=", ".join(own.watched) or _("some frequent words"),
    )
    asked = tuple(word.strip().lower() for word in str(typed or "").split(",") if word.strip())
    return asked[: word_training.MOST_WATCHED] or own.watched


def _counted(own: OwnText, settings: WordSettings) -> bool:
    """How many words there are to learn; False where there are too few. A long text is counted as it is read."""
    if len(own.text) > SHORT:
        st.caption(
            _("{count} characters: the words are counted when the training starts.", count=len(own.text))
        )
        return True
    try:
        corpus = compute.run(
            word_corpus.corpus, text=own.text, language=own.language, min_count=settings.min_count
        )
        word_training.check_corpus(corpus, settings)
    except Refused as refusal:
        st.warning(say(refusal), icon=":material/short_text:")
        return False
    st.caption(
        _(
            "{read} running words, {distinct} different ones; {known} of these, used {least} or more times, get a vector.",
            read=corpus.read,
            distinct=corpus.distinct,
            known=len(corpus.words),
            least=settings.min_count,
        )
    )
    return True


def _code(own: OwnText, settings: WordSettings, watched: tuple[str, ...]) -> None:
    call: dict[str, object] = {
        "text": own.source,
        "settings": _noted(settings),
        "language": own.language,
        "watched": watched,
    }
    lesson.code([(_("The training, frame by frame:"), word_training.train, call)], model=None)


def _noted(settings: WordSettings) -> Source:
    return Source(repr(settings), ("from dlviz.language.word_training_results import WordSettings",))


def _places() -> dict[str, Any]:
    """Where map, numbers, curve and neighbours will stand; nothing moves when they change."""
    left, right = st.columns([5, 4], gap="large")
    return {"map": left.empty(), "said": right.empty(), "loss": right.empty(), "near": right.empty()}


def _frame(places: dict[str, Any], frame: WordFrame, settings: WordSettings, at: str = "") -> None:
    """One moment of the training; ``at`` tells the one that is left standing from the last one that streamed."""
    at = at or str(frame.done)
    with places["map"].container():
        charts.show(
            word_map(frame), key=f"emb_train_map_{at}", alt=_("The words on the map while they are learnt.")
        )
    places["said"].markdown(_told(frame, settings))
    with places["loss"].container():
        charts.show(curve(frame, settings), key=f"emb_train_loss_{at}", alt=_("The loss so far."))
    places["near"].html(_near(frame))


def word_map(frame: WordFrame) -> Any:
    """The map at one moment as a figure."""
    return figures.word_map(frame, hover=_("times used:"))


def curve(frame: WordFrame, settings: WordSettings) -> Any:
    """The loss so far as a figure."""
    return figures.loss(
        frame,
        epochs=settings.epochs,
        untrained=(settings.negatives + 1) * float(np.log(2)),
        names=(_("loss"), _("by guessing")),
        axes=(_("epoch"), _("nats a pair")),
    )


def _told(frame: WordFrame, settings: WordSettings) -> str:
    if not len(frame.losses):
        return _("Before the first word: all vectors are random.")
    return _(
        "Epoch **{epoch}** of {epochs} · loss **{loss}** nats · **{speed}** words a second",
        epoch=number(float(frame.epochs[-1]), 1),
        epochs=settings.epochs,
        loss=number(float(frame.losses[-1]), 3),
        speed=number(frame.words_per_second, 0),
    )


def _near(frame: WordFrame) -> str:
    """The watched words with their nearest ones, as a table that can be redrawn many times a second."""
    rows = []
    for word, near, cosines in zip(frame.watched, frame.near, frame.cosine, strict=True):
        cells = " ".join(
            f'<span style="white-space: nowrap">{escape(other)} <small style="opacity: .6">{number(float(cosine), 2)}'
            "</small></span>"
            for other, cosine in zip(near, cosines, strict=True)
        )
        rows.append(
            f'<tr><td style="padding: .2rem .8rem .2rem 0; vertical-align: top"><b>{escape(word)}</b></td>'
            f'<td style="padding: .2rem 0; word-spacing: .1rem">{cells}</td></tr>'
        )
    head = escape(_("Nearest words, and their cosines"))
    return f'<table><thead><tr><th colspan="2" style="text-align: left">{head}</th></tr></thead>{"".join(rows)}</table>'


def _finished(places: dict[str, Any], trained: TrainedWords, own: OwnText) -> None:
    _frame(places, trained.frame, trained.settings, at="end")
    st.markdown(
        _(
            "**{words}** words have a vector of {dimensions} numbers each, after {seconds} seconds. The map shows the two "
            "directions in which the words on it differ most.",
            words=len(trained.words),
            dimensions=trained.settings.dimensions,
            seconds=number(trained.seconds, 1),
        )
    )
    if trained.cut:
        st.caption(
            _(
                "{count} rarer words had no room: fewer dimensions leave more room for words.",
                count=trained.cut,
            )
        )
    if trained.unknown:
        st.caption(
            _(
                "Not among the words that were learnt: {words}. They are not in the text, or too rare.",
                words=", ".join(escape(word) for word in trained.unknown),
            )
        )
    _keep(trained, own)
    _export(trained)


def _keep(trained: TrainedWords, own: OwnText) -> None:
    if own_words.holds(trained):
        st.success(
            _("Kept for this visit: choose them in the other sections, as vectors trained here."),
            icon=":material/check:",
        )
        return
    if st.button(
        _("Keep these vectors"),
        key="emb_train_keep",
        icon=":material/bookmark_add:",
        help=_("Neighbours, analogies and the projector can then ask them, until you leave."),
    ):
        own_words.keep(trained, own, _again(trained, own))
        st.rerun()


def _again(trained: TrainedWords, own: OwnText) -> Source:
    """How a notebook gets the same vectors."""
    settings = _noted(trained.settings)
    call = f"word_training.train({own.source.expression}, {settings.expression}, {own.language!r})"
    return Source(
        f"word_training.store([*{call}][-1].value)",
        ("from dlviz.language import word_training", *settings.imports, *own.source.imports),
    )


def _maths(settings: WordSettings) -> None:
    k = settings.negatives
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "A pair costs little when the word that was there has a large product with the hidden vector h, and the "
                    "k negatives, drawn at random, have small ones (Mikolov and others 2013). The course writes L with the "
                    "other sign and makes it large."
                ),
                r"-L = -\log \sigma(u_o^\top h) - \sum_{i=1}^{k} \log \sigma(-u_{n_i}^\top h), \qquad "
                r"n_i \sim P_n(w) \propto U(w)^{3/4}",
                rf"k = {k}, \qquad \sigma = \tfrac12 \Rightarrow -L = {k + 1} \ln 2 = "
                rf"{latex((k + 1) * float(np.log(2)), 2)}",
            ),
            lesson.Formula(
                _(
                    "h is the vector of the word in a skip-gram, and the mean of the neighbours' vectors in CBOW."
                ),
                r"\text{skip-gram: } h = v_{w_t} \qquad \text{CBOW: } h = \frac{1}{|C|} \sum_{w \in C} v_w",
            ),
        ]
    )


def _export(trained: TrainedWords) -> None:
    def file(form: vector_files.Format) -> bytes:
        return next(iter(vector_files.write(word_training.store(trained), form).values()))

    frame = trained.frame
    export.panel(
        "emb_train",
        figures={
            _("The map at the end"): lambda: word_map(frame),
            _("The loss"): lambda: curve(frame, trained.settings),
        },
        files={
            _("The vectors, as word2vec text"): ("vectors.txt", lambda: file("word2vec-text")),
            _("The vectors, as NPZ"): ("vectors.npz", lambda: file("npz")),
        },
        tables={
            _("The loss as a table"): lambda: [
                {"epoch": float(epoch), "loss_nats": float(loss)}
                for epoch, loss in zip(frame.epochs, frame.losses, strict=True)
            ],
            _("The watched words' neighbours as a table"): lambda: [
                {"word": word, "neighbour": other, "cosine": float(cosine)}
                for word, near, cosines in zip(frame.watched, frame.near, frame.cosine, strict=True)
                for other, cosine in zip(near, cosines, strict=True)
            ],
        },
        arrays={
            _("The map's points"): lambda: {"words": np.array(frame.words), "positions": frame.positions},
        },
    )
