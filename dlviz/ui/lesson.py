"""What every lesson page shows around its views: the opening line, presets, maths, code, model card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dlviz import lessons, zoo
from dlviz.settings import ROOT
from dlviz.ui import footer, language, snippet
from dlviz.ui.language import _, number, percent, say


@dataclass(frozen=True, slots=True)
class Preset:
    """A state of the page worth seeing: its name, why, and the controls' values as they stand in the URL."""

    label: str
    reason: str
    state: dict[str, str]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of the course: in words, in LaTeX, and in LaTeX with the live numbers in it."""

    words: str
    latex: str = ""
    live: str = ""


MATHS = "panel_maths"
CODE = "panel_code"
"""A page shows one panel of each kind, so that one that was opened stays open from section to section."""


def begin(stem: str, try_this: str) -> None:
    """Title of the lesson and the one line that says what to try."""
    footer.begin()
    st.title(_(lessons.lesson(stem).title), anchor=False)
    st.markdown(f":material/touch_app: **{try_this}**")


def presets(stem: str, entries: Sequence[Preset]) -> None:
    """Presets as links, each with its reason."""
    opened = _panel(_("Presets, and what to look for"), "bookmark", f"{stem}_presets")
    if not opened.open:
        return
    with opened:
        for entry in entries:
            st.page_link(
                ROOT / "pages" / f"{stem}.py",
                label=f"**{entry.label}**",
                icon=":material/arrow_forward:",
                query_params={language.KEY: language.current(), **entry.state},
            )
            st.caption(entry.reason)


def maths(formulas: Sequence[Formula]) -> None:
    """*Show the maths*: the course's formulas with the live numbers in them."""
    opened = _panel(_("Show the maths"), "function", MATHS)
    if not opened.open:
        return
    with opened:
        for formula in formulas:
            st.markdown(formula.words)
            if formula.latex:
                st.latex(formula.latex)
            if formula.live:
                st.latex(formula.live)


def code(
    entries: Sequence[tuple[str, Callable[..., object], dict[str, object]]], *, model: str | None
) -> None:
    """*Show the code*: a sentence, the source that ran, and a snippet that runs it again in a notebook.

    Each entry is (sentence, function, arguments); an argument may be a
    :class:`dlviz.ui.snippet.Source` that says how a notebook gets the value.
    """
    opened = _panel(_("Show the code"), "code", CODE)
    if not opened.open:
        return
    with opened:
        if language.current() != "en":
            st.caption(_("The explanations inside the code are in English."))
        for sentence, function, arguments in entries:
            st.markdown(sentence)
            st.markdown(_("To run it again in a notebook:"))
            st.code(snippet.snippet(function, model=model, **arguments), language="python")
            st.markdown(_("The function that ran:"))
            st.code(snippet.source(function), language="python", height=360)


def model_card(name: str) -> None:
    """Which model, which data, how good it is, and where it fails."""
    card = zoo.card(name)
    footer.name_model(name)
    opened = _panel(_("About this model: {title}", title=_(card.title)), "info", f"card_{name}")
    if opened.open:
        with opened:
            _describe(card)


def _panel(title: str, icon: str, key: str) -> Any:
    """A panel whose content is made when it is opened: what is closed costs neither the server nor the browser."""
    return st.expander(title, icon=f":material/{icon}:", on_change="rerun", key=key)


def _describe(card: zoo.ModelCard) -> None:
    rows = {
        _("Architecture"): card.architecture,
        _("Trained on"): say(card.training_data),
        _("Parameters"): number(card.parameters, 0),
        _("Input"): say(card.input),
        _("Licence"): say(card.licence),
    }
    st.table({_("Property"): list(rows), _("Value"): list(rows.values())}, border="horizontal")
    for metric in card.metrics:
        st.markdown(f"**{_(metric.name)}: {_measured(metric)}.** {say(metric.how)}")
    st.warning(say(card.fails), icon=":material/warning:")
    if card.per_class:
        weakest = sorted(card.per_class.items(), key=lambda entry: entry[1])
        st.markdown(_("Right answers by class, the weakest first:"))
        st.dataframe(
            {
                _("Class"): [name for name, _share in weakest],
                _("Right"): [share for _name, share in weakest],
            },
            column_config={
                _("Right"): st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)
            },
            height=260,
            hide_index=True,
            key=f"per_class_{card.name}",
        )


def _measured(metric: zoo.Metric) -> str:
    """A metric's value in its unit, in the visitor's language."""
    if metric.unit == "share":
        return percent(metric.value)
    if metric.unit == "nats":
        return _("{value} nats", value=number(metric.value, 1))
    return number(metric.value, 0 if metric.unit == "count" else 3)
