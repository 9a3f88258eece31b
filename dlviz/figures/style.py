"""How every figure looks: one template by theme and projector preset, put on at the door.

A figure module says what is drawn; this module says in which typeface, on which
ground, and how thick. Nothing else in the project sets a font or a background.
"""

from __future__ import annotations

from functools import cache

import plotly.graph_objects as go

from dlviz.figures.palette import CATEGORICAL, DIVERGING, SEQUENTIAL, scale

GROUND = {"light": "#fbfaf7", "dark": "#14171f"}
INK = {"light": "#1d2330", "dark": "#eceae4"}
GRID = {"light": "#dcd8cf", "dark": "#353b49"}
TYPEFACE = '"Source Sans", "Source Sans Pro", sans-serif'


@cache
def template(theme: str = "light", *, projector: bool = False) -> go.layout.Template:
    """The Plotly template for a theme (``"light"`` or ``"dark"``), larger and thicker for a projector."""
    size, line = (20, 4.0) if projector else (14, 2.2)
    axis = {
        "gridcolor": GRID[theme],
        "linecolor": GRID[theme],
        "zerolinecolor": GRID[theme],
        "ticks": "outside",
        "tickcolor": GRID[theme],
        "automargin": True,
        "title": {"standoff": 8},
    }
    layout = go.Layout(
        font={"family": TYPEFACE, "size": size, "color": INK[theme]},
        title={"font": {"size": size + 2}, "x": 0, "xanchor": "left"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        colorway=CATEGORICAL,
        colorscale={"sequential": scale(SEQUENTIAL), "diverging": scale(DIVERGING)},
        coloraxis={"colorbar": {"outlinewidth": 0, "ticks": "outside", "tickcolor": GRID[theme]}},
        xaxis=axis,
        yaxis=axis,
        hoverlabel={"font": {"family": TYPEFACE, "size": size}},
        legend={"font": {"size": size}, "orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={"l": 8, "r": 8, "t": 40, "b": 8},
    )
    data = {
        "scatter": [go.Scatter(line={"width": line}, marker={"size": 4 * line})],
        "scattergl": [go.Scattergl(line={"width": line})],
        "heatmap": [go.Heatmap(colorscale=scale(SEQUENTIAL), colorbar={"outlinewidth": 0})],
        "bar": [go.Bar(marker={"line": {"width": 0}})],
    }
    return go.layout.Template(layout=layout, data=data)
