"""Figures of training word vectors: the loss, the map as it moves, and one step with everything in it.

Words come from texts of visitors. Plotly reads a few HTML tags, so every word is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from dlviz.figures.palette import CATEGORICAL
from dlviz.language.word_step_results import Softmax, StepPlane
from dlviz.language.word_training_results import Method, WordFrame

INPUT, RIGHT, NEGATIVE, WORD = CATEGORICAL[0], CATEGORICAL[1], CATEGORICAL[3], CATEGORICAL[7]

Place = Sequence[float] | Float[np.ndarray, " 2"]

_BARE = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "title": ""}
_MARGIN = {"l": 8, "r": 8, "t": 12, "b": 8}


def loss(
    frame: WordFrame, *, epochs: int, untrained: float, names: tuple[str, str], axes: tuple[str, str]
) -> go.Figure:
    """The mean loss of a pair so far; the dotted line is what guessing would cost."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, epochs], y=[untrained] * 2, mode="lines", name=names[1], hoverinfo="skip",
        line={"color": WORD, "dash": "dot"},
    )  # fmt: skip
    figure.add_scatter(
        x=frame.epochs, y=frame.losses, mode="lines", name=names[0], line={"color": INPUT},
        hovertemplate="%{x:.1f}: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title=axes[0], range=[0, epochs], zeroline=False)
    figure.update_yaxes(title=axes[1], rangemode="tozero")
    return figure.update_layout(height=250, margin={"l": 8, "r": 8, "t": 30, "b": 8})


def word_map(frame: WordFrame, *, hover: str, height: int = 560) -> go.Figure:
    """The words where their directions put them; the watched ones large, and labels where there is room."""
    far = float(np.abs(frame.positions).max()) if len(frame.positions) else 1.0
    # In steps of a tenth: the frame of the picture moves now and then, not at every moment.
    reach = max(0.3, np.ceil(far * 10) / 10) * 1.06
    watched = np.isin(np.array(frame.words), np.array(frame.watched))
    figure = go.Figure()
    for chosen, colour, size in ((~watched, WORD, 6), (watched, RIGHT, 12)):
        figure.add_scatter(
            x=frame.positions[chosen, 0], y=frame.positions[chosen, 1], mode="markers", showlegend=False,
            marker={"size": size, "color": colour, "opacity": 1.0 if size > 6 else 0.7},
            text=[escape(word) for word, one in zip(frame.words, chosen, strict=True) if one],
            customdata=frame.frequencies[chosen],
            hovertemplate="%{text}<br>" + hover + " %{customdata}<extra></extra>",
        )  # fmt: skip
    for i in _labels(frame, watched, reach, height):
        figure.add_annotation(
            x=float(frame.positions[i, 0]), y=float(frame.positions[i, 1]), showarrow=False, yshift=11,
            text=f"<b>{escape(frame.words[i])}</b>" if watched[i] else escape(frame.words[i]),
            font={"size": 14 if watched[i] else 11, **({"color": RIGHT} if watched[i] else {})},
        )  # fmt: skip
    figure.update_xaxes(range=[-reach, reach], constrain="domain", **_BARE)
    figure.update_yaxes(range=[-reach, reach], scaleanchor="x", constrain="domain", **_BARE)
    return figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 4, "b": 4})


def _labels(frame: WordFrame, watched: np.ndarray, reach: float, height: int) -> list[int]:
    """The watched words, and the frequent words whose labels overlap no other."""
    scale = height / (2 * reach)
    taken: list[tuple[float, float, float]] = []
    chosen = []
    for i in sorted(range(len(frame.words)), key=lambda i: (not watched[i], -int(frame.frequencies[i]))):
        x, y = (float(value) * scale for value in frame.positions[i])
        half = 3.6 * len(frame.words[i]) + 3
        if watched[i] or all(abs(x - a) > half + width or abs(y - b) > 15 for a, b, width in taken):
            taken.append((x, y, half))
            chosen.append(i)
    return chosen


