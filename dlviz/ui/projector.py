"""The projector preset: larger type and thicker lines, for the back row."""

from __future__ import annotations

import streamlit as st

from dlviz.ui.language import _

KEY = "projector"

LARGER = """<style>
html { font-size: 125% !important; }
[data-testid="stMarkdownContainer"] :is(p, li) { font-size: 1.1rem; line-height: 1.5; }
[data-testid="stSidebar"][style*="width: 300px"] { width: 21rem !important; }
[data-baseweb="select"] * { font-size: 1rem; }
[data-testid="stWidgetLabel"] p { font-size: 1.05rem; font-weight: 600; }
</style>"""


def on() -> bool:
    """Whether the preset is on."""
    return bool(st.session_state.get(KEY, False))


def switch() -> None:
    """The switch in the sidebar."""
    st.toggle(
        _("Projector"),
        key=KEY,
        bind="query-params",
        help=_("Larger type and thicker lines, readable from the back of a classroom."),
    )


def apply() -> None:
    """Enlarge the page when the preset is on."""
    if on():
        st.html(LARGER)
