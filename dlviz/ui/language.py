"""The visitor's language: which it is, and the words in it.

``from dlviz.ui.language import _`` is how every page says something. The choice
lives in the widget key ``lang`` and so in the URL; a first visit follows the
browser's locale.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import streamlit as st

from dlviz import i18n
from dlviz.ui import controls

KEY = "lang"


def current() -> str:
    """The code of the language in force: the visitor's choice, else the URL's, else the browser's."""
    chosen = st.session_state.get(KEY)
    if chosen in i18n.LANGUAGES:
        return str(chosen)
    linked = st.query_params.get(KEY)
    if linked in i18n.LANGUAGES:
        return str(linked)
    return i18n.language_of(st.context.locale)


def _(message: str, **values: object) -> str:
    """Say ``message`` in the visitor's language, its placeholders filled with ``values``."""
    return i18n.translate(current(), message, **values)


def ngettext(singular: str, plural: str, count: int, **values: object) -> str:
    """Say ``singular`` or ``plural``, by ``count``, in the visitor's language."""
    return i18n.translate_plural(current(), singular, plural, count, **values)


def number(value: float, digits: int = 3) -> str:
    """Write a number as the visitor's language does."""
    return i18n.number(value, current(), digits)


def latex(value: float, digits: int = 3) -> str:
    r"""Write a number for a formula: LaTeX knows no narrow space, and sets a gap after a bare comma."""
    written = number(value, digits).replace(",", "{,}")
    return written.replace("\u202f", r"\,").replace("\xa0", r"\,")


def percent(value: float, digits: int = 1) -> str:
    """Write a share of one as a percentage in the visitor's language."""
    return i18n.percent(value, current(), digits)


class Message(Protocol):
    """A message id with its values: an error, or a sentence of a model card."""

    @property
    def message(self) -> str: ...
    @property
    def values(self) -> Mapping[str, object]: ...


def say(message: Message) -> str:
    """An error or a model card's sentence in the visitor's language."""
    return _(message.message, **message.values)


def switch() -> None:
    """The language switch; languages are named in their own words, and the link carries their code."""
    if KEY not in st.session_state:
        linked = st.query_params.get(KEY)
        st.session_state[KEY] = linked if linked in i18n.LANGUAGES else i18n.language_of(st.context.locale)
    controls.choice(
        "Language · Langue",
        i18n.LANGUAGES,
        key=KEY,
        label_visibility="collapsed",
        width="stretch",
        always=True,
    )
