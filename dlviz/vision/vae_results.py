"""What the autoencoder lesson's functions return: frozen, numpy on the CPU, no torch.

Codes are points of the latent space, float32. Pictures are bytes `28 28`, white ink on black as in MNIST.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

Kind = Literal["mnist", "fashion-mnist", "plain"]
"""How a picture is prepared: as MNIST was, as Fashion-MNIST was, or only made grey and square."""

StepName = Literal[
    "grey", "light", "inverted", "threshold", "stroke", "box", "scaled", "sharpened", "centred"
]
Way = Literal["straight", "spherical", "pixels"]

# How the stored log variances are packed into bytes: a standard deviation is 1.6 % off at most.
LEAST_LOG_VARIANCE = -12.0
LOG_VARIANCE_STEP = 1 / 16

Picture = UInt8[np.ndarray, "28 28"]
Pictures = UInt8[np.ndarray, "picture 28 28"]
Code = Float[np.ndarray, " latent"]


@dataclass(frozen=True, slots=True)
class PreparationStep:
    """The picture after one step of its preparation."""

    name: StepName
    picture: UInt8[np.ndarray, "height width"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the network receives, and how it came about.

    `inverted` tells whether dark ink on a light ground was found and turned over. `box` is the ink's top, left,
    bottom and right on the visitor's picture (the last two one past it). `steps` are in the order they were
    taken; a step that had nothing to do is not among them.
    """

    pixels: Picture
    kind: Kind
    inverted: bool
    box: tuple[int, int, int, int]
    steps: tuple[PreparationStep, ...]


@dataclass(frozen=True, slots=True)
class Posterior:
    r"""$q(z \mid x) = \mathcal N(\mu, \mathrm{diag}\,\sigma^2)$ of one picture; a plain autoencoder has no variance."""

    mean: Code
    log_variance: Code | None

    @property
    def latent(self) -> int:
        """Dimensions of the latent space."""
        return len(self.mean)

    @property
    def sigma(self) -> Code | None:
        r"""The standard deviation $\sigma = e^{\frac12\log\sigma^2}$, or None for a plain autoencoder."""
        return None if self.log_variance is None else np.exp(0.5 * self.log_variance)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pictures that the decoder made of codes. `logits` are its own numbers, one a pixel."""

    codes: Float[np.ndarray, "picture latent"]
    logits: Float[np.ndarray, "picture 28 28"]
    pixels: Pictures


@dataclass(frozen=True, slots=True)
class Located:
    """Where one picture lands, and what comes back from there.

    `error` is the reconstruction loss from the mean of its code, in nats: what the stored test errors hold.
    """

    posterior: Posterior
    logits: Float[np.ndarray, "28 28"]
    pixels: Picture
    error: float


@dataclass(frozen=True, slots=True)
class Codes:
    """Latent coordinates, labels and reconstruction errors (nats) of many test pictures."""

    mean: Float[np.ndarray, "picture latent"]
    log_variance: Float[np.ndarray, "picture latent"] | None
    label: Int[np.ndarray, " picture"]
    error: Float[np.ndarray, " picture"]

    def __len__(self) -> int:
        return len(self.mean)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one picture compares with the test set.

    `percentile` is the share of test pictures, in percent, that are reconstructed better. Above `limit` the
    picture is `far` from what the network was trained on. `neighbours` are the nearest test pictures in latent
    space, `votes` the share of each class among them, in the order of the labels.
    """

    error: float
    percentile: float
    limit: float
    far: bool
    neighbours: Int[np.ndarray, " neighbour"]
    votes: Float[np.ndarray, " label"]

    @property
    def nearest(self) -> int:
        """The label that most neighbours have."""
        return int(self.votes.argmax())


@dataclass(frozen=True, slots=True)
class Plane:
    """Decoded pictures on a grid of a two-dimensional latent space; row 0 is the top, the largest `y`."""

    x: Float[np.ndarray, " column"]
    y: Float[np.ndarray, " row"]
    pixels: UInt8[np.ndarray, "row column 28 28"]

    @property
    def mosaic(self) -> UInt8[np.ndarray, "height width"]:
        """All pictures as one."""
        rows, columns, height, width = self.pixels.shape
        return self.pixels.swapaxes(1, 2).reshape(rows * height, columns * width)


@dataclass(frozen=True, slots=True)
class Density:
    r"""The aggregated posterior $q(z) = \frac1N\sum_n q(z \mid x_n)$ and the prior $p(z)$ on a grid, per unit area.

    Row 0 is the largest `y`. `outside` is the share of $q(z)$ that lies beyond the grid.
    """

    x: Float[np.ndarray, " column"]
    y: Float[np.ndarray, " row"]
    aggregated: Float[np.ndarray, "row column"]
    prior: Float[np.ndarray, "row column"]
    outside: float


@dataclass(frozen=True, slots=True)
class Draw:
    r"""One draw from $q(z \mid x)$ by $z = \mu + \sigma\odot\varepsilon$, all its numbers, and its picture."""

    mean: Code
    log_variance: Code
    sigma: Code
    noise: Code
    code: Code
    pixels: Picture
    seed: int


@dataclass(frozen=True, slots=True)
class Samples:
    r"""Many draws from $q(z \mid x)$: the noise $\varepsilon$, the codes $z$."""

    noise: Float[np.ndarray, "draw latent"]
    codes: Float[np.ndarray, "draw latent"]
    seed: int


@dataclass(frozen=True, slots=True)
class GradientEstimates:
    """One way to estimate the gradient of the expected reconstruction loss, draw by draw (nats per unit)."""

    name: Literal["pathwise", "score", "score_baseline"]
    mean: Float[np.ndarray, "draw latent"]
    log_variance: Float[np.ndarray, "draw latent"]


