"""The one way a figure reaches the page: the theme's template, one configuration, a key."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dlviz.figures import style
from dlviz.ui import language, projector

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "responsive": True,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
}


def theme() -> str:
    """``"light"`` or ``"dark"``, as the visitor's browser shows the app."""
    return "dark" if st.context.theme.type == "dark" else "light"


def dress(figure: go.Figure) -> go.Figure:
    """Put the template of the theme and of the projector preset on a figure."""
    separators = {"fr": ",\u202f"}.get(language.current(), ".,")
    return figure.update_layout(
        template=style.template(theme(), projector=projector.on()), separators=separators
    )


def show(figure: go.Figure, *, key: str, alt: str | None = None, **options: Any) -> Any:
    """Show a figure, with ``alt`` for those who cannot see it.

    Returns what Streamlit returns: the selection, when ``on_select`` is given.
    """
    draw: Any = st.plotly_chart
    return draw(dress(figure), key=key, theme=None, width="stretch", config=CONFIG, alt=alt, **options)