@dataclass(frozen=True, slots=True)
class Drawing:
    """The words in the course's picture of a method.

    Attributes
    ----------
    centre
        The word in the middle of the window.
    neighbours, offsets
        The words around it, and how many places away each stands.
    chosen
        Which neighbour makes the pair in a skip-gram; None for CBOW.
    """

    centre: str
    neighbours: tuple[str, ...]
    offsets: tuple[int, ...]
    chosen: int | None


def architecture(
    method: Method, drawing: Drawing, *, columns: tuple[str, str, str], middle: str
) -> go.Figure:
    """CBOW or skip-gram as the course draws it: input, projection, output, with the words of the text in the boxes."""
    count = max(1, len(drawing.neighbours))
    around = [(count - 1) / 2 - i for i in range(count)]
    many = [
        (place, f"w(t{offset:+d})".replace("-", "−"), word)
        for place, offset, word in zip(around, drawing.offsets, drawing.neighbours, strict=False)
    ]
    one = [(0.0, "w(t)", drawing.centre)]
    left, right = (many, one) if method == "cbow" else (one, many)
    figure = go.Figure()
    for i, (place, *_words) in enumerate(left):
        _arrow(figure, (0.62, place), (1.47, 0.0), INPUT if method == "cbow" or i == 0 else WORD)
    for i, (place, *_words) in enumerate(right):
        _arrow(figure, (2.53, 0.0), (3.38, place), RIGHT if drawing.chosen in (None, i) else WORD)
    for place, said, word in left:
        _box(figure, 0.0, place, said, word, INPUT)
    _box(figure, 2.0, 0.0, middle, "", INPUT, half=0.53)
    for i, (place, said, word) in enumerate(right):
        _box(figure, 4.0, place, said, word, RIGHT if drawing.chosen in (None, i) else WORD)
    for x, title in zip((0, 2, 4), columns, strict=True):
        figure.add_annotation(x=x, y=count / 2 + 0.35, text=f"<b>{title}</b>", showarrow=False)
    figure.add_scatter(x=[0], y=[0], mode="markers", opacity=0, hoverinfo="skip", showlegend=False)
    figure.update_xaxes(range=[-0.75, 4.75], fixedrange=True, **_BARE)
    figure.update_yaxes(range=[-count / 2 - 0.2, count / 2 + 0.7], fixedrange=True, **_BARE)
    return figure.update_layout(height=90 + 52 * count, margin={"l": 0, "r": 0, "t": 0, "b": 0})


def _box(
    figure: go.Figure, x: float, y: float, said: str, word: str, colour: str, half: float = 0.62
) -> None:
    figure.add_shape(
        type="rect", x0=x - half, x1=x + half, y0=y - 0.4, y1=y + 0.4, line={"color": colour, "width": 2.5}
    )
    text = f"<b>{escape(word)}</b><br>{said}" if word else f"<b>{said}</b>"
    figure.add_annotation(x=x, y=y, text=text, showarrow=False)


