"""Figures of the CNN filters page: the network at a glance, its activity, its kernels while it learnt.

Words come as arguments, already in the visitor's language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from dlviz.figures.palette import CATEGORICAL
from dlviz.vision.results import FeatureMaps, FilterHistory, Layer, NetworkOutline

KIND_COLOURS = {
    "conv": 0,
    "linear": 4,
    "norm": 7,
    "activation": 1,
    "pool": 5,
    "sum": 2,
    "scale": 7,
    "gate": 3,
    "attention": 6,
}
"""Place of each kind of layer in the categorical palette."""

STAGE_GAP = 2.0


def network_strip(
    outline: NetworkOutline,
    *,
    chosen: str | None,
    kinds: Mapping[str, str],
    hover: Sequence[str],
    stages: Sequence[str],
) -> go.Figure:
    """The whole network from photo to answer: one bar a layer, as tall as its maps are, one group a stage.

    Heights follow the logarithm of the map's side, colours the kind of layer.

    Parameters
    ----------
    chosen
        Name of the layer to mark.
    kinds
        What each kind of layer is called, for the legend.
    hover
        The text over each layer.
    stages
        The text under each stage: its name, shape and parameters, lines parted by ``<br>``.
    """
    figure = go.Figure()
    place = strip_places(outline)
    told = {layer.name: text for layer, text in zip(outline.layers, hover, strict=True)}
    for kind in dict.fromkeys(layer.kind for layer in outline.layers):
        own = [layer for layer in outline.layers if layer.kind == kind]
        figure.add_bar(
            x=[place[layer.name] for layer in own],
            y=[bar_height(layer) for layer in own],
            base=[-bar_height(layer) / 2 for layer in own],
            width=0.82,
            name=kinds[kind],
            customdata=[layer.name for layer in own],
            hovertext=[told[layer.name] for layer in own],
            hovertemplate="%{hovertext}<extra></extra>",
            marker={"color": CATEGORICAL[KIND_COLOURS[kind]]},
        )
    _mark(figure, outline, place, chosen)
    _stage_names(figure, outline, place, stages)
    ends = [-1.5, max(place.values()) + 1.5]
    figure.update_xaxes(visible=False, fixedrange=True, range=ends)
    figure.update_yaxes(visible=False, fixedrange=True, range=[-1.15, 0.62])
    return figure.update_layout(height=300, barmode="overlay", margin={"l": 0, "r": 0, "t": 10, "b": 0})


def strip_places(outline: NetworkOutline) -> dict[str, float]:
    """Where each layer's bar stands in the strip: one after the other, with a gap between stages."""
    return {layer.name: i + STAGE_GAP * layer.stage for i, layer in enumerate(outline.layers)}


def bar_height(layer: Layer) -> float:
    """How tall a layer's bar is: from 0.1 for one number to 1 for maps of 256 cells a side."""
    return float(0.1 + 0.9 * min(1.0, np.log2(max(layer.shape[1:])) / 8))


def _mark(figure: go.Figure, outline: NetworkOutline, place: Mapping[str, float], chosen: str | None) -> None:
    """A triangle over the chosen layer."""
    if chosen is None or chosen not in place:
        return
    top = bar_height(outline.layer(chosen)) / 2 + 0.07
    figure.add_scatter(
        x=[place[chosen]],
        y=[top],
        mode="markers",
        marker={"symbol": "triangle-down", "size": 14, "color": CATEGORICAL[1]},
        hoverinfo="skip",
        showlegend=False,
    )


