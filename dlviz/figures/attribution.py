"""Why this class: heat maps over the photo, curves of trust, and the most probable classes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, UInt8
from PIL import Image

from dlviz.figures.palette import CATEGORICAL, DIVERGING, SEQUENTIAL, scale
from dlviz.vision.attribution_results import AttributionMap, Prediction, TrustCurves

OURS, CONTROL = CATEGORICAL[0], CATEGORICAL[7]


@dataclass(frozen=True, slots=True)
class CurveWords:
    """What the figure of a curve says, in the visitor's language."""

    share: str
    probability: str
    map: str
    control: str


def heat_map(
    photo: UInt8[np.ndarray, "height width 3"],
    result: AttributionMap,
    *,
    value: str,
    opacity: float = 0.6,
    smooth: bool = True,
    limit: float | None = None,
) -> go.Figure:
    """The map over the part of the photo that the network saw.

    `value` names the number under the pointer. Signed maps take the diverging palette, neutral at zero;
    the others the sequential one. `limit` is the value at the end of the scale (`colour_limit` of several
    maps makes them comparable). `smooth` interpolates between cells, for the eye only.
    """
    top = limit or colour_limit([result])
    rows, columns = result.values.shape
    across, down = result.box.width / columns, result.box.height / rows
    heat = go.Heatmap(
        z=result.values,
        x0=result.box.left + across / 2,
        dx=across,
        y0=result.box.top + down / 2,
        dy=down,
        zmin=-top if result.signed else 0,
        zmax=top,
        colorscale=scale(DIVERGING if result.signed else SEQUENTIAL),
        zsmooth="best" if smooth else False,
        opacity=opacity,
        showscale=False,
        hovertemplate=value + " %{z:.3g}<extra></extra>",
    )
    height, width = photo.shape[:2]
    figure = go.Figure(heat)
    figure.add_layout_image(
        source=_jpeg(photo),
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=width,
        sizey=height,
        sizing="stretch",
        layer="below",
    )
    figure.update_xaxes(visible=False, range=[0, width], constrain="domain")
    figure.update_yaxes(visible=False, range=[height, 0], scaleanchor="x", constrain="domain")
    return figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})


def colour_limit(results: Sequence[AttributionMap]) -> float:
    """The value at the end of the colour scale: the 99.5th percentile of the absolute values.

    A few single pixels of an integrated gradients map are far above the rest; on their scale
    all else would look like zero.
    """
    values = np.concatenate([np.abs(result.values).ravel() for result in results])
    return float(np.percentile(values, 99.5)) or float(values.max()) or 1.0


def deletion(result: TrustCurves, words: CurveWords) -> go.Figure:
    """Probability while the photo is taken away in the map's order, beside random orders."""
    return _curves(result.share, result.deletion, result.deletion_control, words)


def insertion(result: TrustCurves, words: CurveWords) -> go.Figure:
    """Probability while the photo comes back in the map's order, beside random orders."""
    return _curves(result.share, result.insertion, result.insertion_control, words)


def top_classes(
    result: Prediction, *, names: Sequence[str], shares: Sequence[str], probability: str
) -> go.Figure:
    """The most probable classes as bars, the first on top; `names` and `shares` are written on them.

    Names and shares come from the page, which knows the visitor's language.
    """
    bars = go.Bar(
        x=result.probabilities,
        y=list(range(len(names))),
        orientation="h",
        text=list(shares),
        textposition="auto",
        marker={"color": [OURS] + [CONTROL] * (len(names) - 1)},
        customdata=list(names),
        hovertemplate="%{customdata}: %{text}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", title=probability)
    figure.update_yaxes(
        autorange="reversed", tickvals=list(range(len(names))), ticktext=list(names), ticks="", showgrid=False
    )
    return figure.update_layout(height=60 + 36 * len(names), bargap=0.25)


def _curves(
    share: Float[np.ndarray, " step"],
    ours: Float[np.ndarray, " step"],
    control: Float[np.ndarray, "order step"],
    words: CurveWords,
) -> go.Figure:
    figure, hover = go.Figure(), "%{x:.0%}: %{y:.3f}"
    if len(control):
        outline = np.concatenate([control.max(axis=0), control.min(axis=0)[::-1]])
        figure.add_scatter(
            x=np.concatenate([share, share[::-1]]),
            y=outline,
            fill="toself",
            mode="lines",
            line={"width": 0},
            fillcolor="rgba(122, 127, 140, 0.25)",
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            x=share,
            y=control.mean(axis=0),
            name=words.control,
            line={"color": CONTROL, "dash": "dot"},
            hovertemplate=hover,
        )
    figure.add_scatter(x=share, y=ours, name=words.map, line={"color": OURS}, hovertemplate=hover)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", title=words.share)
    return figure.update_yaxes(range=[0, 1.02], title=words.probability)


def _jpeg(photo: UInt8[np.ndarray, "height width 3"]) -> str:
    """The photo as a data URI: a JPEG takes a tenth of a PNG's time and size."""
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
