"""A network walked in forward order: its layers, the stages they form, and how deep each one lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlviz.vision.classifier import Classifier
from dlviz.vision.receptive_field import fields_of
from dlviz.vision.results import Layer, NetworkOutline, Stage
from dlviz.vision.tape import PHOTO, Entry, network_of, tape

LEARNT = frozenset({"conv", "linear", "attention"})


def outline(model: Classifier) -> NetworkOutline:
    """The whole network at a glance: every layer in forward order, and its stages.

    A layer is one operation of the forward pass that changes values: a convolution, a normalisation, an
    activation, a pooling, a residual sum, a gate (squeeze-and-excitation), an attention, a linear map. They
    are read off one pass, so the outline is true for any network, whatever its modules are called.

    A stage is a run of layers whose blocks have one map size and one number of channels; a pooling closes the
    stage it shrinks, each block of a transformer is a stage, and what follows the last maps is the head.
    """
    size = model.preprocessing.size
    weight = next(model.parameters())
    pixels = torch.zeros(1, 3, size, size, device=weight.device, dtype=weight.dtype)
    return outline_at(model.network, pixels)


def layers(model: Classifier) -> tuple[Layer, ...]:
    """The network's layers in forward order; see `outline`."""
    return outline(model).layers


def outline_at(network: nn.Module, pixels: Float[Tensor, "1 3 height width"]) -> NetworkOutline:
    """The outline of any network for inputs of the size of `pixels`."""
    entries = tape(network, pixels)
    fields = fields_of(network, pixels)
    depths = relative_depths(entries)
    named = [entry for entry in entries if entry.name]
    places = _places(network_of(network), named)
    numbers = _stage_numbers(named, places)
    found = tuple(
        Layer(
            name=entry.name,
            kind=entry.operation,  # type: ignore[arg-type]
            function=entry.function,
            shape=entry.shape,
            parameters=entry.parameters,
            stage=number,
            depth=depths[entry.index],
            field_size=fields[entry.index].size,
            field_stride=fields[entry.index].stride,
            sees_all=fields[entry.index].whole,
            inputs=tuple(source_name(entries, i) for i in entry.inputs),
        )
        for entry, number in zip(named, numbers, strict=True)
    )
    total = sum(p.numel() for p in network_of(network).parameters())
    return NetworkOutline(found, _stages(found, places), total, entries[PHOTO].shape)


def source_name(entries: Sequence[Entry], index: int) -> str:
    """The layer whose values an operand holds, through any rearrangement; `""` for the photo."""
    entry = entries[index]
    while not entry.name and entry.inputs:
        entry = entries[entry.inputs[0]]
    return entry.name


def relative_depths(entries: Sequence[Entry]) -> tuple[float, ...]:
    r"""The part of the learnt transformations that lies behind each operation, from 0 to 1.

    $$ \mathrm{depth}(l) = \frac{\text{convolutions, linear maps and attentions on the longest path from the
    photo to } l}{\text{the same to the output}} $$

    This compares networks of different kinds. The receptive field does not: a transformer sees the whole
    photo in its first block, and a deep CNN's field outgrows the photo half way. Counting every layer does
    not either: it depends on how many normalisations a designer writes. A gate's own small maps lie on a side
    path and do not count.
    """
    steps: list[int] = []
    for entry in entries:
        main = entry.inputs
        if entry.operation == "gate":
            largest = max(entries[i].shape[1] * entries[i].shape[2] for i in main)
            main = tuple(i for i in main if entries[i].shape[1] * entries[i].shape[2] == largest)
        behind = max((steps[i] for i in main), default=0)
        steps.append(behind + (entry.operation in LEARNT))
    return tuple(step / max(1, steps[-1]) for step in steps)


def same_depth(one: NetworkOutline, layer: str, other: NetworkOutline) -> Layer:
    """The layer of another network that lies as deep as `layer` does in its own, of its kind if there is one.

    Layers of the same kind within a twentieth of the depth win over others; among equals the first.
    """
    wanted = one.layer(layer)
    candidates = [found for found in other.layers if _is_map(found) == _is_map(wanted)] or list(other.layers)
    return min(
        candidates,
        key=lambda found: abs(found.depth - wanted.depth) + 0.05 * (found.kind != wanted.kind),
    )


