"""What the CNN filters lesson's functions return: the border between science and figures. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

from dlviz.vision.attribution_results import Box

Kind = Literal["conv", "linear", "norm", "activation", "pool", "sum", "scale", "gate", "attention"]

Maps = Float[np.ndarray, "channel height width"]
Plane = Float[np.ndarray, "height width"]


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """Which input pixels each cell of a layer can depend on.

    `rows[i]` and `columns[j]` are the first pixel and one past the last, cut at the edges of the input, so
    that cell `(i, j)` sees `rows[i] x columns[j]`. `size`, `stride` and `start` say the same in theory, for
    an input without edges: cell `i` begins at `start + i * stride` and is `size` pixels long, down and
    across; they are None where the cells differ (uneven adaptive pooling). Where `whole` is true other
    pixels reach the cell as well, through a gate, through attention or a global mean: the box is then the
    direct path only.
    """

    rows: Int[np.ndarray, "height 2"]
    columns: Int[np.ndarray, "width 2"]
    size: tuple[int, int] | None
    stride: tuple[int, int] | None
    start: tuple[int, int] | None
    whole: bool = False

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of a cell's field in input pixels, the last two one past it."""
        top, bottom = self.rows[row]
        left, right = self.columns[column]
        return int(top), int(left), int(bottom), int(right)


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of a network, in the order of the forward pass.

    `shape` is channels, height, width; a vector counts as maps of 1x1. `depth` runs from 0 to 1: the part
    of the learnt transformations (convolutions, linear maps, attention) on the longest way through the
    network that is behind this layer. `field_size` is the side of its receptive field, cut at nothing, or
    None where it is not defined; `sees_all` is true where other pixels reach its cells too. `inputs` names
    the layers it reads, `""` for the photo.
    """

    name: str
    kind: Kind
    function: str
    shape: tuple[int, int, int]
    parameters: int
    stage: int
    depth: float
    field_size: tuple[int, int] | None
    field_stride: tuple[int, int] | None
    sees_all: bool
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """Layers that follow each other at one map size. `shape` is that of its last layer's maps."""

    name: str
    shape: tuple[int, int, int]
    parameters: int
    first: int
    last: int

    @property
    def layer_count(self) -> int:
        """How many layers it has."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class NetworkOutline:
    """A whole network at a glance: its layers in forward order and the stages they form."""

    layers: tuple[Layer, ...]
    stages: tuple[Stage, ...]
    parameters: int
    input_shape: tuple[int, int, int]

    def layer(self, name: str) -> Layer:
        """The layer of that name. Raises KeyError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Kernels:
    """The kernels of a convolution. `norms` is the Euclidean norm of each filter.

    `weights` has one filter a row; for a grouped convolution `channel_in` counts the channels of its group.
    """

    layer: str
    weights: Float[np.ndarray, "filter channel_in kernel_height kernel_width"]
    norms: Float[np.ndarray, " filter"]
    groups: int


@dataclass(frozen=True, slots=True)
class FilterSlices:
    """One filter of a deep convolution, one small kernel for each input channel.

    `channels` are the numbers of the input channels (those of its group). `response` is, on this photo, the
    mean absolute value that each input channel adds to the filter's map; `source` names the layer that the
    channels come from.
    """

    layer: str
    source: str
    filter: int
    channels: Int[np.ndarray, " channel_in"]
    weights: Float[np.ndarray, "channel_in kernel_height kernel_width"]
    norms: Float[np.ndarray, " channel_in"]
    response: Float[np.ndarray, " channel_in"]


@dataclass(frozen=True, slots=True)
class FeatureMaps:
    """All maps of one layer for one photo.

    `mean` and `peak` are a map's mean and largest value; `strength` is its mean absolute value, and `order`
    lists the maps from the strongest to the weakest. A map is dead when, after the activation that follows
    (`dead_after` names that layer; it is the layer itself where it is one), no cell exceeds one millionth of
    that layer's largest absolute value: the filter says nothing about this photo. `dead` is all false and
    `dead_after` empty where no activation follows. `picture` is the photo as the network received it and
    `box` its place on the visitor's photo.
    """

    layer: str
    maps: Maps
    mean: Float[np.ndarray, " channel"]
    peak: Float[np.ndarray, " channel"]
    strength: Float[np.ndarray, " channel"]
    order: Int[np.ndarray, " channel"]
    dead: Bool[np.ndarray, " channel"]
    dead_after: str
    field: ReceptiveField
    picture: UInt8[np.ndarray, "height_in width_in 3"]
    box: Box

    @property
    def dead_count(self) -> int:
        """How many maps are dead."""
        return int(self.dead.sum())

    @property
    def signed(self) -> bool:
        """Whether negative values count (the small ones that a hard-swish lets through do not)."""
        low, high = float(self.maps.min(initial=0.0)), float(self.maps.max(initial=0.0))
        return low < -0.1 * max(high, -low, 1e-12)


