"""Clouds of points as figures: a projection to print, how faithful it is, and sheets of small pictures."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int, UInt8
from PIL import Image

from dlviz.figures.palette import CATEGORICAL, CLASSES, SEQUENTIAL, scale
from dlviz.foundations.projection_results import Faithfulness

TILE = 32
"""Pixels a side of a small picture on its sheet."""

MOST_ACROSS = 128
"""Small pictures a side of a sheet: 4,096 pixels, which every graphics card takes."""

MOST_VECTORS = 6000
"""Points up to which a figure draws each as a shape of its own, so that an SVG stays sharp."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Small pictures in the squares of one large one, as JPEG; ``columns`` squares a side."""

    image: bytes
    columns: int


def sheet(thumbnails: UInt8[np.ndarray, "point height width 3"]) -> Sheet:
    """All small pictures on one square sheet, in reading order; the first 16,384 of them."""
    shown = thumbnails[: MOST_ACROSS**2]
    columns = max(1, math.ceil(math.sqrt(len(shown))))
    page = np.zeros((columns * columns, TILE, TILE, 3), np.uint8)
    # The nearest pixel: these pictures are as large as a tile, or nearly so.
    down, across = (np.arange(TILE) * side // TILE for side in shown.shape[1:3])
    page[: len(shown)] = shown[:, down][:, :, across]
    pixels = page.reshape(columns, columns, TILE, TILE, 3).transpose(0, 2, 1, 3, 4)
    file = io.BytesIO()
    Image.fromarray(pixels.reshape(columns * TILE, columns * TILE, 3)).save(file, "JPEG", quality=90)
    return Sheet(file.getvalue(), columns)


@dataclass(frozen=True, slots=True)
class FaithfulWords:
    """What the figure of faithfulness says, in the visitor's language."""

    size: str
    share: str
    trustworthiness: str
    kept: str
    chance: str


def faithfulness(found: Mapping[str, Faithfulness], words: FaithfulWords) -> go.Figure:
    """Trustworthiness and neighbours kept against the size of the neighbourhood; a colour a picture."""
    figure = go.Figure()
    for index, (name, one) in enumerate(found.items()):
        colour = CATEGORICAL[index % len(CATEGORICAL)]
        for values, said, dash in (
            (one.trustworthiness, words.trustworthiness, "solid"),
            (one.kept, words.kept, "dash"),
        ):
            figure.add_scatter(
                x=one.counts, y=values, name=f"{name}: {said}" if len(found) > 1 else said, mode="lines+markers",
                line={"color": colour, "dash": dash},
            )  # fmt: skip
    last = next(iter(found.values()))
    figure.add_scatter(
        x=last.counts,
        y=last.chance,
        name=words.chance,
        mode="lines",
        line={"color": CATEGORICAL[-1], "dash": "dot"},
    )
    figure.update_xaxes(
        title=words.size, type="log", tickvals=last.counts, ticktext=[str(k) for k in last.counts]
    )
    figure.update_yaxes(title=words.share, range=[-0.02, 1.02], tickformat=".0%")
    return figure.update_layout(height=340)


@dataclass(frozen=True, slots=True, eq=False)
class Colours:
    """What colours say: codes of named categories, or shares from 0 to 1 with the texts of their ends."""

    title: str
    values: Float[np.ndarray, " point"]
    names: Sequence[str] = ()
    ends: tuple[str, str] = ("", "")


def cloud(
    points: Float[np.ndarray, "point axis"],
    names: Sequence[str],
    *,
    colours: Colours | None = None,
    labelled: Int[np.ndarray, " row"] | None = None,
    height: int = 800,
) -> go.Figure:
    """A projection to print: the points with their colours, and the names of some."""
    figure = go.Figure()
    groups: list[tuple[str, np.ndarray, object]] = [("", np.arange(len(points)), CATEGORICAL[0])]
    if colours is not None and colours.names:
        groups = [
            (name, np.flatnonzero(colours.values == code), CLASSES[code % len(CLASSES)])
            for code, name in enumerate(colours.names)
        ]
    size = float(np.clip(60 / math.sqrt(max(len(points), 1)) * 4, 2, 9))
    for name, rows, colour in groups:
        marker: dict[str, object] = {"size": size, "color": colour}
        if colours is not None and not colours.names:
            marker |= {
                "color": colours.values, "colorscale": scale(SEQUENTIAL), "cmin": 0, "cmax": 1, "showscale": True,
                "colorbar": {"title": {"text": colours.title}, "tickvals": [0, 1], "ticktext": list(colours.ends), "outlinewidth": 0},
            }  # fmt: skip
        figure.add_trace(_dots(points[rows], [names[row] for row in rows], name, marker))
    if labelled is not None and len(labelled):
        figure.add_trace(_texts(points[labelled], [names[row] for row in labelled]))
    return _plain(figure, points.shape[1], height, legend=bool(colours is not None and colours.names))


def _dots(places: np.ndarray, texts: list[str], name: str, marker: dict[str, object]) -> go.Scatter:
    looks = {
        "mode": "markers",
        "name": name,
        "text": texts,
        "marker": marker,
        "hoverinfo": "text",
        "showlegend": bool(name),
    }
    if places.shape[1] == 3:
        return go.Scatter3d(x=places[:, 0], y=places[:, 1], z=places[:, 2], **looks)
    kind = go.Scatter if len(places) <= MOST_VECTORS else go.Scattergl
    return kind(x=places[:, 0], y=places[:, 1], **looks)


def _texts(places: np.ndarray, texts: list[str]) -> go.Scatter:
    looks = {"mode": "text", "text": texts, "showlegend": False, "hoverinfo": "skip"}
    if places.shape[1] == 3:
        return go.Scatter3d(x=places[:, 0], y=places[:, 1], z=places[:, 2], **looks)
    return go.Scatter(
        x=places[:, 0], y=places[:, 1], textposition="middle right", textfont={"size": 11}, **looks
    )


def _plain(figure: go.Figure, axes: int, height: int, *, legend: bool) -> go.Figure:
    """No ticks: the numbers on the axes mean nothing by themselves."""
    bare = {"showticklabels": False, "title": "", "zeroline": False, "ticks": ""}
    if axes == 3:
        figure.update_layout(scene=dict.fromkeys(("xaxis", "yaxis", "zaxis"), bare) | {"aspectmode": "data"})
    else:
        figure.update_xaxes(**bare)
        figure.update_yaxes(scaleanchor="x", **bare)
    return figure.update_layout(height=height, showlegend=legend)
