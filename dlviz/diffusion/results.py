"""What the diffusion lesson's functions return: frozen, numpy on the CPU, no torch.

Time is the course's: $t = 0$ is the clean picture, $t = T$ is noise. Diffusers counts its steps from 0, so that its
step $t - 1$ is our $t$. Pictures are grey levels from -1 (black) to 1 (white), float32, `channel height width`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

ScheduleName = Literal["linear", "cosine", "sigmoid"]
SamplerName = Literal["ddpm", "ddim", "dpm++"]

Picture = Float[np.ndarray, "channel height width"]
Pictures = Float[np.ndarray, "picture channel height width"]
Points = Float[np.ndarray, "point 2"]


@dataclass(frozen=True, slots=True)
class Schedule:
    r"""How much noise each step adds; entry $t - 1$ belongs to the step from $t - 1$ to $t$."""

    beta: Float[np.ndarray, " step"]
    alpha_bar: Float[np.ndarray, " step"]

    @property
    def snr_db(self) -> Float[np.ndarray, " step"]:
        r"""Signal to noise, $10 \log_{10} \bar\alpha_t / (1 - \bar\alpha_t)$, in decibels."""
        return 10 * np.log10(self.alpha_bar / (1 - self.alpha_bar))

    def __len__(self) -> int:
        return len(self.beta)


@dataclass(frozen=True, slots=True)
class Noised:
    r"""$x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1 - \bar\alpha_t}\,\epsilon$, with its numbers and its histogram.

    `iterated` is the same picture reached one step at a time, by noises whose sum is `noise`.
    """

    t: int
    signal: float
    spread: float
    clean: Picture
    noise: Picture
    noisy: Picture
    iterated: Picture
    counts: Int[np.ndarray, " bin"]
    edges: Float[np.ndarray, " edge"]


@dataclass(frozen=True, slots=True)
class Moment:
    """The pictures at one moment of the sampling: what they are, and what the network takes them for.

    `index` steps have been taken. `predicted` is the clean picture seen at the step before, not clipped.
    """

    index: int
    t: int
    noisy: Pictures
    predicted: Pictures


@dataclass(frozen=True, slots=True)
class Film:
    """The moments of a sampling that were kept, in order; the last is the newest. `total` steps in all."""

    moments: tuple[Moment, ...]
    total: int
    seeds: tuple[int, ...]

    @property
    def last(self) -> Moment:
        """The newest moment."""
        return self.moments[-1]

    @property
    def pixels(self) -> UInt8[np.ndarray, "picture channel height width"]:
        """The newest pictures as bytes."""
        return np.round((self.last.noisy.clip(-1, 1) + 1) * 127.5).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class StepParts:
    r"""One reverse step in its parts: `before` is $x_t$, and `mean` + `added` = `after` is $x_{t'}$.

    `noise` is $\epsilon_\theta$ after guidance, `conditional` and `unconditional` what it was made of.
    `predicted` is the clean picture, `clipped` the same within -1 to 1; the mean is made of the latter:
    `mean` = `to_clean` $\hat x_0$ + `to_noisy` $x_t$. `by_noise` is the course's form of the mean, from the noise; the
    two are equal where nothing was clipped, that is where `inside` is true.
    """

    t: int
    to: int
    before: Picture
    conditional: Picture
    unconditional: Picture | None
    noise: Picture
    predicted: Picture
    clipped: Picture
    mean: Picture
    by_noise: Picture
    inside: Bool[np.ndarray, "channel height width"]
    added: Picture
    after: Picture
    alpha_bar: float
    alpha_bar_to: float
    beta: float
    to_clean: float
    to_noisy: float
    sigma: float


@dataclass(frozen=True, slots=True)
class NoiseLoss:
    r"""The network's guess of one noise: `loss` is the mean of `squared`, $(\epsilon - \epsilon_\theta)^2$."""

    t: int
    noisy: Picture
    noise: Picture
    guess: Picture
    squared: Picture
    loss: float


@dataclass(frozen=True, slots=True)
class LossCurve:
    """The mean loss at some times, over the same pictures, with its standard error."""

    t: Int[np.ndarray, " time"]
    loss: Float[np.ndarray, " time"]
    error: Float[np.ndarray, " time"]
    pictures: int


@dataclass(frozen=True, slots=True)
class PlaneNetwork:
    """A trained network of the plane as plain numbers; `step` steps have made it."""

    names: tuple[str, ...]
    weights: tuple[np.ndarray, ...]
    step: int


@dataclass(frozen=True, slots=True)
class PlaneFrame:
    """A live training in the plane at one moment: its losses so far, and points that it samples."""

    step: int
    steps: int
    loss: Float[np.ndarray, " step"]
    samples: Points
    network: PlaneNetwork


@dataclass(frozen=True, slots=True)
class PlaneFlow:
    r"""What a trained network does in the plane, at the times `t` from $T$ down to 0.

    `paths[k]` are the points on their way at `t[k]`; `score[k]` is $\nabla \log p_t$ on the grid `x` by `y`.
    """

    t: Int[np.ndarray, " time"]
    paths: Float[np.ndarray, "time point 2"]
    x: Float[np.ndarray, " column"]
    y: Float[np.ndarray, " row"]
    score: Float[np.ndarray, "time row column 2"]


@dataclass(frozen=True, slots=True)
class PlaneTraining:
    """A finished training in the plane."""

    frame: PlaneFrame
    flow: PlaneFlow
    target: Points
    seconds: float
    seed: int
