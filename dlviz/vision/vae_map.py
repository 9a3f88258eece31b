"""The latent plane: what the decoder makes of every place, where the test pictures lie, and draws around one."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.vision import vae
from dlviz.vision.vae_network import SIDE, ConvVAE
from dlviz.vision.vae_results import Codes, Density, Plane, Samples, TrainedVAE

Extent = tuple[float, float, float, float]
"""Left, right, bottom and top of a part of the plane, in latent units."""

_MOST_STEPS = 64


def plane(network: ConvVAE | TrainedVAE, *, extent: Extent, steps: int = 20) -> Plane:
    """The decoded picture of every point of a grid, all in one call of the decoder.

    Args:
        network: the autoencoder, with a latent space of two dimensions.
        extent: left, right, bottom and top of the part of the plane.
        steps: points a side; they lie in the middle of their cells, so that the mosaic fits the extent.

    Raises:
        Refused: the latent space is not flat, the extent has no area, or the grid is too fine.
    """
    model = vae.as_network(network)
    if model.latent != 2:
        raise Refused(
            N_("The map needs a latent space of 2 dimensions; this model has {count}."), count=model.latent
        )
    _check_extent(extent)
    if not 1 <= steps <= _MOST_STEPS:
        raise Refused(N_("The grid can have 1 to {most} pictures a side."), most=_MOST_STEPS)
    x, y = _middles(extent[0], extent[1], steps), _middles(extent[3], extent[2], steps)
    columns, rows = np.meshgrid(x, y)
    codes = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    pixels = vae.decode(model, codes).pixels
    return Plane(x, y, pixels.reshape(steps, steps, SIDE, SIDE))


def extent(codes: Codes, *, keep: float = 99.0, margin: float = 0.05) -> Extent:
    """A square part of the plane that holds nearly all stored codes, and the origin.

    Args:
        codes: of the test pictures.
        keep: percent of them that lie inside on each axis; a few strays would make the others small.
        margin: room left around, as a share of the side.
    """
    tail = (100 - keep) / 2
    low, high = np.percentile(codes.mean[:, :2], [tail, 100 - tail], axis=0)
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    half = max(float((high - low).max()) / 2, 1e-3) * (1 + 2 * margin)
    x, y = ((low + high) / 2).tolist()
    return (x - half, x + half, y - half, y + half)


def density(codes: Codes, *, extent: Extent, steps: int = 96) -> Density:
    r"""Where the test pictures lie in the plane, all their Gaussians added up, beside the prior.

    $$ q(z) = \frac1N \sum_{n=1}^N \mathcal N\bigl(z;\, \mu_n, \sigma_n^2\bigr) $$

    the aggregated posterior (Makhzani et al., *Adversarial Autoencoders*, 2015). No kernel is chosen: each
    picture is as wide as the encoder says. A Gaussian narrower than a cell would fall between the points of
    the grid, so each is integrated over the cells exactly, by differences of its distribution function. The codes
    of a plain autoencoder are points, and what is drawn is their histogram.

    Args:
        codes: of the test pictures, in two dimensions.
        extent: left, right, bottom and top.
        steps: cells a side.

    Raises:
        Refused: the codes have another number of dimensions, or the extent has no area.
    """
    if codes.mean.shape[1] != 2:
        raise Refused(
            N_("The map needs a latent space of 2 dimensions; this model has {count}."),
            count=codes.mean.shape[1],
        )
    _check_extent(extent)
    across = np.linspace(extent[0], extent[1], steps + 1, dtype=np.float64)
    up = np.linspace(extent[2], extent[3], steps + 1)
    sigma = np.zeros_like(codes.mean) if codes.log_variance is None else np.exp(0.5 * codes.log_variance)
    share = _shares(up, codes.mean[:, 1], sigma[:, 1]).T @ _shares(across, codes.mean[:, 0], sigma[:, 0])
    share /= max(len(codes), 1)
    area = (across[1] - across[0]) * (up[1] - up[0])
    x, y = _middles(extent[0], extent[1], steps), _middles(extent[3], extent[2], steps)
    prior = np.exp(-0.5 * (x[None] ** 2 + y[:, None] ** 2)) / (2 * math.pi)
    return Density(x, y, (share[::-1] / area).astype(np.float32), prior, max(0.0, 1 - float(share.sum())))


def samples(mean: vae.Numbers, log_variance: vae.Numbers, *, count: int = 64, seed: int = 0) -> Samples:
    r"""Draws from $q(z \mid x)$ by $z = \mu + \sigma\odot\varepsilon$, $\varepsilon \sim \mathcal N(0, I)$.

    Args:
        mean: of $q(z \mid x)$, any number of dimensions.
        log_variance: of $q(z \mid x)$.
        count: how many draws.
        seed: same seed, same draws; a smaller count gives the first of them.
    """
    mu, spread = np.asarray(mean, np.float32), np.asarray(log_variance, np.float32)
    noise = vae.first_noises(count, len(mu), seed)
    return Samples(noise, mu + np.exp(0.5 * spread) * noise, seed)


def _shares(
    edges: Float[np.ndarray, " edge"],
    mean: Float[np.ndarray, " picture"],
    sigma: Float[np.ndarray, " picture"],
) -> Float[np.ndarray, "picture cell"]:
    """How much of each picture's Gaussian lies between two neighbouring edges, on one axis."""
    from scipy.special import ndtr

    return np.diff(ndtr((edges[None] - mean[:, None]) / np.maximum(sigma, 1e-9)[:, None]), axis=1)


def _middles(start: float, stop: float, steps: int) -> Float[np.ndarray, " step"]:
    """The middles of `steps` equal cells between two ends."""
    edges = np.linspace(start, stop, steps + 1)
    return ((edges[:-1] + edges[1:]) / 2).astype(np.float32)


def _check_extent(extent: Extent) -> None:
    left, right, bottom, top = extent
    if not np.isfinite(extent).all() or not (left < right and bottom < top):
        raise Refused(N_("The part of the plane to show has no area: its ends are not in order."))
