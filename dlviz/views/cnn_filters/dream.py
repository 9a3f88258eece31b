"""What does a filter look for: activation maximisation, streamed while it climbs."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlviz.figures import activation_maximisation as figures
from dlviz.figures import mosaic
from dlviz.ui import charts, compute, export, lesson
from dlviz.ui.language import _, number
from dlviz.views.cnn_filters import layers
from dlviz.views.cnn_filters.layers import Scene
from dlviz.vision import activation_maximisation
from dlviz.vision.attribution_results import Dream, DreamFrame

SIDE = 336


def show(scene: Scene) -> None:
    """The section."""
    st.markdown(
        _(
            "Start from noise and change the picture so that one filter answers more and more. What comes out is "
            "what the filter looks for: stripes and colours early in the network, textures and parts later on."
        )
    )
    choices = [
        entry for entry in scene.network.layers if entry.kind in ("conv", "linear", "norm", "activation")
    ]
    late = [entry for entry in choices if entry.shape[1] > 1]
    left, middle, right = st.columns([3, 1, 1])
    with left:
        layer = layers.choose(_("Layer"), choices, key="cnn_filters_dream_layer", default=late[-1].name)
    count = scene.network.layer(layer).shape[0]
    if int(st.session_state.get("cnn_filters_dream_filter", 0)) >= count:
        st.session_state["cnn_filters_dream_filter"] = count - 1
    channel = int(
        middle.number_input(_("Filter"), 0, count - 1, key="cnn_filters_dream_filter", bind="query-params")
    )
    seed = int(right.number_input(_("Seed"), 0, 9999, key="cnn_filters_dream_seed", bind="query-params"))
    robust = st.toggle(
        _("Shake the picture at each step"),
        value=True,
        key="cnn_filters_dream_robust",
        bind="query-params",
        help=_("Off, the climb finds a pattern of fine noise that excites the filter and that no photo has."),
    )
    arguments: dict[str, Any] = {"layer": layer, "channel": channel, "seed": seed, "robust": robust}
    lesson.maths([_formula()])
    lesson.code([(_("The climb:"), activation_maximisation.maximise, arguments)], model=scene.model)
    picture, curve = st.columns(2)
    place = picture.empty()
    dream = compute.stream(
        activation_maximisation.maximise,
        model=scene.model,
        key="cnn_filters_dream",
        label=_("Climbing"),
        start=_("Start the climb"),
        on_frame=lambda frame: _frame(place, frame),
        **arguments,
    )
    if dream is not None:
        _finished(place, curve, dream)


def _formula() -> lesson.Formula:
    return lesson.Formula(
        _(
            "The picture that makes a filter's mean answer as large as it can be, whatever small shake it is given:"
        ),
        r"x^* = \arg\max_x\; \mathbb{E}_{\tau}\Bigl[\frac{1}{HW}\sum_{i,j} A_{k,ij}\bigl(\tau(x)\bigr)\Bigr]",
    )


def _frame(place: Any, frame: DreamFrame) -> None:
    place.image(
        frame.image,
        width=SIDE,
        caption=_("Step {step}, answer {answer}", step=frame.step, answer=frame.activation),
    )


def _finished(place: Any, curve: Any, dream: Dream) -> None:
    place.image(
        dream.image,
        width=SIDE,
        caption=_("From {first} to {last}", first=number(dream.first), last=number(dream.last)),
    )
    words = {"step": _("step"), "answer": _("answer of the filter")}
    with curve:
        charts.show(figures.climb(dream, **words), key="cnn_filters_climb")
    export.panel(
        "cnn_filters_dream",
        figures={_("The climb"): lambda: figures.climb(dream, **words)},
        pictures={_("The picture"): lambda: mosaic.png(dream.image)},
        arrays={
            _("The picture and the answers, as numbers"): lambda: {
                "image": dream.image,
                "answers": np.asarray(dream.activations),
            }
        },
    )
