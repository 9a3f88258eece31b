"""One number, explained: every cell of a map taken apart into numbers that add up to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.vision.classifier import Classifier
from dlviz.vision.cnn_filters import (
    Asked,
    Photo,
    ask,
    box_of,
    contributions,
    maps_from,
    maps_need,
    picture,
)
from dlviz.vision.follows import follow
from dlviz.vision.layout import Window, array_of, bins, canonical, plane_of
from dlviz.vision.outline import source_name
from dlviz.vision.receptive_field import fields_of
from dlviz.vision.results import (
    AttentionParts,
    Dissection,
    Kind,
    LayerLook,
    Parts,
    PoolParts,
    ProductParts,
    SumParts,
    WindowParts,
)
from dlviz.vision.tape import Call, Entry, observe

INPUT_BYTES = 3_000_000
"""What the inputs of one map may take, so that all that explains it stays under 4 MB."""

_REARRANGES = frozenset(
    {"permute", "transpose", "reshape", "view", "flatten", "contiguous", "cat", "squeeze", "unsqueeze"}
)
_FOLLOWS = frozenset({"norm", "activation", "scale"})


def dissect(model: Classifier, image: Photo, *, layer: str, channel: int) -> Dissection:
    r"""Everything that explains every cell of one map.

    A layer's number is taken apart at the nearest operation before it that adds or chooses numbers; what acts
    on single numbers after that (normalisation, activation, a learnt scale) follows step by step:

    $$ y = f\Bigl(\gamma\,\frac{z - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta\Bigr), \qquad
       z = b + \sum_c \sum_{u,v} x_{cuv}\, w_{cuv} $$

    for an activation behind a normalisation behind a convolution. A residual sum is its two terms, a gate the
    product of map and gate, a pooling its window, an attention a weighted sum of tokens by head.

    Nothing is rounded on the way: inputs are sent in float32. Where a convolution reads more than fits
    (3 MB), the channels that add most to this map are sent and the others as their exact sum in each cell.

    Raises
    ------
    Refused
        The network has no such layer, or the layer no such map.
    """
    asked = ask(model, image, layer)
    if not 0 <= channel < asked.entry.shape[0]:
        raise Refused(N_("The layer {layer} has no map number {channel}."), layer=layer, channel=channel)
    return _dissected(asked, observe(model, asked.pixels, _needs(asked)), channel)


def look(model: Classifier, image: Photo, *, layer: str) -> LayerLook:
    """`feature_maps` of a layer and `dissect` of its strongest map, out of one pass through the network.

    Raises
    ------
    Refused
        The network has no such layer.
    """
    asked = ask(model, image, layer)
    calls = observe(model, asked.pixels, maps_need(asked) | _needs(asked))
    maps = maps_from(asked, calls)
    return LayerLook(maps, _dissected(asked, calls, int(maps.order[0])))


def _needs(asked: Asked) -> set[int]:
    base, after = _chain(asked.entries, asked.entry)
    return {base.index, *(entry.index for entry in after)}


def _dissected(asked: Asked, calls: Mapping[int, Call], channel: int) -> Dissection:
    """The explanation of one map, out of the operations that were seen."""
    entries = asked.entries
    base, after = _chain(entries, asked.entry)
    follows = tuple(follow(calls[entry.index], entry, channel) for entry in after)
    plane = plane_of(calls[base.index].output, base.layout, channel)
    return Dissection(
        layer=asked.entry.name,
        channel=channel,
        base_layer=base.name or source_name(entries, base.index),
        base_kind=cast(Kind, base.operation) if base.name else "sum",
        sources=tuple(source_name(entries, i) for i in base.inputs),
        parts=_parts(calls[base.index], base, entries, channel),
        base=plane,
        follows=follows,
        values=follows[-1].output if follows else plane,
        field=fields_of(asked.model, asked.pixels)[asked.entry.index],
        picture=picture(asked.model, asked.pixels),
        box=box_of(asked.geometry),
    )


def _chain(entries: Sequence[Entry], target: Entry) -> tuple[Entry, list[Entry]]:
    """The operation to take apart, and those that act on its single numbers up to the target."""
    after: list[Entry] = []
    entry = target
    while entry.operation in _FOLLOWS or _moves_nothing(entries, entry):
        if entry.operation != "move":
            after.insert(0, entry)
        entry = entries[entry.inputs[0]]
    return entry, after


def _moves_nothing(entries: Sequence[Entry], entry: Entry) -> bool:
    """A rearrangement after which each map is the map it was, in another order of memory."""
    if entry.function not in _REARRANGES or len(entry.inputs) != 1 or entry.layout.order == "other":
        return False
    return entries[entry.inputs[0]].shape == entry.shape


def _parts(call: Call, entry: Entry, entries: Sequence[Entry], channel: int) -> Parts:
    if entry.operation == "conv":
        return _convolution(call, entry, channel)
    if entry.operation == "linear":
        return _linear(call, entry, entries, channel)
    if entry.operation == "pool":
        return _pooling(call, entry, entries, channel)
    if entry.operation == "attention":
        return _attention(call, entry, channel)
    if entry.operation in {"sum", "gate"}:
        return _operands(call, entry, entries, channel)
    name = source_name(entries, entry.index)
    return SumParts(plane_of(call.output, entry.layout, channel)[None], (name,))


def _convolution(call: Call, entry: Entry, channel: int) -> WindowParts:
    assert entry.window is not None
    x, weight = call.argument(0, "input"), call.argument(1, "weight")
    bias = call.argument(2, "bias")
    width = weight.shape[1]
    first = channel // (weight.shape[0] // call.argument(6, "groups", 1)) * width
    return _window_parts(
        x[0, first : first + width],
        weight[channel],
        0.0 if bias is None else float(bias[channel]),
        contributions(call, channel),
        entry.window,
        first,
    )


def _linear(call: Call, entry: Entry, entries: Sequence[Entry], channel: int) -> WindowParts:
    """A linear map is a convolution with a 1x1 window, or one as large as the maps that were flattened."""
    x, weight, bias = (call.argument(i, name) for i, name in enumerate(("input", "weight", "bias")))
    layout = entries[entry.inputs[0]].layout
    inputs = canonical(x, layout)
    kernel = weight[channel].reshape(-1, 1, 1)
    if layout.folded:
        inputs, kernel = inputs.reshape(layout.folded), kernel.reshape(layout.folded)
    added = inputs * kernel
    if layout.folded:
        added = added.sum(dim=(1, 2), keepdim=True)
    offset = 0.0 if bias is None else float(bias[channel])
    return _window_parts(inputs, kernel, offset, added, Window(), 0)


def _window_parts(
    inputs: Float[Tensor, "channel_in height_in width_in"],
    kernel: Float[Tensor, "channel_in kernel_height kernel_width"],
    bias: float,
    added: Float[Tensor, "channel_in height width"],
    window: Window,
    first: int,
) -> WindowParts:
    """Keep the channels that fit, those that add most; the rest is their exact sum in each cell."""
    room = max(1, INPUT_BYTES // (4 * inputs.shape[1] * inputs.shape[2]))
    count = len(inputs)
    chosen = torch.arange(count, device=inputs.device)
    rest = None
    if count > room:
        order = added.abs().mean(dim=(1, 2)).argsort(descending=True)
        chosen = order[:room].sort().values
        rest = array_of(added[order[room:]].double().sum(dim=0))
    return WindowParts(
        inputs=array_of(inputs[chosen]),
        channels=chosen.cpu().numpy() + first,
        kernel=array_of(kernel[chosen]),
        bias=bias,
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        rest=rest,
        channel_count=count,
    )


def _operands(call: Call, entry: Entry, entries: Sequence[Entry], channel: int) -> SumParts | ProductParts:
    """The terms of a sum or the factors of a product, each spread over the grid of the result."""
    operands = [call.args[0], call.args[1]]
    if entry.operation == "sum":
        operands[1] = operands[1] * call.kwargs.get("alpha", 1)
    planes = np.stack([plane_of(o.broadcast_to(call.output.shape), entry.layout, channel) for o in operands])
    indices = [getattr(operand, "_entry", None) for operand in call.args[:2]]
    names = tuple("" if i is None else source_name(entries, i) for i in indices)
    return SumParts(planes, names) if entry.operation == "sum" else ProductParts(planes, names)


def _pooling(call: Call, entry: Entry, entries: Sequence[Entry], channel: int) -> PoolParts:
    source = entries[entry.inputs[0]]
    inputs = plane_of(call.argument(0, "input"), source.layout, channel)
    window, (_, height, width) = entry.window, entry.shape
    assert window is not None
    rows, columns = (
        _edges(window, axis, inputs.shape[axis], cells) for axis, cells in ((0, height), (1, width))
    )
    maximum = call.function == "max_pool2d"
    divisor = np.ones((1, 1), np.float32)
    if not maximum:
        counted = np.outer(np.diff(rows)[:, 0], np.diff(columns)[:, 0])
        divisor = (counted / _mean_of_ones(call, inputs.shape)).astype(np.float32)
    return PoolParts(inputs, maximum, rows, columns, divisor, (1, 1) if window.bins else window.dilation)


def _edges(window: Window, axis: int, size: int, cells: int) -> Int[np.ndarray, "cell 2"]:
    """First and one past the last value of each cell's window, cut at the edges."""
    if window.bins:
        return np.array(bins(size, cells))
    step = window.dilation[axis]
    taps = step * np.arange(window.kernel[axis])
    edges = []
    for i in range(cells):
        inside = taps + i * window.stride[axis] - window.padding[axis]
        inside = inside[(inside >= 0) & (inside < size)]
        edges.append((inside[0], inside[-1] + 1))
    return np.array(edges)


def _mean_of_ones(call: Call, shape: tuple[int, ...]) -> np.ndarray:
    """What the same pooling makes of ones: below one where padding counts as zeros."""
    if call.function != "avg_pool2d":
        return np.ones((1, 1))
    ones = torch.ones(1, 1, *shape)
    kwargs = {name: value for name, value in call.kwargs.items() if name != "input"}
    return F.avg_pool2d(ones, *call.args[1:], **kwargs)[0, 0].numpy()


def _attention(call: Call, entry: Entry, channel: int) -> AttentionParts | SumParts:
    r"""Each head's $A_h = \mathrm{softmax}(Q_h K_h^\top / \sqrt{d})$, and what each token has to add."""
    module = cast(nn.MultiheadAttention, call.module)
    query, key, value = _projections(call, module)
    heads = module.num_heads
    query, key, value = (t.reshape(len(t), heads, -1).transpose(0, 1) for t in (query, key, value))
    weights = (query @ key.transpose(1, 2) / query.shape[-1] ** 0.5).softmax(dim=-1)
    out = module.out_proj.weight[channel].reshape(heads, -1)
    values = torch.einsum("hkd,hd->hk", value, out)
    bias = 0.0 if module.out_proj.bias is None else float(module.out_proj.bias[channel])
    prefix = entry.layout.prefix
    weights = weights[:, prefix:]
    if weights.numel() * 4 > INPUT_BYTES:
        planes = torch.einsum("hqk,hk->hq", weights, values).reshape(heads, *entry.shape[1:])
        names = (*(f"#{head + 1}" for head in range(heads)), "")
        offset = torch.full_like(planes[:1], bias)
        return SumParts(array_of(torch.cat([planes, offset])), names)
    return AttentionParts(array_of(weights), array_of(values), bias, prefix)


def _projections(call: Call, module: nn.MultiheadAttention) -> tuple[Tensor, ...]:
    """Query, key and value of every token, `(token, channel)` each."""
    given = [call.argument(i, name) for i, name in enumerate(("query", "key", "value"))]
    given = [t[0] if module.batch_first else t[:, 0] for t in given]
    biases = (None,) * 3 if module.in_proj_bias is None else module.in_proj_bias.chunk(3)
    weights = module.in_proj_weight.chunk(3)
    return tuple(F.linear(t, w, b) for t, w, b in zip(given, weights, biases, strict=True))