@dataclass(frozen=True, slots=True)
class GradientComparison:
    """What the reparametrisation is for, on one picture.

    `reached` is the gradient of one reparametrised draw with respect to the mean and to the log variance;
    `direct_error` is what PyTorch says when the same is asked after `Normal.sample()`. `estimates` hold, for the
    same expected loss and the same draws, the pathwise and the score-function estimators.
    """

    reached_mean: Code
    reached_log_variance: Code
    direct_error: str
    estimates: tuple[GradientEstimates, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class TwoTerms:
    """The two terms of one picture's negative ELBO, in nats.

    `reconstruction` is the mean over `by_draw`, whose standard error stands beside it; `at_mean` is the loss
    without chance, from the mean of the code. A plain autoencoder has no KL and a single draw: its code.
    """

    by_draw: Float[np.ndarray, " draw"]
    reconstruction: float
    standard_error: float
    at_mean: float
    kl_by_dimension: Code | None
    beta: float
    seed: int

    @property
    def kl(self) -> float:
        """The sum over the dimensions; 0 for a plain autoencoder."""
        return 0.0 if self.kl_by_dimension is None else float(self.kl_by_dimension.sum(dtype=np.float64))

    @property
    def negative_elbo(self) -> float:
        """Reconstruction and KL at weight 1."""
        return self.reconstruction + self.kl

    @property
    def loss(self) -> float:
        r"""Reconstruction and $\beta$ times KL: what training made small."""
        return self.reconstruction + self.beta * self.kl


@dataclass(frozen=True, slots=True)
class Survey:
    """Where a picture lands, and the two terms of its loss, from one trip through the network."""

    located: Located
    terms: TwoTerms


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures along a way from one picture to another. `at` runs from 0 to 1; `codes` is None in pixel space."""

    way: Way
    at: Float[np.ndarray, " picture"]
    codes: Float[np.ndarray, "picture latent"] | None
    pixels: Pictures


@dataclass(frozen=True, slots=True)
class ClassMeans:
    """The mean code of each class, over the stored test pictures."""

    labels: Int[np.ndarray, " class"]
    means: Float[np.ndarray, "class latent"]
    counts: Int[np.ndarray, " class"]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """$a - b + c$: the four codes in this order, the result last, and their pictures."""

    codes: Float[np.ndarray, "4 latent"]
    pixels: UInt8[np.ndarray, "4 28 28"]


@dataclass(frozen=True, slots=True)
class Dimensions:
    r"""The dimensions of a latent space by how much they say.

    `kl` is the mean KL over the test pictures in nats (zeros for a plain autoencoder), `spread` the variance of
    the mean over them; a unit is active where it exceeds 0.01. `order` lists the dimensions from the most to the least.
    """

    kl: Code
    spread: Code
    active: Bool[np.ndarray, " latent"]
    order: Int[np.ndarray, " latent"]

    @property
    def inactive(self) -> tuple[int, ...]:
        """The dimensions that say nothing about a picture."""
        return tuple(int(i) for i in np.flatnonzero(~self.active))


@dataclass(frozen=True, slots=True)
class Traversals:
    """One row for each dimension, in which it alone moves through `values` from `start`."""

    start: Code
    dimensions: Int[np.ndarray, " row"]
    values: Float[np.ndarray, " column"]
    pixels: UInt8[np.ndarray, "row column 28 28"]

    @property
    def mosaic(self) -> UInt8[np.ndarray, "height width"]:
        """All pictures as one."""
        rows, columns, height, width = self.pixels.shape
        return self.pixels.swapaxes(1, 2).reshape(rows * height, columns * width)


@dataclass(frozen=True, slots=True)
class Projection:
    """Codes brought to two dimensions. `explained` is each axis's share of the variance (empty for UMAP)."""

    method: Literal["pca", "umap"]
    points: Float[np.ndarray, "picture 2"]
    explained: Float[np.ndarray, " axis"]
    seed: int


@dataclass(frozen=True, slots=True)
class GreySet:
    """Small grey pictures with their labels (-1: none) and the names of the classes."""

    images: Pictures
    labels: Int[np.ndarray, " picture"]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, slots=True)
class TrainedVAE:
    """A network as plain numbers: what `ConvVAE` is built from, and its weights by name.

    Every function of the lesson takes it where it takes a network, so what was trained here goes on working.
    """

    arguments: tuple[tuple[str, int | bool | tuple[int, ...]], ...]
    names: tuple[str, ...]
    weights: tuple[np.ndarray, ...]
    beta: float


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """A live training at one moment.

    `loss`, `reconstruction` and `kl` hold one value for each step so far, in nats a picture. `codes` and `labels`
    are those of the same pictures in every frame; `plane` is empty (no rows) where the latent space is not flat.
    """

    step: int
    steps: int
    loss: Float[np.ndarray, " step"]
    reconstruction: Float[np.ndarray, " step"]
    kl: Float[np.ndarray, " step"]
    codes: Float[np.ndarray, "picture latent"]
    labels: Int[np.ndarray, " picture"]
    plane: Plane


@dataclass(frozen=True, slots=True)
class LiveTraining:
    """A finished live training: the network, the last frame, and the codes of pictures it was not trained on.

    `reconstruction` and `kl` are measured on those, in nats, with one draw a picture.
    """

    network: TrainedVAE
    frame: LiveFrame
    codes: Codes
    reconstruction: float
    kl: float
    active_units: int
    seconds: float
    seed: int