@dataclass(frozen=True, slots=True)
class WindowParts:
    r"""A convolution taken apart: $\sum_c \sum_{u,v} x_{c,\,is+ud-p,\,js+vd-p}\, w_{cuv} + b$.

    A linear map is one with a 1x1 window; after flattened maps, with a window as large as the maps. The
    channels that fit are sent whole, in float32; where `rest` is not None, it is the exact sum of what the
    others add to each cell, and `channels` are those that add most over the map.
    """

    inputs: Float[np.ndarray, "channel_in height_in width_in"]
    channels: Int[np.ndarray, " channel_in"]
    kernel: Float[np.ndarray, "channel_in kernel_height kernel_width"]
    bias: float
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    rest: Plane | None
    channel_count: int


@dataclass(frozen=True, slots=True)
class SumParts:
    """A sum: one plane for each term, and the name of the layer that it comes from (`""`: learnt)."""

    terms: Float[np.ndarray, "term height width"]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductParts:
    """A product: one plane for each factor (a gate is the same number in every cell)."""

    factors: Float[np.ndarray, "factor height width"]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PoolParts:
    """A pooling: the largest or the mean value of a window of one map.

    `rows[i]` and `columns[j]` are the window of a cell in the input, cut at its edges, and `step` the
    distance of two values in it; `divisor` is what the sum is divided by for a mean (padding may count).
    """

    inputs: Plane
    maximum: bool
    rows: Int[np.ndarray, "height 2"]
    columns: Int[np.ndarray, "width 2"]
    divisor: Plane
    step: tuple[int, int]


@dataclass(frozen=True, slots=True)
class AttentionParts:
    r"""Multi-head attention taken apart: $\sum_h \sum_t A_{h,\mathrm{cell},t}\, u_{ht} + b$.

    `weights` is each head's attention from a cell to every token, `values` is what a token would add if it
    had all of a head's attention, $u_{ht} = V_{ht} \cdot W^O_{hc}$, for this output channel. The first
    `prefix` tokens are no places of the photo (the class token).
    """

    weights: Float[np.ndarray, "head query key"]
    values: Float[np.ndarray, "head key"]
    bias: float
    prefix: int


Parts = WindowParts | SumParts | ProductParts | PoolParts | AttentionParts


@dataclass(frozen=True, slots=True)
class Follow:
    """What happens to the number after its parts are added up: $y = f(a x + b)$, cell by cell.

    `scale` and `shift` are the same in every cell for a batch normalisation, and differ for a layer
    normalisation, whose mean and spread are each cell's own. `function` is `"affine"`, or an activation's
    name in PyTorch, with its numbers, where it has any, in `parameters`. `output` is the network's own value.
    """

    layer: str
    kind: Kind
    function: str
    scale: Plane
    shift: Plane
    parameters: tuple[float, float]
    output: Plane


@dataclass(frozen=True, slots=True)
class Dissection:
    """Everything that explains every cell of one map, without asking the network again.

    `parts` add up to `base`, the output of layer `base_layer`, which reads `sources`; `follows` lead from
    there to `values`, the map itself. All numbers are float32, as the network computed them; the sums of the
    parts agree with `base` up to the rounding of float32 sums.
    """

    layer: str
    channel: int
    base_layer: str
    base_kind: Kind
    sources: tuple[str, ...]
    parts: Parts
    base: Plane
    follows: tuple[Follow, ...]
    values: Plane
    field: ReceptiveField
    picture: UInt8[np.ndarray, "height_in width_in 3"]
    box: Box


@dataclass(frozen=True, slots=True)
class LayerLook:
    """All maps of a layer, and its strongest one taken apart."""

    maps: FeatureMaps
    dissection: Dissection


@dataclass(frozen=True, slots=True)
class FilterHistory:
    """The kernels of one layer at several moments of the training, and how good the network was then."""

    layer: str
    layers: tuple[str, ...]
    epochs: Float[np.ndarray, " moment"]
    train_loss: Float[np.ndarray, " moment"]
    test_accuracy: Float[np.ndarray, " moment"]
    weights: Float[np.ndarray, "moment filter channel_in kernel_height kernel_width"]

    def at(self, moment: int) -> Kernels:
        """The kernels at one moment."""
        weights = self.weights[moment]
        norms = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=(1, 2, 3))).astype(np.float32)
        return Kernels(self.layer, weights, norms, 1)
