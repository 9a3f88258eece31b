"""Figures of graphs: pictures of their vectors while these are learnt, link prediction, what p and q do."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int
from plotly.subplots import make_subplots

from dlviz.figures.palette import CATEGORICAL, SEQUENTIAL, scale
from dlviz.figures.vae import dots
from dlviz.graphs.results import BiasGrid, Comparison

MOST_NAMED = 60
"""Nodes up to which every one is named."""

_BARE = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}


def nodes(
    places: Float[np.ndarray, "node 2"],
    group: Int[np.ndarray, " node"],
    *,
    names: Sequence[str],
    edges: Int[np.ndarray, "edge 2"] | None = None,
    height: int = 440,
) -> go.Figure:
    """Nodes as points in the colour of their group, over the edges if there are any.

    Points and edges are drawn here and sent as one picture: a frame of a training has to come many times a
    second. Small graphs have their names on it.
    """
    low, high = places.min(0), places.max(0)
    middle, half = (low + high) / 2, 0.56 * max(float((high - low).max()), 1e-6)
    x, y = ([float(m) - half, float(m) + half] for m in middle)
    figure = go.Figure()
    if edges is not None and len(edges):
        ends = places[edges]
        lines = np.full((len(edges), 3, 2), np.nan)
        lines[:, :2] = ends
        flat = lines.reshape(-1, 2)
        figure.add_scatter(
            x=flat[:, 0], y=flat[:, 1], mode="lines", line={"width": 1, "color": CATEGORICAL[7]},
            opacity=0.35, hoverinfo="skip",
        )  # fmt: skip
    radius = 6.0 if len(places) <= 100 else 4.0 if len(places) <= 800 else 2.4
    picture = dots(places, group, (*x, *y), side=2 * height, radius=radius)  # type: ignore[arg-type]
    packed = io.BytesIO()
    picture.save(packed, "PNG")
    figure.add_layout_image(
        source="data:image/png;base64," + base64.b64encode(packed.getvalue()).decode(),
        xref="x", yref="y", x=x[0], y=y[1], sizex=x[1] - x[0], sizey=y[1] - y[0], sizing="stretch", layer="above",
    )  # fmt: skip
    named = len(places) <= MOST_NAMED
    figure.add_scatter(
        x=places[:, 0] if named else x,
        y=places[:, 1] if named else y,
        mode="text" if named else "markers",
        text=[escape(name) for name in names] if named else None,
        textposition="top center",
        textfont={"size": 11},
        opacity=1 if named else 0,
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.update_xaxes(range=x, constrain="domain", **_BARE)
    figure.update_yaxes(range=y, scaleanchor="x", constrain="domain", **_BARE)
    return figure.update_layout(height=height, showlegend=False, margin={"l": 0, "r": 0, "t": 4, "b": 0})


def losses(values: Sequence[float], *, axes: tuple[str, str]) -> go.Figure:
    """The mean loss a pair from frame to frame."""
    figure = go.Figure(
        go.Scatter(
            x=list(range(1, len(values) + 1)),
            y=list(values),
            mode="lines",
            line={"color": CATEGORICAL[0]},
            hovertemplate="%{y:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title=axes[0])
    figure.update_yaxes(title=axes[1])
    return figure.update_layout(height=220, margin={"l": 8, "r": 8, "t": 8, "b": 8})


def reach(
    kinds: Sequence[str],
    distance: Sequence[Float[np.ndarray, " place"]],
    different: Sequence[Float[np.ndarray, " place"]],
    *,
    titles: tuple[str, str],
    axis: str,
) -> go.Figure:
    """Distance from the start and nodes seen, one line a kind of walk."""
    figure = make_subplots(1, 2, horizontal_spacing=0.1)
    for i, kind in enumerate(kinds):
        for column, values in ((1, distance[i]), (2, different[i])):
            figure.add_scatter(
                x=list(range(len(values))),
                y=values,
                mode="lines",
                name=kind,
                legendgroup=kind,
                showlegend=column == 1,
                line={"color": CATEGORICAL[i]},
                hovertemplate=kind + ": %{y:.2f}<extra></extra>",
                row=1,
                col=column,
            )
    for column, title in enumerate(titles, 1):
        figure.update_yaxes(title=title, rangemode="tozero", row=1, col=column)
        figure.update_xaxes(title=axis, row=1, col=column)
    return figure.update_layout(height=330, margin={"l": 8, "r": 8, "t": 40, "b": 8})


def comparison(found: Comparison, *, names: Sequence[str], titles: tuple[str, str], guess: str) -> go.Figure:
    """Link prediction and neighbours kept of each method, as bars of one length: both are shares of one."""
    figure = make_subplots(1, 2, horizontal_spacing=0.12, shared_yaxes=True)
    rows = list(range(len(found.scores)))
    colours = [CATEGORICAL[0], CATEGORICAL[2], CATEGORICAL[7]]
    spreads = [one.auc_spread for one in found.scores]
    for column, values, errors in (
        (
            1,
            [one.auc for one in found.scores],
            {"type": "data", "array": spreads, "visible": found.repeats > 1},
        ),
        (2, [one.neighbours_kept for one in found.scores], {"visible": False}),
    ):
        figure.add_bar(
            x=values,
            y=rows,
            orientation="h",
            error_x=errors,
            marker={"color": colours},
            texttemplate="<b>%{x:.3f}</b>",
            textposition=["inside" if value > 0.2 else "outside" for value in values],
            insidetextanchor="start",
            textangle=0,
            constraintext="none",
            hovertemplate="%{x:.4f}<extra></extra>",
            row=1,
            col=column,
        )
        figure.update_xaxes(title=titles[column - 1], range=[0, 1.02], row=1, col=column)
    figure.add_vline(x=0.5, line={"dash": "dot", "color": CATEGORICAL[7]}, row=1, col=1)
    figure.add_annotation(
        x=0.51, y=-0.6, xanchor="left", text=guess, showarrow=False, row=1, col=1, font={"size": 12}
    )
    figure.update_yaxes(tickvals=rows, ticktext=list(names), ticks="", showgrid=False, range=[2.5, -0.8])
    return figure.update_layout(
        height=270, showlegend=False, bargap=0.3, margin={"l": 8, "r": 8, "t": 8, "b": 8}
    )


def roc(found: Comparison, *, names: Sequence[str], axes: tuple[str, str]) -> go.Figure:
    """The curves of the first draw."""
    figure = go.Figure()
    for one, name, colour in zip(
        found.scores, names, (CATEGORICAL[0], CATEGORICAL[2], CATEGORICAL[7]), strict=True
    ):
        figure.add_scatter(
            x=one.false_positives,
            y=one.true_positives,
            mode="lines",
            name=name,
            line={"color": colour, "shape": "hv"},
            hovertemplate=name + " %{x:.2f} → %{y:.2f}<extra></extra>",
        )
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "width": 1, "color": CATEGORICAL[7]},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    figure.update_xaxes(title=axes[0], range=[-0.01, 1.01], constrain="domain")
    figure.update_yaxes(title=axes[1], range=[-0.01, 1.01], scaleanchor="x", constrain="domain")
    return figure.update_layout(height=380, margin={"l": 8, "r": 8, "t": 40, "b": 8})


def bias_grid(found: BiasGrid, *, labels: Sequence[str], titles: tuple[str, str], name: str) -> go.Figure:
    """What the vectors tell of communities and of roles, for every p and q, with the spread between trainings.

    `labels` are the values of p and of q as the visitor's language writes them.
    """
    figure = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.1)
    parts = ((found.communities, found.communities_spread), (found.roles, found.roles_spread))
    ticks = {"tickvals": list(range(len(labels))), "ticktext": list(labels), "showgrid": False}
    for column, (means, spreads) in enumerate(parts, 1):
        figure.add_heatmap(
            z=means,
            x=list(range(len(labels))),
            y=list(range(len(labels))),
            coloraxis="coloraxis",
            customdata=spreads,
            texttemplate="%{z:.2f} ± %{customdata:.2f}",
            hovertemplate="%{z:.3f} ± %{customdata:.3f}<extra></extra>",
            xgap=2,
            ygap=2,
            row=1,
            col=column,
        )
        figure.update_xaxes(title="q", **ticks, row=1, col=column)
        figure.update_yaxes(title="p", **ticks, row=1, col=column)
    return figure.update_layout(
        height=330,
        coloraxis={
            "colorscale": scale(SEQUENTIAL), "colorbar": {"title": {"text": name}}, "cmin": 0, "cmax": 1,
        },
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
    )  # fmt: skip
