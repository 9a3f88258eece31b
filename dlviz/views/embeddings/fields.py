"""Fields for words: what is typed stands in the link, and a word that is not known gets near spellings to click."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from dlviz.errors import Refused
from dlviz.language import word_vectors
from dlviz.ui.controls import hidden_field
from dlviz.ui.language import _, number
from dlviz.views.embeddings.common import Chosen

LONGEST = 500
MOST_WORDS = 60

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!<>|~:$])")
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def plain(word: str) -> str:
    """A word of a visitor's, to stand in Markdown as it is spelt."""
    return _MARKDOWN.sub(r"\\\1", word)


def tex(word: str) -> str:
    """A word of a visitor's, upright in a formula."""
    spelt = "".join(_LATEX.get(letter, rf"\{letter}" if letter in "{}$&#_%" else letter) for letter in word)
    return rf"\text{{{spelt}}}"


def typed(label: str, *, key: str, default: str, help: str | None = None) -> str:
    """A field whose text stands in the link; left empty, or untouched, it holds ``default``."""
    linked = hidden_field(key, label)
    widget = f"{key}_typed"
    st.session_state[widget] = linked or default

    def changed() -> None:
        text = str(st.session_state[widget] or "").strip()
        st.session_state[key] = "" if text == default else text

    return str(
        st.text_input(label, key=widget, max_chars=LONGEST, on_change=changed, help=help) or default
    ).strip()


def words(text: str) -> list[str]:
    """The words of a list with commas between, each once; without a comma, those between spaces."""
    parts = text.split(",") if "," in text else text.split()
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))[:MOST_WORDS]


def sift(chosen: Chosen, asked: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that the vectors know, as they are spelt there, and those that they do not."""
    known: list[str] = []
    unknown = []
    for word in asked:
        try:
            known.append(chosen.store.words[chosen.store.row(word)])
        except Refused:
            unknown.append(word)
    return list(dict.fromkeys(known)), unknown


def knows(chosen: Chosen, key: str, text: str, asked: Sequence[str]) -> bool:
    """Whether all words of a field are known; those that are not are named, with near spellings to click."""
    unknown = sift(chosen, asked)[1]
    for place, word in enumerate(unknown[:3]):
        _near(chosen, key, place, text, word)
    if len(unknown) > 3:
        st.caption(_("{count} more words are not known.", count=len(unknown) - 3))
    return not unknown


def _near(chosen: Chosen, key: str, place: int, text: str, word: str) -> None:
    near = word_vectors.suggestions(chosen.store, word)
    count = number(len(chosen.store), 0)
    said = _("“{word}” is not among the {count} words of these vectors.", word=plain(word[:60]), count=count)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/search_off: {said}")
        if near:
            st.caption(_("Did you mean:"))
        for number_, other in enumerate(near):
            st.button(
                plain(other),
                key=f"{key}_near_{place}_{number_}",
                on_click=put,
                args=({key: _replaced(text, word, other)},),
            )


def _replaced(text: str, word: str, other: str) -> str:
    if text.strip() == word:
        return other
    parts = words(text)
    return ", ".join(other if part == word else part for part in parts)


def put(values: dict[str, str]) -> None:
    """Put texts into their fields, as a click on an example does."""
    for key, value in values.items():
        st.session_state[key] = value


def examples(key: str, rows: Sequence[tuple[str, dict[str, str]]]) -> None:
    """Examples to click: each a label and the fields that it fills."""
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"{key}_examples"):
        st.caption(_("Try:"), width="content")
        for place, (label, values) in enumerate(rows):
            st.button(
                f":primary[{label}]",
                key=f"{key}_example_{place}",
                on_click=put,
                args=(values,),
                type="tertiary",
            )