def _stage_names(
    figure: go.Figure, outline: NetworkOutline, place: Mapping[str, float], stages: Sequence[str]
) -> None:
    """Name, shape and parameters under each stage; narrow neighbours take turns on two levels."""
    width = place[outline.layers[-1].name] + 1
    low, last = False, -np.inf
    for stage, text in zip(outline.stages, stages, strict=True):
        first, end = (place[outline.layers[i].name] for i in (stage.first, stage.last))
        middle = (first + end) / 2
        low = (middle - last) / width < 0.13 and not low
        last = middle
        figure.add_annotation(
            x=middle,
            y=-0.82 if low else -0.54,
            text=text,
            showarrow=False,
            # A label wider than a stage at the border would be cut off there.
            xanchor="left" if first < 0.03 * width else "right" if end > 0.97 * width else "center",
            yanchor="top",
            align="center",
            font={"size": 11},
        )
        figure.add_shape(
            type="line",
            x0=first - 0.45,
            x1=end + 0.45,
            y0=-0.53,
            y1=-0.53,
            line={"width": 2, "color": CATEGORICAL[7]},
        )


def activation_histogram(
    maps: FeatureMaps, *, channel: int | None, names: tuple[str, str], titles: tuple[str, str]
) -> go.Figure:
    """How the layer's values spread, and those of one map: the share of the cells in each of 60 bins.

    ``names`` are those of the layer and of the map, ``titles`` those of the axes. The share is on a
    logarithmic axis, because after a ReLU most cells are zero.
    """
    low, high = float(maps.maps.min()), float(maps.maps.max())
    edges = np.linspace(low, max(high, low + 1e-6), 61)
    figure = go.Figure()
    for index, (values, name) in enumerate(
        [(maps.maps, names[0])] + ([] if channel is None else [(maps.maps[channel], names[1])])
    ):
        share = np.histogram(values, edges)[0] / values.size
        figure.add_scatter(
            x=(edges[:-1] + edges[1:]) / 2,
            y=np.where(share > 0, share, np.nan),
            mode="lines",
            line={"shape": "hvh"},
            name=name,
            marker={"color": CATEGORICAL[index]},
        )
    figure.update_xaxes(title=titles[0])
    figure.update_yaxes(title=titles[1], type="log", tickformat=".2~%")
    return figure.update_layout(height=300)


def sorted_values(
    values: Float[np.ndarray, " item"], *, chosen: int | None, titles: tuple[str, str], hover: str
) -> go.Figure:
    """One bar an item, the largest first: the norms of kernels, or how strongly channels answer.

    ``hover`` may hold Plotly's ``%{customdata}``, the item's number, and ``%{y}``.
    """
    order = np.argsort(-values, kind="stable")
    figure = go.Figure()
    figure.add_bar(
        x=np.arange(len(order)),
        y=values[order],
        customdata=order,
        marker={"color": [CATEGORICAL[1 if i == chosen else 0] for i in order]},
        hovertemplate=hover + "<extra></extra>",
    )
    figure.update_xaxes(title=titles[0], showticklabels=False)
    figure.update_yaxes(title=titles[1])
    return figure.update_layout(height=260, bargap=0.1)


def training_curve(
    history: FilterHistory, *, moment: int, names: tuple[str, str], titles: tuple[str, str, str]
) -> go.Figure:
    """Loss and accuracy at the moments whose kernels were kept, with the moment that is shown.

    ``names`` are those of the two curves, ``titles`` those of the epoch, accuracy and loss axes.
    """
    figure = go.Figure()
    for index, values in enumerate((history.test_accuracy, history.train_loss)):
        figure.add_scatter(
            x=history.epochs,
            y=values,
            mode="lines+markers",
            name=names[index],
            marker={"color": CATEGORICAL[index]},
            yaxis="y2" if index else "y",
        )
    figure.add_vline(
        x=float(history.epochs[moment]), line={"dash": "dot", "width": 2, "color": CATEGORICAL[7]}
    )
    figure.update_xaxes(title=titles[0])
    figure.update_layout(
        height=280,
        yaxis={"title": titles[1], "tickformat": ".0%", "rangemode": "tozero"},
        yaxis2={
            "title": titles[2],
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "tickmode": "auto",
            "nticks": 5,
            "rangemode": "tozero",
        },
    )
    return figure
