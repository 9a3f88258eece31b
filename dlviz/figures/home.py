"""Figures of the home page: the timeline of the milestones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dlviz.figures.palette import CATEGORICAL


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the timeline, its words already in the visitor's language."""

    year: int
    title: str
    text: str
    part: str
    colour: int


def timeline(stops: Sequence[Stop], *, until: int) -> go.Figure:
    """The milestones along time, one row a part of the course; those after ``until`` are faint."""
    rows = list(dict.fromkeys(stop.part for stop in sorted(stops, key=lambda s: s.colour)))
    figure = go.Figure()
    for part in rows:
        own = [stop for stop in stops if stop.part == part]
        figure.add_scatter(
            x=[stop.year for stop in own],
            y=[part] * len(own),
            mode="lines+markers+text",
            text=[f"<b>{stop.year}</b><br>{stop.title}" if stop.year == until else "" for stop in own],
            textposition="top center",
            cliponaxis=False,
            marker={
                "color": CATEGORICAL[own[0].colour],
                "size": [26 if stop.year == until else 15 for stop in own],
                "opacity": [1.0 if stop.year <= until else 0.25 for stop in own],
            },
            line={"color": CATEGORICAL[own[0].colour], "width": 1},
            customdata=[(stop.title, stop.text) for stop in own],
            hovertemplate="<b>%{x} · %{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
            showlegend=False,
        )
    figure.add_vline(x=until, line={"dash": "dot", "width": 1.5, "color": CATEGORICAL[-1]})
    figure.update_xaxes(range=[1938, 2026], showgrid=False, tickformat="d")
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="")
    return figure.update_layout(margin={"t": 50, "b": 30})
