"""One number, explained: every cell of a map taken apart into numbers that add up to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.vision.attribution_results import Box
from dlviz.vision.classifier import Classifier
from dlviz.vision.cnn_filters import Photo, contributions, find, picture
from dlviz.vision.outline import source_name
from dlviz.vision.receptive_field import receptive_fields
from dlviz.vision.results import (
    AttentionParts,
    Dissection,
    Follow,
    Parts,
    PoolParts,
    ProductParts,
    SumParts,
    WindowParts,
)
from dlviz.vision.tape import Call, Entry, Window, bins, canonical, observe, tape

INPUT_BYTES = 3_000_000
"""What the inputs of one map may take, so that all that explains it stays under 4 MB."""

_REARRANGES = frozenset(
    "permute transpose reshape view flatten unflatten contiguous cat squeeze unsqueeze".split()
)
_FOLLOWS = frozenset({"norm", "activation", "scale"})


def dissect(model: Classifier, image: Photo, *, layer: str, channel: int) -> Dissection:
    r"""Everything that explains every cell of one map.

    A layer's number is taken apart at the nearest operation before it that adds or chooses numbers; what acts
    on single numbers after that (normalisation, activation, a learnt scale) follows step by step:

    $$ y = f\Bigl(\gamma\,\frac{\bigl(b + \sum_c \sum_{u,v} x_{cuv}\, w_{cuv}\bigr) - \mu}{\sqrt{\sigma^2 + \epsilon}}
       + \beta\Bigr) $$

    for an activation behind a normalisation behind a convolution. A residual sum is its two terms, a gate the
    product of map and gate, a pooling its window, an attention a weighted sum of tokens by head.

    Nothing is rounded on the way: inputs are sent in float32. Where a convolution reads more than fits
    (3 MB), the channels that add most to this map are sent and the others as their exact sum in each cell.

    Raises
    ------
    Refused
        The network has no such layer, or the layer no such map.
    """
    pixels, geometry = model.prepare(image)
    entries = tape(model, pixels)
    target = find(entries, layer)
    if not 0 <= channel < target.shape[0]:
        raise Refused(N_("The layer {layer} has no map number {channel}."), layer=layer, channel=channel)
    base, after = _chain(entries, target)
    calls = observe(model, pixels, {base.index, *(entry.index for entry in after)})
    follows = tuple(_follow(calls[entry.index], entry, channel) for entry in after)
    plane = _plane(calls[base.index].output, base, channel)
    return Dissection(
        layer=layer,
        channel=channel,
        base_layer=base.name or source_name(entries, base.index),
        base_kind=base.operation if base.name else "sum",  # type: ignore[arg-type]
        sources=tuple(source_name(entries, i) for i in base.inputs),
        parts=_parts(calls[base.index], base, entries, channel),
        base=plane,
        follows=follows,
        values=follows[-1].output if follows else plane,
        field=receptive_fields(entries)[target.index],
        picture=picture(model, pixels),
        box=Box(geometry.left, geometry.top, geometry.width, geometry.height),
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
    return SumParts(_plane(call.output, entry, channel)[None], (name,))


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
        rest = _array(added[order[room:]].double().sum(dim=0))
    return WindowParts(
        inputs=_array(inputs[chosen]),
        channels=chosen.cpu().numpy() + first,
        kernel=_array(kernel[chosen]),
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
    planes = np.stack([_plane(o.broadcast_to(call.output.shape), entry, channel) for o in operands])
    indices = [getattr(operand, "_entry", None) for operand in call.args[:2]]
    names = tuple("" if i is None else source_name(entries, i) for i in indices)
    return SumParts(planes, names) if entry.operation == "sum" else ProductParts(planes, names)


def _pooling(call: Call, entry: Entry, entries: Sequence[Entry], channel: int) -> PoolParts:
    source = entries[entry.inputs[0]]
    inputs = _plane(call.argument(0, "input"), source, channel)
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
    module = call.module
    query, key, value = _projections(call)
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
        return SumParts(_array(torch.cat([planes, offset])), names)
    return AttentionParts(_array(weights), _array(values), bias, prefix)


def _projections(call: Call) -> tuple[Tensor, ...]:
    """Query, key and value of every token, `(token, channel)` each."""
    module = call.module
    given = [call.argument(i, name) for i, name in enumerate(("query", "key", "value"))]
    given = [t[0] if module.batch_first else t[:, 0] for t in given]
    biases = (None,) * 3 if module.in_proj_bias is None else module.in_proj_bias.chunk(3)
    weights = module.in_proj_weight.chunk(3)
    return tuple(F.linear(t, w, b) for t, w, b in zip(given, weights, biases, strict=True))


def _follow(call: Call, entry: Entry, channel: int) -> Follow:
    scale, shift = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    function, parameters = "affine", (0.0, 0.0)
    if entry.operation == "activation":
        function, parameters = _activation(call)
    elif entry.operation == "scale":
        factor = next(t for t in call.args if isinstance(t, Tensor) and not hasattr(t, "_entry"))
        scale = _thin(_plane(factor.broadcast_to(call.output.shape), entry, channel))
    else:
        wide = [t.broadcast_to(call.output.shape) for t in _normalisation(call)]
        scale, shift = (_thin(_plane(t, entry, channel)) for t in wide)
    output = _plane(call.output, entry, channel)
    return Follow(entry.name, entry.operation, function, scale, shift, parameters, output)  # type: ignore[arg-type]


def _normalisation(call: Call) -> tuple[Tensor, Tensor]:
    r"""Any normalisation as $a x + b$: $a = \gamma / \sqrt{\sigma^2 + \epsilon}$, $b = \beta - a\mu$."""
    x = call.argument(0, "input")
    if call.function == "batch_norm":
        mean, variance = call.argument(1, "running_mean"), call.argument(2, "running_var")
        gain, offset = call.argument(3, "weight"), call.argument(4, "bias")
        eps, shape = call.argument(7, "eps", 1e-5), (1, -1, 1, 1)
    elif call.function == "layer_norm":
        dims = tuple(range(-len(call.argument(1, "normalized_shape")), 0))
        mean, variance = x.mean(dims, keepdim=True), x.var(dims, unbiased=False, keepdim=True)
        gain, offset = call.argument(2, "weight"), call.argument(3, "bias")
        eps, shape = call.argument(4, "eps", 1e-5), None
    else:
        grouped = x.reshape(len(x), call.argument(1, "num_groups"), -1)
        spread = (grouped.shape[0], grouped.shape[1], x.shape[1] // grouped.shape[1])
        mean, variance = (
            t[..., None].expand(spread).reshape(len(x), -1, 1, 1)
            for t in (grouped.mean(-1), grouped.var(-1, unbiased=False))
        )
        gain, offset = call.argument(2, "weight"), call.argument(3, "bias")
        eps, shape = call.argument(4, "eps", 1e-5), (1, -1, 1, 1)
    if shape:
        mean, variance, gain, offset = (
            t if t is None or t.ndim > 1 else t.reshape(shape) for t in (mean, variance, gain, offset)
        )
    scale = (variance.double() + eps).rsqrt() * (1 if gain is None else gain)
    return scale, (0 if offset is None else offset) - mean * scale


def _activation(call: Call) -> tuple[str, tuple[float, float]]:
    """The activation's name and its numbers."""
    name = call.function
    if name == "hardtanh":
        return name, (float(call.argument(1, "min_val", -1.0)), float(call.argument(2, "max_val", 1.0)))
    if name == "leaky_relu":
        return name, (float(call.argument(1, "negative_slope", 0.01)), 0.0)
    if name == "elu":
        return name, (float(call.argument(1, "alpha", 1.0)), 0.0)
    if name == "gelu" and call.argument(1, "approximate", "none") == "tanh":
        return "gelu_tanh", (0.0, 0.0)
    return name, (0.0, 0.0)


def _plane(tensor: Tensor, entry: Entry, channel: int) -> Float[np.ndarray, "height width"]:
    return _array(canonical(tensor, entry.layout)[channel])


def _thin(plane: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """One number where all cells have the same."""
    return plane[:1, :1].copy() if (plane == plane[0, 0]).all() else plane


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
