"""The vectors that the visitor has trained on a text here, held for the visit: the other sections ask them too."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from dlviz.language import word_training
from dlviz.language.word_training_results import TrainedWords
from dlviz.language.word_vectors import WordVectors
from dlviz.ui.snippet import Source
from dlviz.views.embeddings.own_text import OwnText

_KEPT = "emb_train_kept"


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    trained: TrainedWords
    store: WordVectors
    own: OwnText
    source: Source


def keep(trained: TrainedWords, own: OwnText, source: Source) -> None:
    """Hold these vectors until the visitor leaves, in the place of the last ones; the text itself is not held."""
    own = replace(own, text="")
    st.session_state[_KEPT] = _Kept(trained, word_training.store(trained), own, source)


def holds(trained: TrainedWords) -> bool:
    """Whether these are the vectors that are held."""
    held = _held()
    return held is not None and held.trained is trained


def kept() -> WordVectors | None:
    """The vectors; None where nothing is held."""
    held = _held()
    return held.store if held else None


def title() -> str:
    """What they were trained on, in the visitor's language or in the text's own words."""
    held = _held()
    return held.own.called if held else ""


def language() -> str:
    """Of the text; empty where nothing is held."""
    held = _held()
    return held.own.language if held else ""


def source() -> Source:
    """How a notebook gets the same vectors."""
    held = _held()
    return held.source if held else Source("None")


def _held() -> _Kept | None:
    held: _Kept | None = st.session_state.get(_KEPT)
    return held
