"""A network walked in forward order: its layers, the stages they form, and how deep each one lies."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlviz.vision.classifier import Classifier
from dlviz.vision.receptive_field import receptive_fields
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
    fields = receptive_fields(entries)
    depths = relative_depths(entries)
    named = [entry for entry in entries if entry.name]
    keys = [_stage_key(network_of(network), entry, named) for entry in named]
    numbers = _stage_numbers(named, keys)
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
    return NetworkOutline(found, _stages(found, keys), total, entries[PHOTO].shape)


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
    """The layer of another network that lies as deep as `layer` does in its own, of the same kind if it can be.

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


def _stage_key(network: nn.Module, entry: Entry, named: Sequence[Entry]) -> tuple[str, tuple[int, int, int]]:
    """The container of the layer's block, and the shape of that block's last maps."""
    unit = _unit(network, entry.module)
    last = [other for other in named if _unit(network, other.module) == unit][-1]
    head = last.shape[1] * last.shape[2] == 1
    if any(other.operation == "attention" and _unit(network, other.module) == unit for other in named):
        return unit, last.shape
    container = unit.rpartition(".")[0]
    return ("head", (0, 0, 0)) if head else (container, last.shape)


def _unit(network: nn.Module, path: str) -> str:
    """The outermost module on the path that is a block of its own: no bare list of others, no stack of
    attention blocks."""
    parts = path.split(".") if path else []
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        module = network.get_submodule(name)
        attentions = sum(isinstance(m, nn.MultiheadAttention) for m in module.modules())
        if type(module) not in (nn.Sequential, nn.ModuleList) and attentions <= 1:
            return name
    return path


def _stage_numbers(named: Sequence[Entry], keys: Sequence[tuple[str, tuple[int, int, int]]]) -> list[int]:
    """Count up where the key changes; a lone pooling stays with what it shrinks."""
    numbers: list[int] = []
    current = keys[0] if keys else ("", (0, 0, 0))
    for entry, key in zip(named, keys, strict=True):
        closes = entry.operation == "pool" and entry.shape[1] * entry.shape[2] > 1
        number = numbers[-1] if numbers else 0
        if key != current and not closes:
            number, current = number + 1, key
        numbers.append(number)
    return numbers


def _stages(found: Sequence[Layer], keys: Sequence[tuple[str, tuple[int, int, int]]]) -> tuple[Stage, ...]:
    stages = []
    for number in dict.fromkeys(layer.stage for layer in found):
        rows = [i for i, layer in enumerate(found) if layer.stage == number]
        containers = {keys[i][0] for i in rows}
        name = keys[rows[0]][0] if len(containers) == 1 and keys[rows[0]][0] else ""
        shared = sum(key[0] == name for key in keys) > len(rows)
        stages.append(
            Stage(
                name=_span(found, rows) if shared or not name else name,
                shape=found[rows[-1]].shape,
                parameters=sum(found[i].parameters for i in rows),
                first=rows[0],
                last=rows[-1],
            )
        )
    return tuple(stages)


def _span(found: Sequence[Layer], rows: Sequence[int]) -> str:
    """First and last layer of a stage that has no module of its own, such as `features.0 – features.4`."""
    first, last = found[rows[0]].name, found[rows[-1]].name
    top = first.split(".")[0]
    if top == last.split(".")[0] and "." not in first.removeprefix(top + ".") and "." in first:
        return f"{first} – {last}"
    return top if top == last.split(".")[0] else f"{first} – {last}"
