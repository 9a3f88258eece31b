"""Figures of the VAE page: maps of the latent space, the two terms of the loss, and how a training went.

Words come as arguments, already in the visitor's language.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int, UInt8
from PIL import Image, ImageColor, ImageDraw

from dlviz.figures.palette import CATEGORICAL, CLASSES

RECONSTRUCTION, DIVERGENCE = CATEGORICAL[0], CATEGORICAL[1]
YOURS, OTHERS = CATEGORICAL[1], CATEGORICAL[7]

Plane = Float[np.ndarray, "point 2"]


@dataclass(frozen=True, slots=True)
class Own:
    """A picture on the map: its mean, its standard deviations (None for a plain autoencoder), its name."""

    mean: Float[np.ndarray, " 2"]
    sigma: Float[np.ndarray, " 2"] | None
    name: str


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """What the histogram of errors says."""

    error: str
    count: str
    yours: str


def latent_map(
    codes: Plane,
    labels: Int[np.ndarray, " point"],
    *,
    classes: Sequence[str],
    axes: tuple[str, str],
    own: Sequence[Own] = (),
    height: int = 420,
) -> go.Figure:
    """Codes as points in the colour of their class, each class named in its middle.

    The points are drawn here and sent as one picture of a few kilobytes: thousands of them redraw at once,
    on any computer. Both axes have one scale, because distances are read off the map. `labels` may hold -1:
    pictures without a class, in grey. Each of `own` is a cross with its ellipses at one and two standard
    deviations.
    """
    x, y = _square(codes, own)
    figure = go.Figure()
    figure.add_layout_image(
        source=_data_uri(dots(codes, labels, (*x, *y), side=2 * height)),
        xref="x",
        yref="y",
        x=x[0],
        y=y[1],
        sizex=x[1] - x[0],
        sizey=y[1] - y[0],
        sizing="stretch",
        layer="below",
    )
    # Without a trace Plotly draws no axes.
    figure.add_scatter(x=x, y=y, mode="markers", opacity=0, hoverinfo="skip", showlegend=False)
    for index in np.unique(labels[labels >= 0]):
        _class_name(figure, np.median(codes[labels == index], axis=0), classes[index], small=height < 320)
    for one in own:
        _own(figure, one)
    figure.update_xaxes(title=axes[0], range=x, zeroline=False, constrain="domain")
    figure.update_yaxes(title=axes[1], range=y, zeroline=False, scaleanchor="x", constrain="domain")
    return figure.update_layout(height=height, margin={"l": 0, "r": 0, "t": 8, "b": 0})


def _square(codes: Plane, own: Sequence[Own]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two ranges of one length that hold all but the far half percent on either side, and the visitor's own."""
    low, high = np.percentile(codes, [0.5, 99.5], axis=0)
    for one in own:
        low, high = np.minimum(low, one.mean), np.maximum(high, one.mean)
    middle, half = (low + high) / 2, 0.56 * max(float((high - low).max()), 1e-3)
    (left, right), (bottom, top) = ((float(m) - half, float(m) + half) for m in middle)
    return (left, right), (bottom, top)