def _arrow(figure: go.Figure, start: Place, end: Place, colour: str, width: float = 2.0) -> None:
    figure.add_annotation(
        x=float(end[0]), y=float(end[1]), ax=float(start[0]), ay=float(start[1]), axref="x", ayref="y",
        text="", showarrow=True, arrowhead=2, arrowwidth=width, arrowcolor=colour,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """What the picture of a step changes: arrows are drawn ``longer``, and the vectors v ``shorter``, so many times."""

    longer: float
    shorter: float


def moves(
    plane: StepPlane, *, inputs: Sequence[str], targets: Sequence[str], hidden: str, axes: tuple[str, str]
) -> tuple[go.Figure, Scale]:
    """The vectors of a step as points, and as arrows where the step takes each; and how far that is out of scale."""
    shorter = _shorter(plane)
    small = [(start / shorter, end / shorter) for start, end in _pairs(plane.inputs, plane.inputs_after)]
    middle = (plane.hidden / shorter, plane.hidden_after / shorter)
    far = _pairs(plane.targets, plane.targets_after)
    points = np.array([place for pair in (*small, middle, *far) for place in pair] + [np.zeros(2)])
    span = max(float(np.ptp(points, axis=0).max()), 1e-6)
    longest = max(float(np.linalg.norm(end - start)) for start, end in (middle, *far))
    longer = float(np.clip(np.round(0.22 * span / longest), 1, 1e4)) if longest > 1e-9 else 1.0
    figure = go.Figure()
    _points(figure, middle[0][None], [hidden], INPUT, "diamond", 13)
    _names(figure, middle[0][None], [hidden], INPUT, -16, span)
    if len(small) > 1:
        near = np.array([start for start, _end in small])
        _points(figure, near, inputs, INPUT, "circle-open", 10)
        _names(figure, near, inputs, INPUT, 16, span)
    for part, colour, symbol, shift in (
        (slice(1), RIGHT, "circle", 16),
        (slice(1, None), NEGATIVE, "square", -16),
    ):
        _points(figure, plane.targets[part], targets[part], colour, symbol, 11)
        _names(figure, plane.targets[part], targets[part], colour, shift, span)
    ends = []
    for (start, end), colour in zip((middle, *far), (INPUT, RIGHT, *[NEGATIVE] * len(far)), strict=False):
        ends.append(start + longer * (end - start))
        if np.linalg.norm(ends[-1] - start) > 0.01 * span:
            _arrow(figure, start, ends[-1], colour, 2.5)
    _around_the_origin(figure, np.array([*points, *ends]), axes)
    return figure, Scale(longer, shorter)


def _pairs(
    before: Float[np.ndarray, "n 2"], after: Float[np.ndarray, "n 2"]
) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(before, after, strict=True))


def _shorter(plane: StepPlane) -> float:
    """How much longer the v are than the u, if by so much that the u would lie in one heap."""
    inputs, targets = (float(np.sqrt((places**2).sum(1).mean())) for places in (plane.inputs, plane.targets))
    return float(np.round(inputs / targets)) if 2 * targets < inputs < 50 * targets else 1.0


def _points(
    figure: go.Figure,
    places: Float[np.ndarray, "n 2"],
    names: Sequence[str],
    colour: str,
    symbol: str,
    size: int,
) -> None:
    figure.add_scatter(
        x=places[:, 0], y=places[:, 1], mode="markers", text=[escape(name) for name in names],
        cliponaxis=False, showlegend=False,
        marker={"color": colour, "symbol": symbol, "size": size, "line": {"width": 2 if "open" in symbol else 0}},
        hovertemplate="%{text} (%{x:.3f}, %{y:.3f})<extra></extra>",
    )  # fmt: skip


def _names(
    figure: go.Figure,
    places: Float[np.ndarray, "n 2"],
    names: Sequence[str],
    colour: str,
    shift: int,
    span: float,
) -> None:
    """Names above or below their points; points that lie close together have one label with all their names."""
    left = list(range(len(names)))
    while left:
        first = places[left[0]]
        near = [i for i in left if (np.abs(places[i] - first) < (0.16 * span, 0.06 * span)).all()]
        left = [i for i in left if i not in near]
        edge = np.max if shift > 0 else np.min
        figure.add_annotation(
            x=float(places[near, 0].mean()), y=float(edge(places[near, 1])), yshift=shift, showarrow=False,
            text="<b>" + ", ".join(escape(names[i]) for i in near) + "</b>", font={"color": colour},
        )  # fmt: skip


