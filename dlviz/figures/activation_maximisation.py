"""How a filter's answer rose while the picture was changed for it."""

from __future__ import annotations

import plotly.graph_objects as go

from dlviz.figures.palette import CATEGORICAL
from dlviz.vision.attribution_results import Dream


def climb(result: Dream, *, step: str, answer: str) -> go.Figure:
    """The filter's answer at each step; ``step`` and ``answer`` name the axes."""
    figure = go.Figure(
        go.Scatter(
            y=result.activations,
            mode="lines",
            line={"color": CATEGORICAL[1]},
            hovertemplate=f"{step} %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    )
    figure.update_xaxes(title=step)
    figure.update_yaxes(title=answer, rangemode="tozero")
    return figure.update_layout(height=336)