def dots(
    codes: Plane,
    labels: Int[np.ndarray, " point"],
    extent: tuple[float, float, float, float],
    *,
    side: int,
    radius: float = 2.6,
) -> Image.Image:
    """Points on a transparent ground, in their own order, so that no class lies over all others.

    `extent` is left, right, bottom, top; `side` the longer side in pixels. Drawn at twice the size and brought
    down: the edges of the points are smooth.
    """
    left, right, bottom, top = extent
    scale = 2 * side / max(right - left, top - bottom)
    sheet = Image.new("RGBA", (round((right - left) * scale), round((top - bottom) * scale)))
    pen, reach = ImageDraw.Draw(sheet), 2 * radius
    inks = [ImageColor.getrgb(colour) for colour in (*CLASSES, OTHERS)]
    places = np.stack([(codes[:, 0] - left) * scale, (top - codes[:, 1]) * scale], axis=1)
    for (x, y), label in zip(places.tolist(), labels.tolist(), strict=True):
        ink = inks[label % len(CLASSES) if label >= 0 else -1]
        pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=(*ink, 190))
    return sheet.resize((max(1, sheet.width // 2), max(1, sheet.height // 2)), Image.Resampling.BOX)


def _class_name(figure: go.Figure, place: Float[np.ndarray, " 2"], name: str, *, small: bool) -> None:
    figure.add_annotation(
        x=float(place[0]),
        y=float(place[1]),
        text=f"<b>{name}</b>",
        showarrow=False,
        font={"color": "#1d2330", **({"size": 10} if small else {})},
        bgcolor="rgba(251, 250, 247, 0.75)",
        borderpad=0 if small else 2,
    )


def _own(figure: go.Figure, own: Own) -> None:
    x, y = (float(v) for v in own.mean)
    if own.sigma is not None:
        for times in (1, 2):
            dx, dy = (times * float(v) for v in own.sigma)
            figure.add_shape(
                type="circle",
                x0=x - dx,
                x1=x + dx,
                y0=y - dy,
                y1=y + dy,
                line={"width": 3 / times, "color": YOURS},
            )
    figure.add_scatter(
        x=[x],
        y=[y],
        mode="markers",
        marker={"symbol": "x", "size": 13, "color": YOURS, "line": {"width": 1.5, "color": "#fbfaf7"}},
        name=own.name,
        hovertemplate=f"{own.name} (%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
        showlegend=False,
    )


def two_terms(
    rows: Sequence[str],
    reconstruction: Sequence[float],
    divergence: Sequence[float],
    *,
    names: tuple[str, str],
    axis: str,
) -> go.Figure:
    """Reconstruction and KL of each row as one bar of two parts, the first row on top."""
    figure = go.Figure()
    for values, name, colour in (
        (reconstruction, names[0], RECONSTRUCTION),
        (divergence, names[1], DIVERGENCE),
    ):
        figure.add_bar(
            x=list(values),
            y=list(range(len(rows))),
            orientation="h",
            name=name,
            texttemplate="%{x:.1f}",
            textposition="auto",
            textangle=0,
            insidetextanchor="middle",
            constraintext="none",
            marker={"color": colour},
            customdata=list(rows),
            hovertemplate=name + " %{x:.2f}<extra>%{customdata}</extra>",
        )
    figure.update_xaxes(title=axis, rangemode="tozero")
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(rows))), ticktext=list(rows), ticks="", showgrid=False
    )
    return figure.update_layout(barmode="stack", height=110 + 46 * len(rows), bargap=0.3)


def by_dimension(
    order: Sequence[int],
    mine: Float[np.ndarray, " latent"],
    test: Float[np.ndarray, " latent"],
    *,
    names: tuple[str, str],
    axis: str,
    inactive: Sequence[int] = (),
) -> go.Figure:
    """The KL of each dimension, this picture beside the mean of the test set, in the order given.

    Inactive dimensions are pale: the decoder has stopped listening to them.
    """
    ticks = [f"z<sub>{i + 1}</sub>" for i in order]
    pale = [0.35 if i in inactive else 1.0 for i in order]
    figure = go.Figure()
    for values, name, colour in ((mine, names[0], YOURS), (test, names[1], OTHERS)):
        figure.add_bar(
            x=list(range(len(order))),
            y=values[list(order)],
            name=name,
            marker={"color": colour, "opacity": pale},
            hovertemplate=name + " %{y:.3f}<extra></extra>",
        )
    figure.update_xaxes(tickvals=list(range(len(order))), ticktext=ticks, ticks="", showgrid=False)
    figure.update_yaxes(title=axis, rangemode="tozero")
    return figure.update_layout(barmode="group", height=300, bargap=0.25)


