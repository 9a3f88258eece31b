"""How a network's tensors hold their maps, whichever way it turns them, and where its windows look."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from torch import Tensor

Order = Literal["chw", "hwc", "tokens", "turned", "vector", "other"]

_PERMUTED: dict[tuple[int, ...], Order] = {(0, 2, 3, 1): "hwc", (0, 3, 1, 2): "chw"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a tensor holds its maps.

    `chw` and `hwc` are maps with the channels first or last; `tokens` is a sequence of places after
    `prefix` other tokens, `turned` the same with the channels first; `vector` is one number a channel.
    `folded` says that a vector is a flattened stack of maps of that shape.
    """

    order: Order
    height: int = 1
    width: int = 1
    prefix: int = 0
    folded: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Where an operation looks: kernel, stride, padding and dilation, down and across.

    `bins` is set for adaptive pooling: the output's cells divide the input evenly, and the other
    numbers do not count.
    """

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)
    bins: bool = False


def layout_after(
    function: str,
    dims: tuple[int, ...],
    output: Tensor,
    before: Layout,
    shape: tuple[int, int, int],
    tokens: Layout | None,
) -> Layout:
    """How the output of an operation holds its maps.

    Args:
        function: the operation's name in PyTorch.
        dims: the new order of the dimensions, for a permutation.
        output: what it made.
        before: the layout of its first operand.
        shape: channels, height and width of that operand's maps.
        tokens: the layout of the latest sequence of places, to recognise one after a detour.
    """
    if output.ndim == 4:
        return _four(dims, output, before)
    if output.ndim == 3:
        return _sequence(function, output, before, tokens)
    if output.ndim == 2:
        flattened = before.order == "chw" and before.height * before.width > 1 and function != "mean"
        return Layout("vector", folded=shape if flattened else None)
    return Layout("other")


def _four(dims: tuple[int, ...], output: Tensor, before: Layout) -> Layout:
    """Maps stay as they were unless a permutation brings their channels to the other end."""
    order: Order = "hwc" if before.order == "hwc" else "chw"
    if dims:
        order = _PERMUTED.get(dims, "other")
    height, width = output.shape[1:3] if order == "hwc" else output.shape[2:4]
    return Layout(order, height, width)


def _sequence(function: str, output: Tensor, before: Layout, tokens: Layout | None) -> Layout:
    places = before.height * before.width
    if before.order == "chw" and output.shape[2] == places:
        return Layout("turned", before.height, before.width)
    if before.order == "turned" and output.shape[1] == places:
        return Layout("tokens", before.height, before.width)
    if before.order == "tokens" and output.shape[1] == places + before.prefix:
        return before
    known = before if before.order == "tokens" else tokens
    if function == "cat" or known is None:
        return _with_prefix(output, known)
    return known if output.shape[1] == known.height * known.width + known.prefix else Layout("other")


def _with_prefix(output: Tensor, known: Layout | None) -> Layout:
    """A class token was put in front of the places."""
    if known is None:
        return Layout("other")
    places = known.height * known.width
    return Layout("tokens", known.height, known.width, output.shape[1] - places)


def shape_of(output: Tensor, layout: Layout) -> tuple[int, int, int]:
    """Channels, height and width of the maps that a tensor holds."""
    channel = {"chw": 1, "turned": 1, "other": -1}.get(layout.order, -1)
    channels = output.shape[channel] if output.ndim else 1
    return int(channels), layout.height, layout.width


def canonical(output: Tensor, layout: Layout) -> Float[Tensor, "channel height width"]:
    """The first picture's maps, channels first, whichever way the network holds them."""
    first = output[0]
    if layout.order == "chw":
        return first
    if layout.order == "hwc":
        return first.permute(2, 0, 1)
    if layout.order == "tokens":
        return first[layout.prefix :].T.reshape(-1, layout.height, layout.width)
    if layout.order == "turned":
        return first.reshape(-1, layout.height, layout.width)
    return first.reshape(-1, 1, 1)


def bins(size: int, count: int) -> list[tuple[int, int]]:
    """Start and end of each cell when PyTorch pools `size` places into `count` adaptively."""
    return [(i * size // count, math.ceil((i + 1) * size / count)) for i in range(count)]


def plane_of(tensor: Tensor, layout: Layout, channel: int) -> Float[np.ndarray, "height width"]:
    """One map of the first picture, as float32 on the CPU."""
    return array_of(canonical(tensor, layout)[channel])


def array_of(tensor: Tensor) -> np.ndarray:
    """A tensor's values as a float32 array on the CPU, in the order of its dimensions."""
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())
