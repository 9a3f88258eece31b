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
    if language.current() == "fr":
        figure.for_each_xaxis(_space_percents)
        figure.for_each_yaxis(_space_percents)
    return figure.update_layout(
        template=style.template(theme(), projector=projector.on()), separators=separators
    )


def _space_percents(axis: Any) -> None:
    """Write a share's ticks as French does, with a space that Plotly's formats cannot put before the sign."""
    if not str(axis.tickformat).endswith("%"):
        return
    if axis.type == "log":
        ticks = {10.0**-power: max(0, power - 2) for power in range(9)}
    elif axis.range and axis.range[1] > 0.5:
        ticks = dict.fromkeys((0.0, 0.25, 0.5, 0.75, 1.0), 0)
    else:
        return
    said = [language.percent(value, digits) for value, digits in ticks.items()]
    axis.update(tickvals=list(ticks), ticktext=said)


def show(figure: go.Figure, *, key: str, alt: str | None = None, **options: Any) -> Any:
    """Show a figure, with ``alt`` for those who cannot see it.

    Returns what Streamlit returns: the selection, when ``on_select`` is given.
    """
    draw: Any = st.plotly_chart
    return draw(dress(figure), key=key, theme=None, width="stretch", config=CONFIG, alt=alt, **options)
