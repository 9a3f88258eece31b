"""What a convolutional network sees: its kernels, its feature maps, and its kernels while it learnt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.vision.attribution_results import Box
from dlviz.vision.classifier import Classifier
from dlviz.vision.layout import array_of, canonical
from dlviz.vision.outline import source_name
from dlviz.vision.preprocessing import Geometry
from dlviz.vision.receptive_field import fields_of
from dlviz.vision.results import FeatureMaps, FilterHistory, FilterSlices, Kernels
from dlviz.vision.tape import Call, Entry, observe, tape

Photo = UInt8[np.ndarray, "height_photo width_photo 3"]

DEAD = 1e-6
"""A map is dead when nothing in it exceeds this part of its layer's largest absolute value."""


def first_kernels(model: Classifier) -> Kernels:
    """The kernels that look at the photo itself: one small colour picture each."""
    return kernels(model, layer=_convolutions(model)[0])


def kernels(model: Classifier, *, layer: str) -> Kernels:
    r"""All kernels of a convolution, each with its norm $\lVert w_f \rVert = \sqrt{\sum_{cuv} w_{fcuv}^2}$.

    Raises
    ------
    Refused
        The layer is no convolution.
    """
    module = _convolution(model, layer)
    weights = array_of(module.weight)
    norms = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=(1, 2, 3))).astype(np.float32)
    return Kernels(layer, weights, norms, module.groups)


def filter_slices(model: Classifier, image: Photo, *, layer: str, filter: int) -> FilterSlices:
    r"""One filter of a deep convolution, by input channel, and what each adds to its map on this photo.

    A filter's map is a sum over input channels, $y_f = b_f + \sum_c x_c * w_{fc}$; `response` is the mean of
    $|x_c * w_{fc}|$ over the map. A large kernel on a silent channel adds nothing, so the order by response
    differs from the order by norm.

    Raises
    ------
    Refused
        The layer is no convolution, or it has no such filter.
    """
    module = _convolution(model, layer)
    if not 0 <= filter < module.out_channels:
        raise Refused(N_("The layer {layer} has no map number {channel}."), layer=layer, channel=filter)
    asked = ask(model, image, layer)
    call = observe(model, asked.pixels, {asked.entry.index})[asked.entry.index]
    added = contributions(call, filter)
    weights = array_of(module.weight[filter])
    first = filter // (module.out_channels // module.groups) * len(weights)
    return FilterSlices(
        layer=layer,
        source=source_name(asked.entries, asked.entry.inputs[0]),
        filter=filter,
        channels=np.arange(first, first + len(weights)),
        weights=weights,
        norms=np.sqrt((weights**2).sum(axis=(1, 2))),
        response=array_of(added.abs().mean(dim=(1, 2))),
    )


def contributions(call: Call, filter: int) -> Float[Tensor, "channel_in height width"]:
    """What each input channel adds to one filter's map: the convolution before its sum over channels."""
    x, weight = call.argument(0, "input"), call.argument(1, "weight")
    groups = call.argument(6, "groups", 1)
    width = weight.shape[1]
    first = filter // (weight.shape[0] // groups) * width
    stride, padding, dilation = (
        call.argument(place, name, default)
        for place, name, default in ((3, "stride", 1), (4, "padding", 0), (5, "dilation", 1))
    )
    x = x[:1, first : first + width]
    return F.conv2d(x, weight[filter][:, None], None, stride, padding, dilation, groups=width)[0]


def feature_maps(model: Classifier, image: Photo, *, layer: str) -> FeatureMaps:
    """All maps of one layer for one photo, from a pass that ends at this layer.

    The values are those of the network itself in float32, with nothing rescaled. The pass is the bare forward
    pass up to the layer: nothing is computed twice and nothing after the layer is computed, apart from the
    activation that follows a convolution, which is needed to tell the dead maps.

    Raises
    ------
    Refused
        The network has no such layer.
    """
    asked = ask(model, image, layer)
    return maps_from(asked, observe(model, asked.pixels, maps_need(asked)))


@dataclass(frozen=True, slots=True)
class Asked:
    """A photo as the network receives it, the operations of a pass, and the one that was asked for."""

    model: Classifier
    pixels: Float[Tensor, "1 3 height width"]
    geometry: Geometry
    entries: tuple[Entry, ...]
    entry: Entry


