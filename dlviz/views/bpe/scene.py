"""What the page is about: the text, how it is learnt from, and the training."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dlviz.errors import Refused
from dlviz.language import bpe, sample_texts
from dlviz.language.bpe_encoding import MAX_REPLAY
from dlviz.language.results import MergeSettings, MergeTrace, UnigramSettings
from dlviz.ui import compute, controls, texts
from dlviz.ui.language import _, say
from dlviz.ui.snippet import Source

TEXT = "bpe_text"
LONG = 60_000
"""Characters from which training is a job, with its progress and a stop button."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The visitor's text and choices; ``film`` stands for both, ``source`` is the text in a notebook."""

    text: str
    settings: MergeSettings
    film: str
    source: Source


def scene() -> Scene:
    """The widgets for text and choices, and what they hold."""
    left, right = st.columns([5, 6], gap="large")
    with left:
        own = texts.text_input(TEXT, samples=sample_texts.SAMPLE_TEXTS, label=_("Text to learn from"))
        _look(own.text)
    with right:
        settings = _choices()
    source = texts.notebook_source(TEXT, package=sample_texts.__name__, default="souris")
    return Scene(own.text, settings, f"{own.digest} {settings}", source)


def _look(text: str) -> None:
    """The beginning of the text, and its size."""
    if st.session_state.get(f"{TEXT}_source") != "typed":
        beginning = text if len(text) <= 140 else text[:139] + "…"
        st.code(beginning, language=None, wrap_lines=True)
    st.caption(_("{characters} characters, {words} words.", characters=len(text), words=len(text.split())))


def _choices() -> MergeSettings:
    unit = controls.choice(
        _("Merging starts from"),
        {"characters": _("characters"), "bytes": _("bytes")},
        key="bpe_unit",
        wrap=True,
    )
    split = controls.choice(
        _("Borders that no token crosses"),
        {
            "none": _("none, as on the slide"),
            "words": _("words, with an end mark"),
            "gpt2": _("GPT-2's pattern"),
        },
        key="bpe_split",
        wrap=True,
    )
    tie_break = controls.choice(
        _("Of pairs seen equally often, the winner is"),
        {"first": _("the first in the text"), "ids": _("the one with the smallest ids")},
        key="bpe_tie",
        wrap=True,
    )
    with st.popover(_("More choices"), icon=":material/tune:"):
        size, least = _numbers()
        form = controls.choice(
            _("Unicode normalisation"),
            {"none": _("none"), "NFC": "NFC", "NFD": "NFD", "NFKC": "NFKC", "NFKD": "NFKD"},
            key="bpe_form",
            wrap=True,
        )
        lower = st.toggle(_("Lower case"), key="bpe_lower", bind="query-params")
    return MergeSettings(
        unit=unit,  # type: ignore[arg-type]
        split=split,  # type: ignore[arg-type]
        normalisation=form,  # type: ignore[arg-type]
        lower=lower,
        vocabulary_size=size,
        min_count=least,
        tie_break=tie_break,  # type: ignore[arg-type]
    )


def _numbers() -> tuple[int, int]:
    size = st.number_input(
        _("Vocabulary size"), 1, bpe.MAX_VOCABULARY, 1000, key="bpe_size", bind="query-params"
    )
    least = st.number_input(
        _("A pair is merged if it is seen at least"), 1, 1000, 2, key="bpe_least", bind="query-params"
    )
    return int(size), int(least)


TRACE = Source("result")
"""The training of the snippet before, in a snippet."""


def noted(settings: MergeSettings | UnigramSettings) -> Source:
    """Settings as a notebook writes them."""
    return Source(repr(settings), (f"from dlviz.language.results import {type(settings).__name__}",))


def trained(scene: Scene) -> MergeTrace | None:
    """The training: at once for a short text, a job for a long one; None if it was refused or stopped."""
    try:
        if len(scene.text) <= LONG:
            return compute.run(bpe.train, text=scene.text, settings=scene.settings)
        trace: MergeTrace | None = compute.stream(
            bpe.train_steps, key="bpe_training", label=_("Merges"), text=scene.text, settings=scene.settings
        )
        return trace
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
        return None


def sentence(key: str, label: str, default: str) -> str:
    """A sentence of the visitor's, in the link, short enough to be replayed."""
    return str(
        st.text_input(label, default, key=key, bind="query-params", max_chars=min(500, MAX_REPLAY)) or ""
    )