def _around_the_origin(figure: go.Figure, points: Float[np.ndarray, "n 2"], axes: tuple[str, str]) -> None:
    low, high = points.min(0), points.max(0)
    middle, half = (low + high) / 2, 0.62 * max(float((high - low).max()), 1e-6)
    figure.add_scatter(
        x=[0], y=[0], mode="markers", marker={"symbol": "cross-thin", "size": 14, "line": {"width": 2, "color": WORD}},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    figure.update_xaxes(
        title=axes[0], range=[float(middle[0] - half), float(middle[0] + half)], constrain="domain"
    )
    figure.update_yaxes(
        title=axes[1],
        range=[float(middle[1] - half), float(middle[1] + half)],
        scaleanchor="x",
        constrain="domain",
    )
    figure.update_layout(height=440, margin=_MARGIN)


def noise(
    frequencies: Float[np.ndarray, " word"],
    probabilities: Float[np.ndarray, " word"],
    drawn: Sequence[tuple[int, str]],
    *,
    names: tuple[str, str, str],
    axes: tuple[str, str],
) -> go.Figure:
    """How often each word is used, how often it is drawn as a negative, and the negatives drawn now."""
    # Both curves fall smoothly: two hundred of many thousand ranks draw them just as well.
    ranks = np.unique(np.geomspace(1, len(frequencies), min(200, len(frequencies))).astype(int)) - 1
    figure = go.Figure()
    for values, name, colour in ((frequencies, names[0], WORD), (probabilities, names[1], NEGATIVE)):
        figure.add_scatter(
            x=ranks + 1, y=values[ranks], mode="lines", name=name, line={"color": colour},
            hovertemplate="%{x}: %{y:.2%}<extra>" + name + "</extra>",
        )  # fmt: skip
    rows = [row for row, _word in drawn]
    figure.add_scatter(
        x=[row + 1 for row in rows], y=probabilities[rows], mode="markers", name=names[2],
        text=[escape(word) for _row, word in drawn],
        marker={"color": NEGATIVE, "size": 10, "symbol": "square"},
        hovertemplate="%{text}: %{y:.3%}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title=axes[0], type="log", dtick=1)
    figure.update_yaxes(title=axes[1], type="log", tickformat=".2~%", dtick=1)
    return figure.update_layout(height=330, margin={"l": 8, "r": 8, "t": 48, "b": 8})


def cost(
    words: Float[np.ndarray, " size"],
    full: Float[np.ndarray, " size"],
    sampled: Float[np.ndarray, " size"],
    marked: Sequence[tuple[float, float, str]],
    *,
    names: tuple[str, str],
    axes: tuple[str, str],
) -> go.Figure:
    """Multiplications a step against the size of the vocabulary, both axes in powers of ten."""
    figure = go.Figure()
    for values, name, colour in ((full, names[0], RIGHT), (sampled, names[1], NEGATIVE)):
        figure.add_scatter(
            x=words, y=values, mode="lines", name=name, line={"color": colour},
            hovertemplate="%{x:,.0f}: %{y:,.0f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[x for x, _y, _name in marked], y=[y for _x, y, _name in marked], mode="markers+text",
        text=[escape(name) for *_place, name in marked], showlegend=False,
        textposition=["middle right" if x < 1e5 else "middle left" for x, _y, _name in marked],
        cliponaxis=False, marker={"color": RIGHT, "size": 10}, hovertemplate="%{text}: %{y:,.0f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title=axes[0], type="log", dtick=1, exponentformat="power")
    figure.update_yaxes(title=axes[1], type="log", dtick=2, exponentformat="power")
    return figure.update_layout(height=330, margin={"l": 8, "r": 8, "t": 48, "b": 8})


def softmax(
    found: Softmax, words: Sequence[str], *, right: int, names: tuple[str, str], axis: str
) -> go.Figure:
    """The likeliest words of the full softmax before and after the step; the right one's name stands in bold."""
    ticks = [f"<b>{escape(word)}</b>" if i == right else escape(word) for i, word in enumerate(words)]
    figure = go.Figure()
    for values, name, colour in ((found.before, names[0], WORD), (found.after, names[1], RIGHT)):
        figure.add_bar(
            x=values, y=list(range(len(words))), orientation="h", name=name, marker={"color": colour},
            hovertemplate="%{x:.3%}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title=axis, tickformat=".1~%", rangemode="tozero")
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(words))), ticktext=ticks, ticks="", showgrid=False
    )
    return figure.update_layout(
        barmode="group", height=330, bargap=0.25, margin={"l": 8, "r": 8, "t": 48, "b": 8}
    )
