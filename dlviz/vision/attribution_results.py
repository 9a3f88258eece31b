"""What the attribution, deletion and activation maximisation functions return. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

Method = Literal["grad_cam", "layer_cam", "integrated_gradients", "occlusion", "attention_relevance"]
METHODS: tuple[Method, ...] = (
    "grad_cam",
    "layer_cam",
    "integrated_gradients",
    "occlusion",
    "attention_relevance",
)


@dataclass(frozen=True, slots=True)
class Box:
    """The part of the photo that the network saw, in photo pixels (fractions allowed)."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The most probable classes of one photo, most probable first.

    `indices`, `names` and `probabilities` have one entry a class shown; `logits` holds all classes.
    Probabilities are the softmax of the logits and lie between 0 and 1.
    """

    indices: Int[np.ndarray, " top"]
    names: tuple[str, ...]
    probabilities: Float[np.ndarray, " top"]
    logits: Float[np.ndarray, " label"]


@dataclass(frozen=True, slots=True)
class Completeness:
    """Integrated gradients' own check: the attributions must sum to the change of the logit.

    `attribution_sum` is the sum over the map; `logit_difference` is the logit of the photo minus the
    logit of the baseline. They differ only by the error of the numeric integral over `steps` points.
    """

    attribution_sum: float
    logit_difference: float
    steps: int

    @property
    def relative_error(self) -> float:
        """The gap between the two sides, as a part of the logit's change."""
        gap = abs(self.attribution_sum - self.logit_difference)
        return gap / max(abs(self.logit_difference), 1e-6)


@dataclass(frozen=True, slots=True)
class AttributionMap:
    """How much each place of the photo speaks for one class, at the method's own resolution.

    `values` lies over `box` of the photo. Where `signed` is false the values are at least zero
    and mean evidence for the class; where it is true a negative value is evidence against it. The unit is
    the method's own (logits for integrated gradients and occlusion), so two methods are compared by
    their order of places, not by their numbers. `layer` is None for methods that look at pixels;
    `completeness` is there for integrated gradients only.
    """

    values: Float[np.ndarray, "height width"]
    method: Method
    signed: bool
    target: int
    target_name: str
    logit: float
    probability: float
    layer: str | None
    box: Box
    completeness: Completeness | None = None


@dataclass(frozen=True, slots=True)
class LayerEvidence:
    """A layer's maps, what Grad-CAM thinks of each, and its heat map, all from one pass.

    `alpha` is Grad-CAM's weight of each map: the mean over its cells of how fast the class's logit rises
    with the cell. `share` is each map's part in the mean of the heat map before negative values are cut:
    `alpha` times the map's mean.
    """

    maps: Float[np.ndarray, "channel height width"]
    alpha: Float[np.ndarray, " channel"]
    share: Float[np.ndarray, " channel"]
    heat: AttributionMap


@dataclass(frozen=True, slots=True)
class TrustCurves:
    """Probability of the class while the photo is taken away, or given back, in the order of a heat map.

    `share` runs from 0 to 1: the part of the photo that was removed (deletion) or shown (insertion). The
    controls follow random orders: one row for each order. An area is the mean height of a curve,
    between 0 and 1. A map that can be trusted has a deletion area below its control and an insertion
    area above it.
    """

    share: Float[np.ndarray, " step"]
    deletion: Float[np.ndarray, " step"]
    insertion: Float[np.ndarray, " step"]
    deletion_control: Float[np.ndarray, "order step"]
    insertion_control: Float[np.ndarray, "order step"]
    target_name: str
    seed: int

    @property
    def deletion_area(self) -> float:
        """Mean probability while the photo is taken away: low is good."""
        return float(np.trapezoid(self.deletion, self.share))

    @property
    def insertion_area(self) -> float:
        """Mean probability while the photo comes back: high is good."""
        return float(np.trapezoid(self.insertion, self.share))

    @property
    def deletion_control_areas(self) -> Float[np.ndarray, " order"]:
        """The deletion area of each random order."""
        return np.trapezoid(self.deletion_control, self.share, axis=1)

    @property
    def insertion_control_areas(self) -> Float[np.ndarray, " order"]:
        """The insertion area of each random order."""
        return np.trapezoid(self.insertion_control, self.share, axis=1)

    @property
    def trust(self) -> float:
        """Insertion minus deletion area, less the same of the random orders; 0 is chance, 1 the ideal."""
        ours = self.insertion_area - self.deletion_area
        chance = self.insertion_control_areas.mean() - self.deletion_control_areas.mean()
        return float(ours - chance)


@dataclass(frozen=True, slots=True)
class DreamFrame:
    """One moment of activation maximisation: the picture so far and how strongly the filter answers it."""

    image: UInt8[np.ndarray, "height width 3"]
    activation: float
    step: int


@dataclass(frozen=True, slots=True)
class Dream:
    """A picture that a filter answers strongly, and how its answer rose on the way.

    `activations` has one value a step, measured on the shaken picture of that step; `first` and `last`
    are measured on the still picture before the first step and after the last.
    """

    image: UInt8[np.ndarray, "height width 3"]
    activations: Float[np.ndarray, " step"]
    first: float
    last: float
    layer: str
    channel: int
    seed: int
