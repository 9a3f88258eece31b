"""Figures of words: rankings, the parallelogram of an analogy, axes, groups.

Words come from texts and files of visitors. Plotly reads a few HTML tags, so every word is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from dlviz.figures.palette import CATEGORICAL, DIVERGING, scale
from dlviz.language.word_results import AxisPlacement, Clusters, Plane

ASKED, ANSWER, OTHER, TARGET = CATEGORICAL[0], CATEGORICAL[1], CATEGORICAL[7], CATEGORICAL[3]

_BARE = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}


def ranking(
    words: Sequence[str],
    values: Sequence[float] | Float[np.ndarray, " word"],
    *,
    hover: Sequence[str],
    axis: str,
    pale: int = 0,
    marked: int = 0,
) -> go.Figure:
    """Words as bars, the first on top; the last `pale` of them stand apart, and `marked` has the answer's colour."""
    count = len(words)
    places = [i + 0.6 * (i >= count - pale) for i in range(count)]
    colours = [ANSWER if i == marked else OTHER if i >= count - pale else ASKED for i in range(count)]
    low = min([0.0, *(float(value) for value in values)])
    high = max([0.01, *(float(value) for value in values)])
    # One call: each later update of a figure costs as much as its making.
    return go.Figure(
        go.Bar(
            x=[float(value) for value in values],
            y=places,
            orientation="h",
            marker={"color": colours},
            text=[escape(word) for word in words],
            texttemplate="<b>%{text}</b>  %{x:.3f}",
            textposition="auto",
            insidetextanchor="start",
            textangle=0,
            constraintext="none",
            cliponaxis=False,
            customdata=list(words),
            hovertext=list(hover),
            hovertemplate="%{text}: %{x:.4f}<br>%{hovertext}<extra></extra>",
        ),
        layout={
            "xaxis": {"title": {"text": escape(axis)}, "range": [1.05 * low, max(high * 1.02, low + 0.05)]},
            "yaxis": {"autorange": "reversed", **_BARE},
            "height": 90 + 32 * count,
            "bargap": 0.18,
            "showlegend": False,
            "margin": {"l": 4, "r": 4, "t": 8, "b": 8},
        },
    )


def around(
    places: Float[np.ndarray, "word 2"], words: Sequence[str], cosine: Float[np.ndarray, " neighbour"]
) -> go.Figure:
    """A word (the first) and its neighbours, joined by lines as thick as their cosine is large."""
    words_shown = go.Scatter(
        x=places[:, 0],
        y=places[:, 1],
        mode="markers+text",
        text=[f"<b>{escape(word)}</b>" if i == 0 else escape(word) for i, word in enumerate(words)],
        textposition=_sides(places, words, 90 + 32 * (len(words) - 1)),
        marker={"size": 11, "color": [ASKED] + [ANSWER] + [OTHER] * (len(words) - 2)},
        hovertemplate="%{text}<extra></extra>",
        cliponaxis=False,
    )
    lines = [_spokes(places, cosine, third, thick) for third, thick in ((0, 1.0), (1, 2.5), (2, 4.5))]
    return go.Figure([*lines, words_shown], layout=_plane(places, height=90 + 32 * (len(words) - 1)))


