"""Grad-CAM and LayerCAM: heat maps from one layer's maps and the gradient that reaches them.

Both need the gradient only down to the chosen layer. The forward pass up to there runs without a
record, the layer's output becomes the start of the record, and the backward pass ends at it: less work than
a full backward pass, and each step can be read below.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlviz.errors import Refused
from dlviz.i18n import N_

POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


@dataclass(slots=True)
class Tap:
    """The maps that flowed out of a layer during the last forward pass, as the start of the gradient."""

    maps: Tensor | None = field(default=None)


@contextmanager
def tapped(layer: nn.Module) -> Iterator[Tap]:
    """Within this block the gradient starts at the layer's output, which is kept in the tap.

    The layer's output is cut from what came before (`detach`) and marked as a variable of its own. What
    goes on through the network is a copy: an activation that works in place would otherwise overwrite
    the variable. Models are shared between visitors, so passes of other threads go by untouched.
    """
    tap, thread = Tap(), threading.get_ident()

    def start_record_here(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor | None:
        if threading.get_ident() != thread:
            return None
        tap.maps = output.detach().requires_grad_()
        return tap.maps.clone()

    handle = layer.register_forward_hook(start_record_here)
    try:
        yield tap
    finally:
        handle.remove()


def maps_and_gradient(
    model: nn.Module, pixels: Float[Tensor, "1 3 height_in width_in"], layer: nn.Module, target: int | None
) -> tuple[
    Float[Tensor, "channel height width"], Float[Tensor, "channel height width"], Float[Tensor, " label"]
]:
    """A layer's maps $A$, the gradient of the class's logit $\\partial y_c / \\partial A$, and all logits.

    Without a `target` it is the most probable class.

    Raises:
        Refused: the layer's output is not a stack of maps (a class score, a token).
    """
    with torch.enable_grad(), tapped(layer) as tap:
        logits = model(pixels)[0]
        maps = tap.maps
        if maps is None or maps.ndim != 4:
            raise Refused(
                N_("This layer has no maps to draw a heat map from: choose a layer before the pooling.")
            )
        chosen = logits.max() if target is None else logits[target]
        (gradient,) = torch.autograd.grad(chosen, maps)
    return maps.detach()[0], gradient[0], logits.detach()


def grad_cam(
    maps: Float[Tensor, "channel height width"], gradient: Float[Tensor, "channel height width"]
) -> Float[Tensor, "height width"]:
    r"""Weigh each map by the mean of its gradient, add them up, keep what speaks for the class.

    $$ \alpha_k^c = \frac{1}{Z} \sum_{i,j} \frac{\partial y^c}{\partial A^k_{ij}}, \qquad
       L^c = \mathrm{ReLU}\Bigl(\sum_k \alpha_k^c A^k\Bigr) $$

    Selvaraju et al., *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization*
    (ICCV 2017), eq. 1 and 2. One number a map says how much the class likes that filter; where in the
    photo the filter answered gives the place. It suits the last layers, where one filter means one
    thing wherever it answers.
    """
    alpha = gradient.mean(dim=(1, 2), keepdim=True)  # (channel, 1, 1)
    return (alpha * maps).sum(dim=0).relu()


def layer_cam(
    maps: Float[Tensor, "channel height width"], gradient: Float[Tensor, "channel height width"]
) -> Float[Tensor, "height width"]:
    r"""Weigh each cell of each map by its own gradient, where it is positive.

    $$ w^{kc}_{ij} = \mathrm{ReLU}\Bigl(\frac{\partial y^c}{\partial A^k_{ij}}\Bigr), \qquad
       L^c_{ij} = \mathrm{ReLU}\Bigl(\sum_k w^{kc}_{ij} A^k_{ij}\Bigr) $$

    Jiang et al., *LayerCAM: Exploring Hierarchical Class Activation Maps for Localization* (IEEE
    Transactions on Image Processing, 2021), eq. 5 to 7. In early layers a filter (an edge, say) answers
    all over the photo, so one weight a map says little; one weight a cell keeps the places that matter.
    """
    return (gradient.relu() * maps).sum(dim=0).relu()


def default_layer(model: nn.Module, pixels: Float[Tensor, "1 3 height_in width_in"]) -> str:
    """The name of the last layer that still has a map: where Grad-CAM is drawn unless told otherwise.

    One forward pass notes who made each map. Pooling is passed over (it only thins the map
    out), and so are modules that hand on a map that an inner module has made.

    Raises:
        Refused: the network has no such layer.
    """
    makers: dict[tuple[int, int], tuple[str, nn.Module]] = {}
    kept: list[Tensor] = []  # alive until the end, so that an id belongs to one tensor only
    thread = threading.get_ident()

    def note(name: str, module: nn.Module, output: object) -> None:
        if threading.get_ident() != thread or not isinstance(output, Tensor) or output.ndim != 4:
            return
        if output.shape[2] * output.shape[3] > 1:
            kept.append(output)
            # An in-place activation returns the tensor it was given; its version tells the two apart.
            makers.setdefault((id(output), output._version), (name, module))

    handles = [
        module.register_forward_hook(lambda m, _i, out, name=name: note(name, m, out))
        for name, module in model.named_modules()
        if name
    ]
    try:
        with torch.no_grad():
            model(pixels)
    finally:
        for handle in handles:
            handle.remove()
    names = [name for name, module in makers.values() if not isinstance(module, POOLING)]
    if not names:
        raise Refused(N_("This network has no layer with maps to draw a heat map from."))
    return names[-1]
