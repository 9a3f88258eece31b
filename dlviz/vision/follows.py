"""What acts on single numbers after a sum: normalisations, activations and learnt scales, cell by cell."""

from __future__ import annotations

from typing import cast

import numpy as np
from jaxtyping import Float
from torch import Tensor

from dlviz.vision.layout import plane_of
from dlviz.vision.results import Follow, Kind
from dlviz.vision.tape import Call, Entry


def follow(call: Call, entry: Entry, channel: int) -> Follow:
    """A normalisation, an activation or a learnt scale, as it acts on every cell of one map."""
    scale, shift = np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32)
    function, parameters = "affine", (0.0, 0.0)
    if entry.operation == "activation":
        function, parameters = _activation(call)
    elif entry.operation == "scale":
        factor = next(t for t in call.args if isinstance(t, Tensor) and not hasattr(t, "_entry"))
        scale = _thin(plane_of(factor.broadcast_to(call.output.shape), entry.layout, channel))
    else:
        wide = [t.broadcast_to(call.output.shape) for t in _normalisation(call)]
        scale, shift = (_thin(plane_of(t, entry.layout, channel)) for t in wide)
    output = plane_of(call.output, entry.layout, channel)
    kind = cast(Kind, entry.operation)
    return Follow(entry.name, kind, function, scale, shift, parameters, output)


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


def _thin(plane: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "height width"]:
    """One number where all cells have the same."""
    return plane[:1, :1].copy() if (plane == plane[0, 0]).all() else plane