def _spokes(
    places: Float[np.ndarray, "word 2"],
    cosine: Float[np.ndarray, " neighbour"],
    third: int,
    thick: float,
) -> go.Scatter:
    """The lines to one third of the neighbours, by cosine, as one trace: a trace each would cost more than all else."""
    rank = np.argsort(np.argsort(cosine, kind="stable"), kind="stable")
    chosen = np.flatnonzero(rank * 3 // max(1, len(cosine)) == third) + 1
    lines = np.full((len(chosen), 3, 2), np.nan)
    lines[:, 0], lines[:, 1] = places[0], places[chosen]
    x, y = lines.reshape(-1, 2).T
    return go.Scatter(
        x=x, y=y, mode="lines", line={"width": thick, "color": OTHER}, opacity=0.35, hoverinfo="skip"
    )


def parallelogram(plane: Plane, *, target: str) -> go.Figure:
    """a, b and c in their plane, the fourth corner, and the answers as shadows: small and pale where they stand high."""
    a, b, c = plane.points[:3]
    figure = go.Figure()
    for start, end, dash in (
        (a, b, "solid"),
        (c, plane.target, "solid"),
        (a, c, "dot"),
        (b, plane.target, "dot"),
    ):
        figure.add_scatter(
            x=[float(start[0]), float(end[0])],
            y=[float(start[1]), float(end[1])],
            mode="lines",
            line={"color": TARGET, "dash": dash, "width": 2.5 if dash == "solid" else 1.5},
            hoverinfo="skip",
        )
    for start, end in ((a, b), (c, plane.target)):
        _arrow(figure, start, end)
    up = "top" if plane.target[1] > (plane.points[1, 1] + plane.points[2, 1]) / 2 else "bottom"
    figure.add_scatter(
        x=[float(plane.target[0])],
        y=[float(plane.target[1])],
        mode="markers+text",
        text=[escape(target)],
        textposition=f"{up} left" if plane.target[0] > plane.points[:, 0].mean() else f"{up} right",
        marker={"symbol": "x", "size": 13, "color": TARGET},
        hovertemplate="%{text}<extra></extra>",
        cliponaxis=False,
    )
    _shadows(figure, plane, target)
    places = np.vstack([plane.points, plane.target])
    return figure.update_layout(_plane(places, height=430))


def _shadows(figure: go.Figure, plane: Plane, target: str) -> None:
    lift = plane.height / max(float(plane.height.max()), 1e-9)
    words = plane.words
    figure.add_scatter(
        x=plane.points[:, 0],
        y=plane.points[:, 1],
        mode="markers+text",
        text=[f"<b>{escape(word)}</b>" if i < 4 else escape(word) for i, word in enumerate(words)],
        textposition=_sides(
            np.vstack([plane.target, plane.points]), (target, *words), 430, lines=_along_sides(plane)
        )[1:],
        marker={
            "size": (15 - 8 * lift).tolist(),
            "opacity": (1 - 0.45 * lift).tolist(),
            "color": [ASKED] * 3 + [ANSWER] + [OTHER] * (len(words) - 4),
        },
        customdata=plane.height,
        hovertemplate="%{text}<br>↥ %{customdata:.3f}<extra></extra>",
        cliponaxis=False,
    )


def _arrow(figure: go.Figure, start: np.ndarray, end: np.ndarray) -> None:
    """A head in the middle of a side, so that it hides no word."""
    middle, tail = start + 0.55 * (end - start), start + 0.45 * (end - start)
    figure.add_annotation(
        x=float(middle[0]), y=float(middle[1]), ax=float(tail[0]), ay=float(tail[1]),
        xref="x", yref="y", axref="x", ayref="y", text="", showarrow=True,
        arrowhead=2, arrowsize=1.6, arrowwidth=2, arrowcolor=TARGET,
    )  # fmt: skip


_SIDES = {
    "middle right": (0.5, 0.0),
    "middle left": (-0.5, 0.0),
    "top center": (0.0, 0.5),
    "bottom center": (0.0, -0.5),
    "top right": (0.5, 0.5),
    "top left": (-0.5, 0.5),
    "bottom right": (0.5, -0.5),
    "bottom left": (-0.5, -0.5),
}
"""Where Plotly can write a label: which way its middle lies from its point, in widths and heights of the label."""


def _along_sides(plane: Plane) -> np.ndarray:
    """Places on the parallelogram's sides, close enough together that no word fits between two."""
    a, b, c = plane.points[:3]
    share = np.linspace(0, 1, 60)[:, None]
    return np.vstack([p + share * (q - p) for p, q in ((a, b), (c, plane.target), (a, c), (b, plane.target))])


def _sides(
    places: np.ndarray, words: Sequence[str], height: int, lines: np.ndarray | None = None
) -> list[str]:
    """A side for each label, so that few lie over each other, a point or a line; sizes are those of a usual screen."""
    wide, high = 620.0, float(height)
    span = np.maximum(places.max(0) - places.min(0), 1e-9) * [1.52, 1.32]
    scale = min(wide / float(span[0]), high / float(span[1]))
    points = places * [scale, scale]
    taken = [(float(x) - 7, float(y) - 7, float(x) + 7, float(y) + 7) for x, y in points]
    if lines is not None:
        taken += [(float(x) - 2, float(y) - 2, float(x) + 2, float(y) + 2) for x, y in lines * [scale, scale]]
    chosen = []
    for (x, y), word in zip(points.tolist(), words, strict=True):
        boxes = {side: _box(x, y, len(word), *way) for side, way in _SIDES.items()}
        side = min(boxes, key=lambda one: sum(_overlap(boxes[one], other) for other in taken))
        taken.append(boxes[side])
        chosen.append(side)
    return chosen


def _box(x: float, y: float, letters: int, across: float, up: float) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a label in pixels: 7.5 a letter, 16 high, 8 from its point."""
    wide = 7.5 * letters
    middle = x + across * (wide + 16), y + up * (16 + 16)
    return middle[0] - wide / 2, middle[1] - 8, middle[0] + wide / 2, middle[1] + 8


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, across) * max(0.0, up)


def _plane(places: np.ndarray, *, height: int) -> dict[str, object]:
    """A layout with one scale for both axes, and room for the words at the rim."""
    low, high = places.min(0), places.max(0)
    reach = np.maximum((high - low) * [0.26, 0.16], 1e-3)
    return {
        "xaxis": {"range": [float(low[0] - reach[0]), float(high[0] + reach[0])], **_BARE},
        "yaxis": {
            "range": [float(low[1] - reach[1]), float(high[1] + reach[1])],
            "scaleanchor": "x",
            **_BARE,
        },
        "height": height,
        "showlegend": False,
        "margin": {"l": 4, "r": 4, "t": 8, "b": 8},
    }


def axis(found: AxisPlacement, *, poles: tuple[str, str], title: str) -> go.Figure:
    """Words on their axis, one a line in the order of their places; the poles' own words on the lines at the ends."""
    order = np.argsort(found.places, kind="stable")
    count = len(order)
    figure = go.Figure()
    figure.add_vrect(
        x0=found.mean - found.spread,
        x1=found.mean + found.spread,
        fillcolor=OTHER,
        opacity=0.16,
        line_width=0,
    )
    figure.add_vline(x=found.mean, line={"color": OTHER, "width": 1.5, "dash": "dot"})
    _pole(figure, found.negative, found.negative_places, -1.4, DIVERGING[1])
    _pole(figure, found.positive, found.positive_places, count + 0.4, DIVERGING[7])
    for row, i in enumerate(order):
        place = float(found.places[i])
        figure.add_scatter(
            x=[found.mean, place],
            y=[row, row],
            mode="lines",
            line={"color": OTHER, "width": 1},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=found.places[order],
        y=list(range(count)),
        mode="markers+text",
        text=[escape(found.words[i]) for i in order],
        textposition=["middle left" if found.places[i] < found.mean else "middle right" for i in order],
        marker={
            "size": 11,
            "color": [DIVERGING[1] if found.places[i] < found.mean else DIVERGING[7] for i in order],
        },
        customdata=found.standard[order],
        hovertemplate="%{text}: %{x:.3f} (%{customdata:+.2f} σ)<extra></extra>",
        cliponaxis=False,
    )
    everything = np.concatenate([found.places, found.negative_places, found.positive_places])
    reach = 1.35 * max(abs(float(everything.min())), abs(float(everything.max())), 0.05)
    figure.update_xaxes(title=title, range=[-reach, reach], zeroline=False)
    figure.update_yaxes(range=[-2.2, count + 1.2], **_BARE)
    for name, x, anchor in ((f"◀ {poles[0]}", -reach, "left"), (f"{poles[1]} ▶", reach, "right")):
        figure.add_annotation(
            x=x,
            y=1.0,
            yref="paper",
            yanchor="bottom",
            xanchor=anchor,
            showarrow=False,
            text=f"<b>{escape(name)}</b>",
        )
    return figure.update_layout(
        height=150 + 30 * count, showlegend=False, margin={"l": 8, "r": 8, "t": 34, "b": 8}
    )


def _pole(figure: go.Figure, words: Sequence[str], places: np.ndarray, row: float, colour: str) -> None:
    figure.add_scatter(
        x=places,
        y=[row] * len(words),
        mode="markers",
        text=[escape(word) for word in words],
        marker={"symbol": "diamond", "size": 11, "color": colour, "opacity": 0.75},
        hovertemplate="%{text}: %{x:.3f}<extra></extra>",
    )


def between(words: Sequence[str], cosines: Float[np.ndarray, "word word"], *, name: str) -> go.Figure:
    """Every word against every other."""
    labels = [escape(word) for word in words]
    figure = go.Figure(
        go.Heatmap(
            z=np.round(cosines, 3),
            x=list(range(len(words))),
            y=list(range(len(words))),
            zmin=-1,
            zmax=1,
            colorscale=scale(DIVERGING),
            colorbar={"title": {"text": name}},
            customdata=[[f"{row} · {column}" for column in labels] for row in labels],
            hovertemplate="%{customdata}: %{z:.3f}<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    ticks = {"tickvals": list(range(len(words))), "ticktext": labels, "ticks": "", "showgrid": False}
    figure.update_xaxes(**ticks, constrain="domain")
    figure.update_yaxes(**ticks, autorange="reversed", scaleanchor="x", constrain="domain")
    return figure.update_layout(height=150 + 34 * len(words), margin={"l": 8, "r": 8, "t": 8, "b": 8})


def tiles(found: Clusters, *, size: str, cohesion: str) -> go.Figure:
    """Groups as tiles, as large as they have words, their most central words on them."""
    shown = [_lines(words) for words in found.central]
    colours = [CATEGORICAL[i % len(CATEGORICAL)] for i in range(len(shown))]
    figure = go.Figure(
        go.Treemap(
            labels=shown,
            ids=[str(i) for i in range(len(shown))],
            parents=[""] * len(shown),
            values=found.sizes.tolist(),
            customdata=np.stack([found.sizes, found.cohesion], axis=1),
            marker={"colors": colours, "cornerradius": 6, "line": {"width": 2}},
            textfont={"color": "#ffffff", "size": 15},
            texttemplate="%{label}",
            hovertemplate="%{label}<br>"
            + size
            + ": %{customdata[0]}<br>"
            + cohesion
            + ": %{customdata[1]:.2f}<extra></extra>",
            pathbar={"visible": False},
            tiling={"pad": 3},
        )
    )
    return figure.update_layout(height=560, margin={"l": 0, "r": 0, "t": 4, "b": 0})


def _lines(words: Sequence[str]) -> str:
    """The first word large, the others two on a line: a tile is seldom wider."""
    if not words:
        return ""
    others = [escape(word) for word in words[1:]]
    rows = [", ".join(others[i : i + 2]) for i in range(0, len(others), 2)]
    return f"<b>{escape(words[0])}</b><br>" + ",<br>".join(rows)
