"""Filters: the kernels of the first layer, of deeper ones, and how they came to be."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import streamlit as st

from dlviz import zoo
from dlviz.figures import cnn_filters as figures
from dlviz.figures import mosaic
from dlviz.ui import charts, compute, controls, export, lesson
from dlviz.ui.components.map_gallery import kernel_gallery, slice_gallery
from dlviz.ui.language import _, number, percent
from dlviz.views.cnn_filters import layers
from dlviz.views.cnn_filters.layers import Scene
from dlviz.vision import cnn_filters
from dlviz.vision.results import Kernels

HISTORY = "history.safetensors"


def show(scene: Scene) -> None:
    """The section."""
    by: Any = controls.choice(
        _("Sort the kernels"),
        {"norm": _("by norm"), "response": _("by response to this photo")},
        key="cnn_filters_sort",
    )
    first = _first(scene, by)
    if any(file.name == HISTORY for file in zoo.card(scene.model).files):
        _history(scene)
    arguments = _deeper(scene, by)
    lesson.code(
        [
            (_("The kernels of a layer:"), cnn_filters.kernels, {"layer": first.layer}),
            (_("One filter, channel by channel:"), cnn_filters.filter_slices, arguments),
        ],
        model=scene.model,
    )
    export.panel(
        "cnn_filters_filters",
        pictures={_("The kernels of the first layer"): lambda: _sheet(first)},
        arrays={_("The kernels of the first layer, as numbers"): lambda: {"weights": first.weights}},
    )


def _first(scene: Scene, by: str) -> Kernels:
    first = compute.run(cnn_filters.first_kernels, model=scene.model)
    maps = compute.run(
        cnn_filters.feature_maps, model=scene.model, image=scene.photo.pixels, layer=first.layer
    )
    st.subheader(_("The kernels that look at the photo"), anchor=False)
    st.markdown(
        _(
            "Each of the {count} kernels of the first layer has a red, a green and a blue part, so it can be "
            "shown as a small picture. Grey is a weight of zero. Edges, bars and contrasts of colour are what "
            "training makes of noise.",
            count=len(first.weights),
        )
    )
    kernel_gallery(first, key=f"cnn_filters_kernels_{by}", values=None if by == "norm" else maps.strength)
    return first


def _history(scene: Scene) -> None:
    """The same filters at every moment of training that the recipe kept."""
    file = str(zoo.file(scene.model, HISTORY))
    held = compute.run(cnn_filters.filter_history, file=file).layers
    st.subheader(_("The same filters while the network learnt"), anchor=False)
    layer = controls.choice(
        _("Filters of"), {name: name for name in held}, key="cnn_filters_history_layer", style="pills"
    )
    history = compute.run(cnn_filters.filter_history, file=file, layer=layer)
    moments = [int(epoch) for epoch in history.epochs]
    epoch = st.select_slider(
        _("Epoch"), moments, value=moments[-1], key="cnn_filters_epoch", bind="query-params"
    )
    at = moments.index(epoch)
    st.markdown(
        _(
            "After epoch {epoch}: training loss {loss}, right answers on test photos {accuracy}. Epoch 0 is the random "
            "start.",
            epoch=epoch,
            loss=number(float(history.train_loss[at]), 2),
            accuracy=percent(float(history.test_accuracy[at])),
        )
    )
    kernels, curve = st.columns(2)
    kernels.image(_moment(history.weights[at]), width="stretch")
    with curve:
        charts.show(
            figures.training_curve(
                history,
                moment=at,
                names=(_("right answers on test photos"), _("training loss")),
                titles=(_("epoch"), _("right answers"), _("loss")),
            ),
            key="cnn_filters_training",
        )


def _moment(weights: np.ndarray) -> bytes:
    if weights.shape[1] == 3:
        tiles = mosaic.colour_kernels(weights)
    else:
        tiles = mosaic.signed(weights[:12, :12].reshape(-1, *weights.shape[2:]), shared=True)
    return mosaic.png(mosaic.mosaic(tiles, columns=12, enlarge=max(1, 56 // tiles.shape[1]), gap=6))


def _deeper(scene: Scene, by: Literal["norm", "response"]) -> dict[str, object]:
    st.subheader(_("A deeper filter, channel by channel"), anchor=False)
    convolutions = [entry for entry in scene.network.layers if entry.kind == "conv"]
    deeper = convolutions[1:] or convolutions
    layer = layers.choose(_("Convolution"), deeper, key="cnn_filters_deep", default=deeper[0].name)
    count = scene.network.layer(layer).shape[0]
    if int(st.session_state.get("cnn_filters_filter", 0)) >= count:
        st.session_state["cnn_filters_filter"] = count - 1
    chosen = int(st.number_input(_("Filter"), 0, count - 1, key="cnn_filters_filter", bind="query-params"))
    slices = compute.run(
        cnn_filters.filter_slices, model=scene.model, image=scene.photo.pixels, layer=layer, filter=chosen
    )
    st.markdown(
        _(
            "Filter {filter} adds up one small kernel for each of its {count} input channels. They are drawn on one "
            "scale, blue for negative weights, orange for positive ones.",
            filter=chosen,
            count=len(slices.channels),
        )
    )
    slice_gallery(slices, key="cnn_filters_slices", by=by)
    return {"image": scene.image, "layer": layer, "filter": chosen}


def _sheet(first: Kernels) -> bytes:
    return mosaic.png(mosaic.mosaic(mosaic.colour_kernels(first.weights), columns=12, enlarge=10, gap=4))
