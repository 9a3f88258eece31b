"""Why this class: heat maps by several methods for several classes, and how far each can be trusted."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlviz.figures import attribution as figures
from dlviz.ui import charts, compute, controls, export, lesson
from dlviz.ui.language import _, number, percent
from dlviz.views.cnn_filters import layers
from dlviz.views.cnn_filters.layers import Scene
from dlviz.vision import attribution, classifier, deletion
from dlviz.vision.attribution_results import AttributionMap, Prediction, TrustCurves

AT_ONCE = ("grad_cam", "layer_cam", "attention_relevance")
"""Methods of one backward pass; the others are jobs with progress."""


def methods() -> dict[str, str]:
    """The methods by name."""
    return {
        "grad_cam": "Grad-CAM",
        "layer_cam": "LayerCAM",
        "integrated_gradients": _("Integrated gradients"),
        "occlusion": _("Occlusion"),
        "attention_relevance": _("Attention relevance"),
    }


def sources() -> dict[str, str]:
    """What each method does, and who described it."""
    return {
        "grad_cam": _(
            "**Grad-CAM** weighs each map of a layer by the mean gradient of the class's logit "
            "(Selvaraju et al., 2017)."
        ),
        "layer_cam": _(
            "**LayerCAM** weighs each cell of a layer by its own positive gradient (Jiang et al., 2021)."
        ),
        "integrated_gradients": _(
            "**Integrated gradients** add up the gradient on the way from the mean colour to the photo "
            "(Sundararajan et al., 2017); computed by Captum."
        ),
        "occlusion": _(
            "**Occlusion** covers the photo place by place and watches the logit fall (Zeiler and Fergus, 2014)."
        ),
        "attention_relevance": _(
            "**Attention relevance** follows the gradient-weighted attention of a transformer from token to token "
            "(Chefer et al., 2021)."
        ),
    }


def show(scene: Scene) -> None:
    """The section: choices, the grid of heat maps, the curves of trust."""
    prediction = compute.run(attribution.predict, model=scene.model, image=scene.photo.pixels)
    targets = _choose_classes(scene, prediction)
    offered = compute.run(attribution.methods_for, model=scene.model)
    chosen = controls.choices(
        _("Methods, up to three"),
        {code: label for code, label in methods().items() if code in offered},
        key="cnn_filters_methods",
        default=list(offered[:2]),
        most=3,
    )
    layer = _choose_layer(scene) if {"grad_cam", "layer_cam"} & set(chosen) else ""
    opacity = st.slider(
        _("Map over photo"), 0.0, 1.0, 0.6, 0.05, key="cnn_filters_opacity", bind="query-params"
    )
    st.markdown("\n".join(f"- {sources()[method]}" for method in chosen))
    lesson.maths(formulas(prediction))
    one = {"image": scene.image, "method": chosen[0], "target": targets[0]}
    lesson.code(
        [
            (_("The network's answer:"), attribution.predict, {"image": scene.image}),
            (_("One heat map:"), attribution.attribute, one),
        ],
        model=scene.model,
    )
    grid = _grid(scene, targets, chosen, layer, opacity)
    trust = _trust(scene, grid)
    _export(scene, grid, trust, opacity)


def _choose_classes(scene: Scene, prediction: Prediction) -> list[int]:
    names = compute.run(classifier.class_names, model=scene.model)
    best = [int(index) for index in prediction.indices]
    order = [*best, *(index for index in range(len(names)) if index not in best)]
    chosen = controls.choices(
        _("Classes, up to three"),
        {str(index): names[index] for index in order},
        key="cnn_filters_targets",
        default=[str(best[0])],
        most=3,
    )
    return [int(code) for code in chosen]


def _choose_layer(scene: Scene) -> str:
    """A layer for the class activation maps; the last stack of maps unless chosen."""
    choices = layers.with_maps(scene.network)
    default = choices[-1].name
    return layers.choose(
        _("Layer of the class activation maps"), choices, key="cnn_filters_cam", default=default
    )


def _grid(
    scene: Scene, targets: list[int], chosen: list[str], layer: str, opacity: float
) -> list[AttributionMap]:
    """One heat map a class and method: those of one pass at once, the others as they are ready."""
    places: list[tuple[int, str, Any]] = []
    for target in targets:
        for column, method in zip(st.columns(len(chosen)), chosen, strict=True):
            places.append((target, method, column.container()))
    found: list[AttributionMap] = []
    for target, method, place in sorted(places, key=lambda entry: entry[1] not in AT_ONCE):
        with place:
            result = _heat_map(scene, target, method, layer)
            if result is not None:
                _draw(scene, result, opacity)
                found.append(result)
    return found


def _heat_map(scene: Scene, target: int, method: str, layer: str) -> AttributionMap | None:
    arguments: dict[str, Any] = {"image": scene.photo.pixels, "method": method, "target": target}
    if method in AT_ONCE:
        if method != "attention_relevance":
            arguments["layer"] = layer
        return compute.run(attribution.attribute, model=scene.model, **arguments)
    return compute.stream(
        attribution.attribution_steps,
        model=scene.model,
        key=f"cnn_filters_{method}_{target}",
        label=methods()[method],
        **arguments,
    )


def _draw(scene: Scene, result: AttributionMap, opacity: float) -> None:
    st.markdown(
        _(
            "**{method}** for *{name}*, {probability}",
            method=methods()[result.method],
            name=result.target_name,
            probability=percent(result.probability),
        )
    )
    figure = figures.heat_map(scene.photo.pixels, result, value=_("value"), opacity=opacity)
    figure.update_layout(height=300)
    charts.show(
        figure,
        key=f"cnn_filters_heat_{result.method}_{result.target}",
        alt=_("Where {method} sees evidence for {name}.", method=result.method, name=result.target_name),
    )
    check = result.completeness
    if check is not None:
        st.caption(
            _(
                "Its own check: the map adds up to {total}, the logit rose by {rise} from the empty picture.",
                total=check.attribution_sum,
                rise=check.logit_difference,
            )
        )


def _trust(scene: Scene, found: list[AttributionMap]) -> list[tuple[AttributionMap, TrustCurves]]:
    """Deletion and insertion curves for the maps of the first class."""
    st.subheader(_("How far can a map be trusted?"), anchor=False)
    st.markdown(
        _(
            "Take the photo away square by square, in the order of the map: if the map points at what the network "
            "used, the probability falls at once, faster than in a random order. Give it back in that order, and "
            "it must rise at once. Trust is the gain over random orders; 0 is chance."
        )
    )
    judged: list[tuple[AttributionMap, TrustCurves]] = []
    for result in found:
        if result.target != found[0].target:
            continue
        curves = compute.stream(
            deletion.deletion_steps,
            model=scene.model,
            key=f"cnn_filters_trust_{result.method}_{result.target}",
            label=methods()[result.method],
            image=scene.photo.pixels,
            heatmap=result,
        )
        if curves is not None:
            judged.append((result, curves))
            _draw_curves(result, curves)
    return judged


def _draw_curves(result: AttributionMap, curves: TrustCurves) -> None:
    name = methods()[result.method]
    st.markdown(_("**{method}**: trust {trust}", method=name, trust=number(curves.trust, 2)))
    words = figures.CurveWords(
        share=_("share of the photo"),
        probability=_("probability"),
        map=name,
        control=_("random orders"),
    )
    deleted, inserted = st.columns(2)
    with deleted:
        st.caption(_("Taken away: area {area}, low is good", area=number(curves.deletion_area, 2)))
        charts.show(figures.deletion(curves, words), key=f"cnn_filters_deletion_{result.method}")
    with inserted:
        st.caption(_("Given back: area {area}, high is good", area=number(curves.insertion_area, 2)))
        charts.show(figures.insertion(curves, words), key=f"cnn_filters_insertion_{result.method}")


def formulas(prediction: Prediction) -> list[lesson.Formula]:
    """Softmax and Grad-CAM, the first with the photo's own numbers."""
    first, logit = float(prediction.probabilities[0]), float(prediction.logits.max())
    return [
        lesson.Formula(
            _("The softmax turns logits into probabilities; for the first class:"),
            r"p_k = \frac{e^{y_k}}{\sum_j e^{y_j}}",
            rf"p = \frac{{e^{{{number(logit)}}}}}{{\sum_j e^{{y_j}}}} = {number(first, 4)}",
        ),
        lesson.Formula(
            _("Grad-CAM: the weight of a map is the mean gradient over its cells."),
            r"\alpha_c = \frac{1}{HW}\sum_{i,j}\frac{\partial y_k}{\partial A_{cij}}, \qquad"
            r" L_{ij} = \mathrm{ReLU}\Bigl(\sum_c \alpha_c A_{cij}\Bigr)",
        ),
    ]


def _export(
    scene: Scene,
    found: list[AttributionMap],
    trust: list[tuple[AttributionMap, TrustCurves]],
    opacity: float,
) -> None:
    def heat(result: AttributionMap) -> Any:
        return lambda: figures.heat_map(scene.photo.pixels, result, value=_("value"), opacity=opacity)

    rows = [
        {
            "method": result.method,
            "class": result.target_name,
            "deletion_area": curves.deletion_area,
            "insertion_area": curves.insertion_area,
            "trust": curves.trust,
        }
        for result, curves in trust
    ]
    export.panel(
        "cnn_filters_why",
        figures={f"{methods()[r.method]} · {r.target_name}": heat(r) for r in found},
        tables={_("How far each map can be trusted"): lambda: rows},
        arrays={_("The heat maps as numbers"): lambda: {f"{r.method}_{r.target}": r.values for r in found}},
    )
