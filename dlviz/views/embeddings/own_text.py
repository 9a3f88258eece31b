"""The text that word vectors are trained on: one choice for the training and for the single step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import streamlit as st

from dlviz.i18n import N_
from dlviz.language import word_corpus, word_samples
from dlviz.language.word_tokens import Language
from dlviz.ui import controls, texts
from dlviz.ui.language import _, current
from dlviz.ui.snippet import Source

KEY = "emb_train_text"
LIMIT = word_corpus.MAX_CHARACTERS
SHORT = 20_000


@dataclass(frozen=True, slots=True)
class OwnText:
    """A text to learn from.

    Attributes
    ----------
    text, digest
        The text, and what stands for it.
    language
        Whose rules cut it into words.
    title, ours
        What it is called: a message id if it is one of our samples or has no name, else the name of the file.
    watched
        Words worth watching; none where nobody knows.
    source
        How a notebook gets the text.
    """

    text: str
    digest: str
    language: Language
    title: str
    ours: bool
    watched: tuple[str, ...]
    source: Source

    @property
    def short(self) -> bool:
        """Whether there is too little to leave anything out: a few thousand words."""
        return len(self.text) < SHORT

    @property
    def called(self) -> str:
        """Its title in the visitor's language."""
        return _(self.title) if self.ours else self.title


def choose() -> OwnText:
    """The widgets for the text, and the text: a sample in the visitor's language on a first visit."""
    first = "monde" if current() == "fr" else "world"
    given = texts.text_input(
        KEY, samples=word_samples.SAMPLES, default=first, label=_("Text to learn from"), limit=LIMIT
    )
    sample = next((one for one in word_samples.SAMPLES if one.text == given.text), None)
    _look(given.text, generated=sample is not None and sample.watched != ())
    spoken = sample.language if sample else word_corpus.guess(given.text)
    title = sample.title if sample else given.name or N_("your text")
    return OwnText(
        text=given.text,
        digest=given.digest,
        language=_language(spoken),
        title=title,
        ours=sample is not None or not given.name,
        watched=sample.watched if sample else (),
        source=texts.notebook_source(KEY, package=word_samples.__name__, default=first, limit=LIMIT),
    )


def _look(text: str, *, generated: bool) -> None:
    """The beginning of the text, and where it comes from."""
    if st.session_state.get(f"{KEY}_source") != "typed":
        beginning = text if len(text) <= 220 else text[:219] + "…"
        st.code(beginning, language=None, wrap_lines=True, height=110)
    if generated:
        st.caption(
            _(
                "Nobody wrote this text: a small grammar of ours generates its 5,000 sentences. So one knows what there "
                "is to find, and it is found in seconds."
            )
        )


def _language(spoken: Language) -> Language:
    names = {"en": _("English"), "fr": _("French")}
    chosen = controls.choice(
        _("Words are cut as in"),
        {"auto": _("{tongue}, as the text seems to be", tongue=names[spoken]), **names},
        key="emb_train_language",
        style="select",
        help=_("In French, l'homme is two words, l' and homme; in English, king's is king and 's."),
    )
    return spoken if chosen == "auto" else cast(Language, chosen)