def _is_map(layer: Layer) -> bool:
    return layer.shape[1] * layer.shape[2] > 1


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a layer stands: its block, the block's container, and the shape of the block's last maps."""

    block: str
    container: str
    shape: tuple[int, int, int]
    alone: bool


def _places(network: nn.Module, named: Sequence[Entry]) -> list[_Place]:
    attentions = [name for name, m in network.named_modules() if isinstance(m, nn.MultiheadAttention)]
    blocks = {path: _block(network, path, attentions) for path in {entry.module for entry in named}}
    last = {blocks[entry.module]: entry for entry in named}
    count = Counter(blocks[entry.module] for entry in named)
    places = []
    for entry in named:
        block = blocks[entry.module]
        container = block.rpartition(".")[0]
        if any(name.startswith(f"{block}.") for name in attentions):
            container = block
        elif last[block].shape[1:] == (1, 1):
            container = "head"
        shape = (0, 0, 0) if container == "head" else last[block].shape
        places.append(_Place(block, container, shape, count[block] == 1))
    return places


def _block(network: nn.Module, path: str, attentions: Sequence[str]) -> str:
    """The outermost module on the path that is no bare list of modules and no stack of attention blocks."""
    parts = path.split(".") if path else []
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        inside = sum(other.startswith(f"{name}.") for other in attentions)
        if type(network.get_submodule(name)) not in (nn.Sequential, nn.ModuleList) and inside <= 1:
            return name
    return path


def _stage_numbers(named: Sequence[Entry], places: Sequence[_Place]) -> list[int]:
    """Count up where container or shape change.

    A pooling, a sum or a normalisation that stands alone stays with the maps it ends; a convolution that
    stands alone, after the first, belongs to the maps it begins.
    """
    numbers: list[int] = []
    begun = False
    here = places[0]
    for entry, place in zip(named, places, strict=True):
        number = numbers[-1] if numbers else 0
        ends = place.alone and entry.operation in {"pool", "norm", "sum"} and place.container != "head"
        if (place.container, place.shape) != (here.container, here.shape) and not ends:
            number += not (begun and place.shape == here.shape)
            begun = place.alone and entry.operation == "conv"
            here = place
        numbers.append(number)
    return numbers


def _stages(found: Sequence[Layer], places: Sequence[_Place]) -> tuple[Stage, ...]:
    containers: dict[str, set[int]] = {}
    for layer, place in zip(found, places, strict=True):
        containers.setdefault(place.container, set()).add(layer.stage)
    stages = []
    for number in dict.fromkeys(layer.stage for layer in found):
        rows = [i for i, layer in enumerate(found) if layer.stage == number]
        stages.append(
            Stage(
                name=_stage_name([places[i] for i in rows], containers),
                shape=found[rows[-1]].shape,
                parameters=sum(found[i].parameters for i in rows),
                first=rows[0],
                last=rows[-1],
            )
        )
    return tuple(stages)


def _stage_name(places: Sequence[_Place], containers: dict[str, set[int]]) -> str:
    """The container that holds most of the stage and nothing else, or the first and last block.

    By their last words: they stand side by side under the network, and `encoder.layers.encoder_layer_3` is
    known by its end.
    """
    container = Counter(place.container for place in places).most_common(1)[0][0]
    wider = any(other.startswith(f"{container}.") for other in containers)
    if container and len(containers[container]) == 1 and not wider:
        return _last_words(container)
    # What the network's own forward computes, a transformer's positions for instance, stands in no block.
    ends = [_last_words(place.block) for place in (places[0], places[-1]) if place.block]
    return " – ".join(dict.fromkeys(ends))


def _last_words(name: str) -> str:
    """The end of a dotted name: one word, or two if the last is only a number."""
    words = name.split(".")
    return ".".join(words[-2:] if words[-1].isdecimal() else words[-1:])
