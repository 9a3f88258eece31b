"""Why this class? The network's answer for a photo, and heat maps of the places that it came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result, Work
from dlviz.i18n import N_
from dlviz.vision.attention_relevance import attention_layers, attention_relevance
from dlviz.vision.attribution_results import (
    AttributionMap,
    Box,
    Completeness,
    LayerEvidence,
    Method,
    Prediction,
)
from dlviz.vision.class_activation import default_layer, grad_cam, layer_cam, maps_and_gradient
from dlviz.vision.classifier import Classifier


def predict(model: Classifier, image: UInt8[np.ndarray, "height width 3"], *, count: int = 5) -> Prediction:
    r"""The most probable classes for a photo.

    $$ p_k = \frac{e^{y_k}}{\sum_j e^{y_j}} $$

    Args:
        model: the classifier.
        image: RGB bytes.
        count: how many classes to name.
    """
    pixels, _ = network_input(model, image)
    with torch.no_grad():
        logits = model(pixels)[0].float()
    top = logits.softmax(dim=0).topk(min(count, logits.numel()))
    return Prediction(
        indices=top.indices.cpu().numpy(),
        names=tuple(_class_name(model, i) for i in top.indices.tolist()),
        probabilities=top.values.cpu().numpy(),
        logits=logits.cpu().numpy(),
    )


def methods_for(model: Classifier) -> tuple[Method, ...]:
    """The methods that suit a network: attention relevance for a vision transformer, CAMs for the others.

    Grad-CAM needs a layer whose cells are places in the photo; after a few blocks of attention every
    token holds something of every place, and a map drawn that way misleads.
    """
    if attention_layers(model):
        return ("attention_relevance", "integrated_gradients", "occlusion")
    if any("attention" in type(module).__name__.lower() for module in model.modules()):
        return ("integrated_gradients", "occlusion")  # an attention layer that we cannot read
    return ("grad_cam", "layer_cam", "integrated_gradients", "occlusion")


def attribute(
    model: Classifier,
    image: UInt8[np.ndarray, "height width 3"],
    *,
    method: Method,
    target: int | None = None,
    layer: str | None = None,
    **options: int,
) -> AttributionMap:
    """The heat map of one class by one method, in one go: `attribution_steps` run to its end."""
    steps = attribution_steps(model, image, method=method, target=target, layer=layer, **options)
    *_, last = steps
    assert isinstance(last, Result) and isinstance(last.value, AttributionMap)
    return last.value


def attribution_steps(
    model: Classifier,
    image: UInt8[np.ndarray, "height width 3"],
    *,
    method: Method,
    target: int | None = None,
    layer: str | None = None,
    **options: int,
) -> Work:
    """The heat map of one class by one method, as work that tells how far it is.

    Args:
        model: the classifier.
        image: RGB bytes.
        method: `grad_cam` and `layer_cam` take a `layer`; `integrated_gradients` takes `steps`;
            `occlusion` takes `window` and `stride` in input pixels; `attention_relevance` is for
            transformers.
        target: index of the class to explain; the most probable one if not given.
        layer: dotted name of a module of `model.network` whose output is a stack of maps; the last such
            one if not given.

    Yields:
        `Progress` and, for occlusion, a `Frame` with the map so far; at the end a `Result` with the
        `AttributionMap`.

    Raises:
        Refused: the class does not exist, the layer has no maps, or the method does not suit the network.
    """
    pixels, box = network_input(model, image)
    _check_target(model, target)
    if method in ("grad_cam", "layer_cam"):
        yield Result(_class_activation(model, pixels, box, method, target, layer))
    elif method == "attention_relevance":
        relevance, logits = attention_relevance(model, pixels, target)
        yield Result(_result(model, method, relevance, logits, target, box))
    elif method == "integrated_gradients":
        yield from _integrated_gradients(model, pixels, box, target, **options)
    elif method == "occlusion":
        yield from _occlusion(model, pixels, box, target, **options)
    else:
        raise ValueError(f"unknown method {method!r}")


def layer_evidence(
    model: Classifier,
    image: UInt8[np.ndarray, "height width 3"],
    *,
    layer: str | None = None,
    target: int | None = None,
) -> LayerEvidence:
    r"""A layer's feature maps, which of them speak for the class, and their Grad-CAM, from one pass.

    $$ \alpha_k^c = \frac{1}{Z} \sum_{i,j} \frac{\partial y^c}{\partial A^k_{ij}}, \qquad
       \mathrm{share}_k = \alpha_k^c\, \frac{1}{Z} \sum_{i,j} A^k_{ij} $$

    One forward pass and a backward pass that ends at the layer give all three, so that a page pays no
    second pass for the maps it draws beside the heat map.

    Args:
        model: the classifier.
        image: RGB bytes.
        layer: dotted name of a module of `model.network`; the last one with maps if not given.
        target: index of the class to explain; the most probable one if not given.

    Raises:
        Refused: the class does not exist, or the layer has no maps.
    """
    pixels, box = network_input(model, image)
    _check_target(model, target)
    name, module = _layer(model, pixels, layer)
    maps, gradient, logits = maps_and_gradient(model, pixels, module, target)
    alpha = gradient.mean(dim=(1, 2))
    heat = _result(model, "grad_cam", grad_cam(maps, gradient), logits, target, box, layer=name)
    maps_, alpha_, share = (x.float().cpu().numpy() for x in (maps, alpha, alpha * maps.mean(dim=(1, 2))))
    return LayerEvidence(maps_, alpha_, share, heat)


def network_input(
    model: Classifier, image: UInt8[np.ndarray, "height width 3"]
) -> tuple[Float[Tensor, "1 3 height_in width_in"], Box]:
    """The photo as the network takes it, and the part of the photo that it sees."""
    pixels, geometry = model.prepare(image)
    return pixels, Box(geometry.left, geometry.top, geometry.width, geometry.height)


def _class_activation(
    model: Classifier,
    pixels: Float[Tensor, "1 3 height_in width_in"],
    box: Box,
    method: Method,
    target: int | None,
    layer: str | None,
) -> AttributionMap:
    name, module = _layer(model, pixels, layer)
    maps, gradient, logits = maps_and_gradient(model, pixels, module, target)
    cam = grad_cam if method == "grad_cam" else layer_cam
    return _result(model, method, cam(maps, gradient), logits, target, box, layer=name)


def _check_target(model: Classifier, target: int | None) -> None:
    if target is not None and not 0 <= target < len(model.classes):
        raise Refused(N_("This network has no class number {target}."), target=target)


def _layer(
    model: Classifier, pixels: Float[Tensor, "1 3 height_in width_in"], layer: str | None
) -> tuple[str, nn.Module]:
    name = layer or default_layer(model.network, pixels)
    try:
        return name, model.network.get_submodule(name)
    except AttributeError:
        raise Refused(N_("This network has no layer named {layer}."), layer=name) from None


POINTS_AT_A_TIME = 2


def _integrated_gradients(
    model: Classifier,
    pixels: Float[Tensor, "1 3 height_in width_in"],
    box: Box,
    target: int | None,
    steps: int = 32,
) -> Work:
    r"""Add up the gradient on the straight way from the mean colour to the photo.

    $$ \mathrm{IG}_i = (x_i - x'_i) \int_0^1 \frac{\partial y^c}{\partial x_i}
       \bigl(x' + t\,(x - x')\bigr)\, dt, \qquad \sum_i \mathrm{IG}_i = y^c(x) - y^c(x') $$

    Sundararajan, Taly, Yan, *Axiomatic Attribution for Deep Networks* (ICML 2017), eq. 1 and
    proposition 1; the integral is Captum's (Gauss-Legendre). The way is cut into short pieces, whose
    integrals add up to the whole, so that the work can be followed and stopped. The baseline $x'$ is zero in
    the network's own scale, the mean colour of its training photos: with a black one, dark places of the
    photo could never count.
    """
    from captum.attr import IntegratedGradients  # here, because it takes half a second to import

    with torch.no_grad():
        logits, empty = model(torch.cat([pixels, torch.zeros_like(pixels)]))
    chosen = int(logits.argmax()) if target is None else target
    integral, total = IntegratedGradients(model), torch.zeros_like(pixels)
    pieces = max(1, steps // POINTS_AT_A_TIME)
    for piece in range(pieces):
        start, stop = pixels * (piece / pieces), pixels * ((piece + 1) / pieces)
        total += integral.attribute(stop, start, target=chosen, n_steps=POINTS_AT_A_TIME).detach()
        yield Progress(piece + 1, pieces)
    values = total[0].sum(dim=0)
    change = float(logits[chosen] - empty[chosen])
    check = Completeness(float(values.sum()), change, pieces * POINTS_AT_A_TIME)
    yield Result(_result(model, "integrated_gradients", values, logits, chosen, box, completeness=check))


def _occlusion(
    model: Classifier,
    pixels: Float[Tensor, "1 3 height_in width_in"],
    box: Box,
    target: int | None,
    window: int | None = None,
    stride: int | None = None,
    batch: int = 8,
) -> Work:
    r"""Cover the photo with a square of the mean colour, place by place, and see how far the logit falls.

    $$ O_{ij} = \frac{1}{|W_{ij}|} \sum_{w \in W_{ij}} \bigl( y^c(x) - y^c(x \text{ without } w) \bigr) $$

    Zeiler, Fergus, *Visualizing and Understanding Convolutional Networks* (ECCV 2014), section 4.2. $W_{ij}$
    are the windows that cover pixel $(i, j)$. No gradient is needed and any network will do;
    the price is one forward pass a window.
    """
    window = min(window or max(1, pixels.shape[-1] // 6), *pixels.shape[-2:])
    corners = list(_corners(pixels, window, stride or max(1, window // 2)))
    with torch.no_grad():
        logits = model(pixels)[0]
    chosen = int(logits.argmax()) if target is None else target
    falls, counts = torch.zeros_like(pixels[0, 0]), torch.zeros_like(pixels[0, 0])
    for first in range(0, len(corners), batch):
        group = corners[first : first + batch]
        covered = pixels.repeat(len(group), 1, 1, 1)
        for photo, (top, left) in zip(covered, group, strict=True):
            photo[:, top : top + window, left : left + window] = 0
        with torch.no_grad():
            fall = logits[chosen] - model(covered)[:, chosen]
        for (top, left), value in zip(group, fall, strict=True):
            falls[top : top + window, left : left + window] += value
            counts[top : top + window, left : left + window] += 1
        so_far = _result(model, "occlusion", falls / counts.clamp(min=1), logits, chosen, box)
        yield Progress(first + len(group), len(corners))
        yield Frame(so_far)
    yield Result(so_far)


def _corners(
    pixels: Float[Tensor, "1 3 height_in width_in"], window: int, stride: int
) -> Iterator[tuple[int, int]]:
    """Top left corners of the windows; the last row and column may hang over the edge."""
    height, width = pixels.shape[-2:]
    for top in range(0, height - window + stride, stride):
        for left in range(0, width - window + stride, stride):
            yield top, left


def _result(
    model: Classifier,
    method: Method,
    values: Float[Tensor, "height width"],
    logits: Float[Tensor, " label"],
    target: int | None,
    box: Box,
    **more: Any,
) -> AttributionMap:
    chosen = int(logits.argmax()) if target is None else target
    return AttributionMap(
        values=values.detach().float().cpu().numpy(),
        method=method,
        signed=method in ("integrated_gradients", "occlusion"),
        target=chosen,
        target_name=_class_name(model, chosen),
        logit=float(logits[chosen]),
        probability=float(logits.float().softmax(dim=0)[chosen]),
        layer=more.get("layer"),
        box=box,
        completeness=more.get("completeness"),
    )


def _class_name(model: Classifier, index: int) -> str:
    return str(model.classes[index])