def ask(model: Classifier, image: Photo, layer: str) -> Asked:
    """Prepare the photo and find the layer. Raises Refused."""
    pixels, geometry = model.prepare(image)
    entries = tape(model, pixels)
    return Asked(model, pixels, geometry, entries, find(entries, layer))


def maps_need(asked: Asked) -> set[int]:
    """The operations that have to be seen: the layer, and the activation that tells its dead maps."""
    judge = _activation_after(asked.entries, asked.entry)
    return {asked.entry.index} | ({judge.index} if judge else set())


def maps_from(asked: Asked, calls: Mapping[int, Call]) -> FeatureMaps:
    """The layer's maps, out of the operations that were seen."""
    entry, judge = asked.entry, _activation_after(asked.entries, asked.entry)
    maps = array_of(canonical(calls[entry.index].output, entry.layout))
    judged = array_of(canonical(calls[judge.index].output, judge.layout)) if judge else None
    strength = np.abs(maps).mean(axis=(1, 2))
    return FeatureMaps(
        layer=entry.name,
        maps=maps,
        mean=maps.mean(axis=(1, 2)),
        peak=maps.max(axis=(1, 2)),
        strength=strength,
        order=np.argsort(-strength, kind="stable"),
        dead=_dead(judged) if judged is not None else np.zeros(len(maps), dtype=bool),
        dead_after=judge.name if judge else "",
        field=fields_of(asked.model, asked.pixels)[entry.index],
        picture=picture(asked.model, asked.pixels),
        box=box_of(asked.geometry),
    )


def box_of(geometry: Geometry) -> Box:
    """What the network sees of the photo."""
    return Box(geometry.left, geometry.top, geometry.width, geometry.height)


def filter_history(file: Path, *, layer: str = "") -> FilterHistory:
    """The kernels of a layer at the moments of the training that the recipe wrote down.

    Parameters
    ----------
    file
        The recipe's ``history.safetensors``.
    layer
        One of the layers it holds; the first if empty.

    Raises
    ------
    Refused
        The file does not hold this layer.
    """
    with safe_open(file, framework="pt") as history:
        names = list(history.keys())
        held = tuple(name.removesuffix(".weight") for name in names if name.endswith(".weight"))
        held = tuple(sorted(held, key=lambda name: (not name.startswith("stem"), name)))
        layer = layer or held[0]
        if layer not in held:
            raise Refused(N_("The training history does not hold the layer {layer}."), layer=layer)
        epochs, loss, accuracy = (
            array_of(history.get_tensor(name)) for name in ("epoch", "train_loss", "test_accuracy")
        )
        weights = array_of(history.get_tensor(f"{layer}.weight"))
    return FilterHistory(layer, held, epochs, loss, accuracy, weights)


def find(entries: tuple[Entry, ...], layer: str) -> Entry:
    """The operation that is called so. Raises Refused."""
    for entry in entries:
        if layer and entry.name == layer:
            return entry
    raise Refused(N_("This network has no layer named {layer}."), layer=layer)


def picture(
    model: Classifier, pixels: Float[Tensor, "1 3 height width"]
) -> UInt8[np.ndarray, "height_in width_in 3"]:
    """The photo as the network received it, back on the scale of bytes."""
    mean, std = (
        torch.tensor(values, device=pixels.device).view(3, 1, 1)
        for values in (model.preprocessing.mean, model.preprocessing.std)
    )
    shown = ((pixels[0].float() * std + mean) * 255).round().clamp(0, 255)
    return shown.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy()


def _dead(maps: Float[np.ndarray, "channel height width"]) -> np.ndarray:
    largest = np.abs(maps).max(axis=(1, 2))
    return largest <= DEAD * largest.max(initial=0.0)


def _activation_after(entries: tuple[Entry, ...], entry: Entry) -> Entry | None:
    """The activation that the maps go through next, after a normalisation at most."""
    while entry.operation != "activation":
        readers = [other for other in entries if entry.index in other.inputs]
        if len(readers) != 1 or readers[0].operation not in {"activation", "norm", "move", "scale"}:
            return None
        if readers[0].shape != entry.shape:
            return None
        entry = readers[0]
    return entry


def _convolutions(model: Classifier) -> list[str]:
    return [name for name, m in model.network.named_modules() if isinstance(m, nn.Conv2d)]


def _convolution(model: Classifier, layer: str) -> nn.Conv2d:
    module = dict(model.network.named_modules()).get(layer)
    if not isinstance(module, nn.Conv2d):
        raise Refused(N_("The layer {layer} is not a convolution: it has no kernels."), layer=layer)
    return module
