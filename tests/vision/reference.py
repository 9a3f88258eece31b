"""A dissection added up again in float64, written apart from the code that makes it."""

from __future__ import annotations

import math

import numpy as np

from dlviz.vision.results import (
    AttentionParts,
    Dissection,
    Follow,
    PoolParts,
    ProductParts,
    SumParts,
    WindowParts,
)


def total(made: Dissection, row: int, column: int) -> float:
    """The parts of one cell, put together."""
    parts = made.parts
    if isinstance(parts, SumParts):
        return float(parts.terms[:, row, column].astype(float).sum())
    if isinstance(parts, ProductParts):
        return float(parts.factors[:, row, column].astype(float).prod())
    if isinstance(parts, PoolParts):
        (r0, r1), (c0, c1) = parts.rows[row], parts.columns[column]
        window = parts.inputs[r0 : r1 : parts.step[0], c0 : c1 : parts.step[1]].astype(float)
        divisor = np.broadcast_to(parts.divisor, made.base.shape)[row, column]
        return float(window.max() if parts.maximum else window.sum() / divisor)
    if isinstance(parts, AttentionParts):
        cell = row * made.base.shape[1] + column
        return float((parts.weights[:, cell].astype(float) * parts.values).sum() + parts.bias)
    return _window(parts, row, column)


def _window(parts: WindowParts, row: int, column: int) -> float:
    _, kernel_height, kernel_width = parts.kernel.shape
    value = parts.bias + (0.0 if parts.rest is None else float(parts.rest[row, column]))
    for u in range(kernel_height):
        for v in range(kernel_width):
            y = row * parts.stride[0] - parts.padding[0] + u * parts.dilation[0]
            x = column * parts.stride[1] - parts.padding[1] + v * parts.dilation[1]
            if 0 <= y < parts.inputs.shape[1] and 0 <= x < parts.inputs.shape[2]:
                value += float(parts.inputs[:, y, x].astype(float) @ parts.kernel[:, u, v].astype(float))
    return value


def then(follow: Follow, x: float, row: int, column: int) -> float:
    """One step after the sum."""
    scale, shift = (
        np.broadcast_to(p, follow.output.shape)[row, column] for p in (follow.scale, follow.shift)
    )
    x = float(scale) * x + float(shift)
    a, b = follow.parameters
    clipped = min(max(x + 3, 0.0), 6.0) / 6
    return {
        "affine": lambda: x,
        "relu": lambda: max(x, 0.0),
        "relu6": lambda: min(max(x, 0.0), 6.0),
        "hardtanh": lambda: min(max(x, a), b),
        "leaky_relu": lambda: x if x > 0 else a * x,
        "elu": lambda: x if x > 0 else a * math.expm1(x),
        "gelu": lambda: x * 0.5 * (1 + math.erf(x / math.sqrt(2))),
        "gelu_tanh": lambda: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        "silu": lambda: x / (1 + math.exp(-x)),
        "sigmoid": lambda: 1 / (1 + math.exp(-x)),
        "tanh": lambda: math.tanh(x),
        "hardswish": lambda: x * clipped,
        "hardsigmoid": lambda: clipped,
    }[follow.function]()