def place_among(errors: Float[np.ndarray, " picture"], own: float, words: PlaceWords) -> go.Figure:
    """The errors of the test pictures as a histogram, and where the visitor's picture stands.

    A picture far outside is drawn at the right edge, with its number.
    """
    top = float(np.percentile(errors, 99.9))
    edge = max(top, min(own, 1.6 * top))
    counts, edges = np.histogram(errors, bins=48, range=(0, top))
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=np.diff(edges),
            marker={"color": OTHERS},
            hovertemplate=words.error + " %{x:.0f}: %{y}<extra></extra>",
        )
    )
    figure.add_vline(x=min(own, edge), line={"color": YOURS, "width": 3})
    figure.add_annotation(
        x=min(own, edge), y=1, yref="paper", text=words.yours, showarrow=False, xanchor="left", yanchor="top",
        xshift=6, font={"color": YOURS},
    )  # fmt: skip
    figure.update_xaxes(title=words.error, range=[0, 1.22 * edge])
    figure.update_yaxes(title=words.count)
    return figure.update_layout(height=240, bargap=0, margin={"l": 8, "r": 8, "t": 12, "b": 8})


def one_draw(
    mean: Float[np.ndarray, " 2"],
    sigma: Float[np.ndarray, " 2"],
    code: Float[np.ndarray, " 2"],
    samples: Plane,
    *,
    axes: tuple[str, str],
    mean_name: str,
    code_name: str,
) -> go.Figure:
    r"""The ellipse of q(z | x) from near: the mean, an arrow of length $\sigma\varepsilon$, and the draw at its end."""
    figure = go.Figure()
    figure.add_scatter(
        x=samples[:, 0], y=samples[:, 1], mode="markers", hoverinfo="skip", showlegend=False,
        marker={"size": 6, "color": OTHERS, "opacity": 0.5},
    )  # fmt: skip
    _own(figure, Own(mean, sigma, mean_name))
    figure.add_annotation(
        x=float(code[0]), y=float(code[1]), ax=float(mean[0]), ay=float(mean[1]), axref="x", ayref="y",
        showarrow=True, arrowhead=2, arrowsize=1.2, arrowwidth=2.5, arrowcolor=RECONSTRUCTION, text="",
    )  # fmt: skip
    figure.add_scatter(
        x=[float(code[0])], y=[float(code[1])], mode="markers+text", text=[f"<b>{code_name}</b>"],
        textposition="top center", cliponaxis=False, showlegend=False,
        marker={"size": 14, "color": RECONSTRUCTION, "line": {"width": 1.5, "color": "#fbfaf7"}},
        hovertemplate=code_name + " (%{x:.3f}, %{y:.3f})<extra></extra>",
    )  # fmt: skip
    reach = 3.4 * sigma
    figure.update_xaxes(
        title=axes[0], range=[float(mean[0] - reach[0]), float(mean[0] + reach[0])], zeroline=False
    )
    figure.update_yaxes(
        title=axes[1], range=[float(mean[1] - reach[1]), float(mean[1] + reach[1])], zeroline=False
    )
    return figure.update_layout(height=340, margin={"l": 8, "r": 8, "t": 8, "b": 8})


def gradients(
    rows: Sequence[tuple[str, Float[np.ndarray, " draw"]]], *, axis: str, said: Sequence[str]
) -> go.Figure:
    """Every single estimate of one gradient as a dot, one row a way to estimate it, its mean as a bar.

    Dots are shifted up and down so that they do not cover each other; `said` stands under each row's name.
    """
    figure = go.Figure()
    for place, (name, values) in enumerate(rows):
        colour = (YOURS, OTHERS, RECONSTRUCTION)[place % 3]
        shift = 0.28 * np.sin(np.arange(len(values)) * 2.399963)
        figure.add_scatter(
            x=values.astype(np.float32), y=(place + shift).astype(np.float32), mode="markers",
            marker={"size": 5, "color": colour, "opacity": 0.55},
            hovertemplate=name + " %{x:.1f}<extra></extra>", showlegend=False,
        )  # fmt: skip
        figure.add_shape(
            type="line", x0=float(values.mean()), x1=float(values.mean()), y0=place - 0.42, y1=place + 0.42,
            line={"width": 4, "color": colour},
        )  # fmt: skip
    figure.update_xaxes(title=axis)
    labels = [f"{name}<br>{text}" for (name, _values), text in zip(rows, said, strict=True)]
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(rows))), ticktext=labels, ticks="", showgrid=False,
        zeroline=False,
    )  # fmt: skip
    return figure.update_layout(height=110 + 90 * len(rows), margin={"l": 8, "r": 8, "t": 8, "b": 8})


