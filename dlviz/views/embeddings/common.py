"""The vectors that the page asks: bundled, public, of a file of the visitor's own, or trained on this page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from dlviz import zoo
from dlviz.language.word_vectors import WordVectors
from dlviz.ui import compute, lesson
from dlviz.ui.fingerprint import dotted_name, fingerprint
from dlviz.ui.language import _
from dlviz.ui.snippet import Source

T = TypeVar("T")

OWN, TRAINED, NODES = "own", "trained", "nodes"
_NODES = "emb_kept_nodes"
_ANSWERS = "emb_answers"
_MOST_ANSWERS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Vectors of the visitor's own, held for the visit.

    Attributes
    ----------
    store
        The vectors.
    title
        What they were made of, such as the name of a text.
    language
        ``"en"``, ``"fr"``, or empty where nobody knows.
    source
        How a notebook gets the store.
    metadata
        What else is known of each row: a table as ``metadata.tsv`` holds it, its first line the names of its columns.
    digest
        Stands for words and numbers.
    """

    store: WordVectors
    title: str
    language: str
    source: Source
    metadata: bytes | None
    digest: str


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The vectors that a section asks: those of a card, or the visitor's own."""

    code: str
    title: str
    language: str
    store: WordVectors
    digest: str
    metadata: bytes | None
    source: Source

    @property
    def model(self) -> str | None:
        """The card's name; None for vectors of the visitor's own."""
        return None if self.code in (OWN, TRAINED, NODES) else self.code

    def run(self, function: Callable[..., T], **arguments: Any) -> T:
        """``function`` with these vectors first: shared with all visitors for a card's, kept for the visit for one's own."""
        if self.model is not None:
            return compute.run(function, model=self.model, **arguments)
        answers: dict[str, Any] = st.session_state.setdefault(_ANSWERS, {})
        key = f"{dotted_name(function)} {self.digest} {fingerprint(arguments)}"
        if key not in answers:
            answers[key] = function(self.store, **arguments)
            while len(answers) > _MOST_ANSWERS:
                del answers[next(iter(answers))]
        found: T = answers[key]
        return found

    def code_panel(self, entries: Sequence[tuple[str, Callable[..., object], dict[str, object]]]) -> None:
        """*Show the code* with these vectors as the first argument of every function."""
        if self.model is not None:
            lesson.code(entries, model=self.model)
        else:
            own = [(said, function, {"vectors": self.source, **given}) for said, function, given in entries]
            lesson.code(own, model=None)


def kept(
    store: WordVectors, *, title: str, source: Source, language: str = "", metadata: bytes | None = None
) -> Kept:
    """Vectors with what stands for them in keys and links."""
    digest = hashlib.sha256("\n".join(store.words).encode("utf-8", "surrogatepass"))
    digest.update(np.ascontiguousarray(store.matrix).view(np.uint8).data)
    return Kept(store, title, language, source, metadata, digest.hexdigest())


def keep_nodes(one: Kept) -> None:
    """Offer the vectors of a graph's nodes to the other sections, for this visit."""
    st.session_state[_NODES] = one


def nodes() -> Kept | None:
    """The vectors of nodes that were trained here and kept."""
    held: Kept | None = st.session_state.get(_NODES)
    return held


def of_card(name: str) -> Chosen | None:
    """The vectors of a card; None where they are not whole on this server."""
    if zoo.status(name) != "ready":
        return None
    card = zoo.card(name)
    store = zoo.load(name)
    assert isinstance(store, WordVectors)
    language = card.languages[0] if len(card.languages) == 1 else ""
    source = Source(f"zoo.load({name!r})", ("from dlviz import zoo",))
    return Chosen(name, _(card.title), language, store, zoo.digest(name), None, source)


def of_kept(code: str, one: Kept | None) -> Chosen | None:
    """The visitor's own vectors as the sections take them."""
    if one is None:
        return None
    return Chosen(code, one.title, one.language, one.store, one.digest, one.metadata, one.source)
