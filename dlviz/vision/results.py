"""What the feature-map functions return: frozen arrays on the CPU, no torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from dlviz.vision.attribution_results import Box

Kind = Literal["conv", "norm", "activation", "sum", "pool", "gate", "scale", "attention", "mlp", "linear"]


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Which input pixels a cell can see, by arithmetic on kernels, strides and paddings.

    Cell ``(i, j)`` sees rows ``start[0] + i * stride[0]`` to ``start[0] + i * stride[0] + size[0]`` of the
    network's input, and columns alike; the box may hang over the edge, where the padding is. Where
    ``reaches_all`` is true the cell depends on the whole photo besides (a gate, an attention or a
    normalisation over all places came before), and the box says where it stands.
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    start: tuple[int, int]
    reaches_all: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of a network whose output is a stack of maps.

    ``stage`` counts the halvings of the map before it, ``depth`` is its place among all layers from 0 to 1,
    ``inputs`` names the layers whose outputs it reads.
    """

    name: str
    kind: Kind
    operation: str
    channels: int
    height: int
    width: int
    parameters: int
    stage: int
    depth: float
    inputs: tuple[str, ...]
    field: ReceptiveField | None


@dataclass(frozen=True, slots=True)
class Outline:
    """A network at a glance: its layers in the order of the forward pass, and the side of its input."""

    layers: tuple[Layer, ...]
    input_size: int
    parameters: int

    def layer(self, name: str) -> Layer:
        """The layer of that name; ``KeyError`` when there is none."""
        for entry in self.layers:
            if entry.name == name:
                return entry
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Kernels:
    """The kernels of one convolution: one a filter and input channel, and the norm of each filter."""

    layer: str
    weights: Float[np.ndarray, "filter channel kernel_height kernel_width"]
    norms: Float[np.ndarray, " filter"]

    @property
    def by_norm(self) -> Int[np.ndarray, " filter"]:
        """Filters from the largest norm to the smallest."""
        return np.argsort(-self.norms, kind="stable")


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """All maps of one layer for one photo, and which part of the photo they lie over.

    ``dead`` marks maps that hold one value everywhere (for a ReLU: zero): for this photo the
    filter says nothing. ``response`` is the mean of the map's absolute values.
    """

    layer: str
    maps: Float[np.ndarray, "channel height width"]
    response: Float[np.ndarray, " channel"]
    dead: Bool[np.ndarray, " channel"]
    box: Box

    @property
    def by_response(self) -> Int[np.ndarray, " channel"]:
        """Maps from the strongest response to the weakest."""
        return np.argsort(-self.response, kind="stable")


@dataclass(frozen=True, slots=True)
class Window:
    """The moving window of a convolution or a pool: its kernel and how it moves over the source maps.

    ``sources`` are the input maps that are shown one by one (``channels`` says which), before padding.
    For a pool ``kernel`` has no weights to show and ``mode`` says what it takes: the sum (a convolution), the
    largest value or the mean.
    """

    sources: Float[np.ndarray, "shown height_in width_in"]
    channels: Int[np.ndarray, " shown"]
    kernel: Float[np.ndarray, "shown kernel_height kernel_width"]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    mode: Literal["sum", "max", "mean"]
    pads_count: bool = True


@dataclass(frozen=True, slots=True)
class Term:
    """One addend of every cell, by name: ``name`` is a code for the ui, ``index`` its channel or head."""

    name: str
    index: int
    values: Float[np.ndarray, "height width"]


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to the sum afterwards, in order.

    ``operation`` is ``"affine"`` (``scale * x + shift``; a normalisation in evaluation mode, a gate or a
    layer scale), ``"standardise"`` (``(x - mean) / deviation`` at this place) or the name of an activation.
    ``layer`` names the module.
    """

    operation: str
    layer: str
    scale: float = 1.0
    shift: float = 0.0
    mean: Float[np.ndarray, "height width"] | None = None
    deviation: Float[np.ndarray, "height width"] | None = None


@dataclass(frozen=True, slots=True)
class Dissection:
    """One map of one layer, taken apart so that every cell can be explained where the pointer is.

    A cell is the sum over the window's shown channels, plus the terms, then the steps in order; the
    result is ``values`` (the network's own output) up to rounding in float32.
    """

    layer: str
    channel: int
    values: Float[np.ndarray, "height width"]
    window: Window | None
    terms: tuple[Term, ...]
    steps: tuple[Step, ...]
    field: ReceptiveField | None
    box: Box
    input_size: int


@dataclass(frozen=True, slots=True)
class FilterHistory:
    """The same filters at several moments of training, the random start first."""

    epochs: Float[np.ndarray, " moment"]
    accuracy: Float[np.ndarray, " moment"]
    loss: Float[np.ndarray, " moment"]
    layers: tuple[str, ...]
    kernels: tuple[Float[np.ndarray, "moment filter channel kernel_height kernel_width"], ...]