def picture_grid(
    mosaic: UInt8[np.ndarray, "height width"],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    axis: str,
    cell: int = 56,
) -> go.Figure:
    """A mosaic of grey pictures with a name at each row and a number under each column."""
    height, width = mosaic.shape
    figure = go.Figure()
    figure.add_layout_image(
        source=_data_uri(Image.fromarray(np.ascontiguousarray(mosaic))), xref="x", yref="y", x=0, y=0, sizex=len(columns), sizey=len(rows),
        sizing="stretch", layer="below",
    )  # fmt: skip
    # Without a trace Plotly draws no axes.
    figure.add_scatter(x=[0, len(columns)], y=[0, len(rows)], mode="markers", opacity=0, hoverinfo="skip")
    figure.update_xaxes(
        range=[0, len(columns)], tickvals=[i + 0.5 for i in range(len(columns))], ticktext=list(columns),
        title=axis, showgrid=False, zeroline=False, ticks="", fixedrange=True, constrain="domain",
    )  # fmt: skip
    figure.update_yaxes(
        range=[len(rows), 0], tickvals=[i + 0.5 for i in range(len(rows))], ticktext=list(rows),
        showgrid=False, zeroline=False, ticks="", ticklabelstandoff=10,
        scaleanchor="x", scaleratio=height * len(columns) / width / len(rows),
        fixedrange=True, constrain="domain",
    )  # fmt: skip
    return figure.update_layout(
        height=70 + cell * len(rows), showlegend=False, margin={"l": 8, "r": 8, "t": 8, "b": 8}
    )


def _data_uri(picture: Image.Image) -> str:
    """A picture as a PNG in a data URI."""
    packed = io.BytesIO()
    picture.save(packed, "PNG", compress_level=3)
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode()


def training(
    reconstruction: Float[np.ndarray, " step"], kl: Float[np.ndarray, " step"], *, steps: int,
    names: tuple[str, str], axes: tuple[str, str],
) -> go.Figure:  # fmt: skip
    """The two terms of the loss, step by step, smoothed over the last ten; both in nats, on two axes."""
    figure = go.Figure()
    for values, name, colour, side in (
        (reconstruction, names[0], RECONSTRUCTION, "y"),
        (kl, names[1], DIVERGENCE, "y2"),
    ):
        figure.add_scatter(
            x=np.arange(1, len(values) + 1), y=_smooth(values), name=name, yaxis=side, mode="lines",
            line={"color": colour}, hovertemplate=name + " %{y:.1f}<extra>%{x}</extra>",
        )  # fmt: skip
    figure.update_xaxes(title=axes[0], range=[0, steps])
    return figure.update_layout(
        height=280,
        yaxis={"title": f"{names[0]}, {axes[1]}", "rangemode": "tozero"},
        yaxis2={"title": f"{names[1]}, {axes[1]}", "overlaying": "y", "side": "right", "tickmode": "auto", "rangemode": "tozero",
                "showgrid": False},
    )  # fmt: skip


def _smooth(values: Float[np.ndarray, " step"], window: int = 10) -> Float[np.ndarray, " step"]:
    """The mean of each value and those just before it."""
    total = np.cumsum(np.insert(values.astype(np.float64), 0, 0.0))
    end = np.arange(1, len(values) + 1)
    start = np.maximum(end - window, 0)
    return ((total[end] - total[start]) / (end - start)).astype(np.float32)


def ways_on_map(figure: go.Figure, ways: Sequence[tuple[str, Float[np.ndarray, "picture 2"]]]) -> go.Figure:
    """Add ways between two codes to a latent map."""
    for place, (name, codes) in enumerate(ways):
        figure.add_scatter(
            x=codes[:, 0], y=codes[:, 1], mode="lines+markers", name=name,
            line={"color": (RECONSTRUCTION, YOURS)[place % 2], "width": 3},
            marker={"size": 8, "line": {"width": 1, "color": "#fbfaf7"}}, hoverinfo="name",
        )  # fmt: skip
    return figure
