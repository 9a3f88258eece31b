"""CNN filters: a real network looks at the visitor's photo, layer by layer, down to one number."""

from __future__ import annotations

import streamlit as st

from dlviz.figures import attribution as figures
from dlviz.ui import charts, compute, controls, lesson, models, uploads
from dlviz.ui.language import _, percent
from dlviz.views.cnn_filters import compare, dream, filters, layers, maps, why
from dlviz.views.cnn_filters.layers import Scene
from dlviz.vision import attribution, outline

TASK = "image-classification"
OURS = "caltech-cnn"


def scene() -> Scene | None:
    """The photo, the network, and what the network makes of it."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        photo = uploads.photo_input(layers.PHOTO, label=_("Photo"))
        name = models.choose("cnn_filters_model", task=TASK, label=_("Network"), default=OURS)
        models.more("cnn_filters_models", task=TASK)
    if name is None:
        return None
    prediction = compute.run(attribution.predict, model=name, image=photo.pixels)
    with right:
        st.image(photo.pixels, width=260)
        shares = [percent(float(p)) for p in prediction.probabilities]
        figure = figures.top_classes(
            prediction, names=prediction.names, shares=shares, probability=_("probability")
        )
        charts.show(figure, key="cnn_filters_top", alt=_("The five most probable classes."))
    return Scene(photo, name, compute.run(outline.outline, model=name))


lesson.begin(
    "cnn_filters",
    _("Drop a photo of your own, choose a layer, and hover a cell to see how its number came about."),
)
lesson.presets(
    "cnn_filters",
    [
        lesson.Preset(
            _("Edges first"),
            _(
                "The first kernels answer to edges and colours: compare their maps with the outlines of the photo."
            ),
            {"cnn_filters_layer": "stem.act", "cnn_filters_photo": "motorcycle"},
        ),
        lesson.Preset(
            _("A residual sum"),
            _("Two maps are added cell by cell: what the block computed, and what it was handed."),
            {"cnn_filters_layer": "stages.1.1.sum", "cnn_filters_photo": "motorcycle"},
        ),
        lesson.Preset(
            _("Right for the right reason?"),
            _("Three methods on one photo: where they agree, and which of them the deletion curve trusts."),
            {
                "cnn_filters_view": "why",
                "cnn_filters_photo": "motorcycle",
                "cnn_filters_methods": "grad_cam,layer_cam,occlusion",
            },
        ),
        lesson.Preset(
            _("From noise to edges"),
            _("Scrub through the training: the first kernels are noise at epoch 0, and edges soon after."),
            {"cnn_filters_view": "filters"},
        ),
    ],
)
looking_at = scene()
if looking_at is not None:
    view = controls.choice(
        _("Look at"),
        {
            "maps": _("Feature maps"),
            "filters": _("Filters"),
            "why": _("Why this class?"),
            "dream": _("What a filter looks for"),
            "compare": _("Two networks"),
        },
        key="cnn_filters_view",
        label_visibility="collapsed",
    )
    if view == "compare":
        compare.show(looking_at, TASK)
    else:
        {"maps": maps, "filters": filters, "why": why, "dream": dream}[view].show(looking_at)
    lesson.model_card(looking_at.model)
