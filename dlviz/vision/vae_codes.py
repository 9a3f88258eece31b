"""What can be done with codes: ways between them, sums and differences, one dimension at a time, maps of all."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from jaxtyping import Float

from dlviz.errors import Refused
from dlviz.events import Progress, Result, Work
from dlviz.foundations import projection
from dlviz.foundations.projection_results import Options
from dlviz.i18n import N_
from dlviz.vision import vae
from dlviz.vision.vae_network import SIDE, ConvVAE
from dlviz.vision.vae_results import (
    Arithmetic,
    ClassMeans,
    Codes,
    Dimensions,
    Picture,
    Projection,
    Strip,
    TrainedVAE,
    Traversals,
    Way,
)

ACTIVE = 0.01
"""Variance of a code's mean over the data below which its dimension counts as inactive."""

_MOST_PICTURES = 1024


def interpolate(
    network: ConvVAE | TrainedVAE,
    first: Picture,
    second: Picture,
    *,
    way: Way = "straight",
    steps: int = 11,
) -> Strip:
    r"""The pictures on the way from one picture to another.

    `straight` walks on the line between the two codes, $(1-t)\,z_1 + t\,z_2$. `spherical` turns from one direction
    to the other while the length changes evenly (`slerp`): in many dimensions the codes of a Gaussian lie near a sphere,
    and the straight line cuts through its empty inside. `pixels` mixes the two pictures themselves, which gives double
    exposures and shows what the latent space is for; nothing is decoded.

    Args:
        network: the autoencoder, or one that was trained live.
        first, second: bytes, white ink on black.
        way: `"straight"`, `"spherical"` or `"pixels"`.
        steps: pictures on the strip, both ends included.

    Raises:
        Refused: the strip would have fewer than 2 or too many pictures.
    """
    if not 2 <= steps <= _MOST_PICTURES:
        raise Refused(N_("A strip can have {least} to {most} pictures."), least=2, most=_MOST_PICTURES)
    model = vae.as_network(network)
    at = np.linspace(0, 1, steps, dtype=np.float32)
    if way == "pixels":
        ends = [one.astype(np.float32) for one in (first, second)]
        mixed = (1 - at)[:, None, None] * ends[0] + at[:, None, None] * ends[1]
        return Strip(way, at, None, np.rint(mixed).astype(np.uint8))
    start, stop = (vae.encode(model, one).mean for one in (first, second))
    codes = slerp(start, stop, at) if way == "spherical" else _line(start, stop, at)
    return Strip(way, at, codes, vae.decode(model, codes).pixels)


def slerp(
    start: Float[np.ndarray, " latent"], stop: Float[np.ndarray, " latent"], at: Float[np.ndarray, " step"]
) -> Float[np.ndarray, "step latent"]:
    r"""Turn from one direction to another at an even pace, while the length changes evenly.

    $$ \frac{\sin((1-t)\theta)}{\sin\theta}\,u_1 + \frac{\sin(t\theta)}{\sin\theta}\,u_2 $$

    for unit vectors $u_1, u_2$ at the angle $\theta$ (Shoemake 1985; White, *Sampling Generative Networks*, 2016).
    Directions that are equal, or opposite, or missing have no single arc between them: the line is taken.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(stop)
    if min(lengths) < 1e-6:
        return _line(start, stop, at)
    units = start / lengths[0], stop / lengths[1]
    angle = math.acos(float(np.clip(units[0] @ units[1], -1, 1)))
    if math.sin(angle) < 1e-4:
        return _line(start, stop, at)
    weights = np.sin((1 - at) * angle) / math.sin(angle), np.sin(at * angle) / math.sin(angle)
    direction = weights[0][:, None] * units[0] + weights[1][:, None] * units[1]
    length = (1 - at) * lengths[0] + at * lengths[1]
    return (length[:, None] * direction).astype(np.float32)


def class_means(codes: Codes) -> ClassMeans:
    """The mean code of each class, over the stored test pictures; pictures without a label are left out.

    Args:
        codes: of the test pictures.
    """
    labels, counts = np.unique(codes.label[codes.label >= 0], return_counts=True)
    means = [codes.mean[codes.label == label].mean(axis=0) for label in labels]
    shape = (len(labels), codes.mean.shape[1])
    return ClassMeans(labels, np.array(means, np.float32).reshape(shape), counts)


def arithmetic(
    network: ConvVAE | TrainedVAE, *, a: vae.Numbers, b: vae.Numbers, c: vae.Numbers
) -> Arithmetic:
    """$a - b + c$ of three codes, and the four pictures.

    The difference $a - b$ is a direction; added to $c$ it should do to $c$ what it takes to come from $b$ to $a$. It
    does so where the decoder is nearly straight, and the pictures show how far that holds.

    Args:
        network: the autoencoder, or one that was trained live.
        a, b, c: codes, of class means or of own pictures.
    """
    terms = [np.asarray(one, np.float32) for one in (a, b, c)]
    decoded = vae.decode(network, np.stack([*terms, terms[0] - terms[1] + terms[2]]))
    return Arithmetic(decoded.codes, decoded.pixels)


def dimensions(codes: Codes) -> Dimensions:
    r"""The dimensions by how much they say about a picture.

    A dimension is active where the mean of its code moves with the picture,
    $\mathrm{Var}_x\bigl(\mathbb E_{q(z_j\mid x)}[z_j]\bigr) > 0.01$ (Burda, Grosse, Salakhutdinov, *Importance Weighted
    Autoencoders*, ICLR 2016, section 5.2). The others stay at the prior, where they cost no KL and carry nothing.

    Args:
        codes: of the test pictures. Those of a plain autoencoder have no KL, and are ordered by their spread.
    """
    spread = codes.mean.astype(np.float64).var(axis=0, ddof=1)
    kl = np.zeros_like(spread)
    if codes.log_variance is not None:
        mean, log_variance = codes.mean.astype(np.float64), codes.log_variance.astype(np.float64)
        kl = (0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1)).mean(axis=0)
    order = np.argsort(-(kl if codes.log_variance is not None else spread), kind="stable")
    return Dimensions(kl.astype(np.float32), spread.astype(np.float32), spread > ACTIVE, order)


def traversals(
    network: ConvVAE | TrainedVAE, *, start: vae.Numbers, dimensions: vae.Numbers, values: vae.Numbers
) -> Traversals:
    """A row of pictures for each dimension, in which it alone takes the given values.

    Args:
        network: the autoencoder, or one that was trained live.
        start: the code that the other dimensions keep.
        dimensions: which ones to move, a row each, counted from 0.
        values: what each of them takes, a column each, usually from -3 to 3: the prior's standard deviation is 1.

    Raises:
        Refused: there is no such dimension, or the grid is too large.
    """
    model = vae.as_network(network)
    code = vae.checked_codes(model, start)[0]
    rows, columns = np.asarray(dimensions, np.int64), np.asarray(values, np.float32)
    if rows.min(initial=0) < 0 or rows.max(initial=0) >= model.latent:
        raise Refused(N_("This model has {count} latent dimensions, counted from 0."), count=model.latent)
    if len(rows) * len(columns) > _MOST_PICTURES:
        raise Refused(N_("A grid can have at most {most} pictures."), most=_MOST_PICTURES)
    codes = np.tile(code, (len(rows), len(columns), 1))
    for i, dimension in enumerate(rows):
        codes[i, :, dimension] = columns
    pixels = vae.decode(model, codes.reshape(-1, model.latent)).pixels
    return Traversals(code, rows, columns, pixels.reshape(len(rows), len(columns), SIDE, SIDE))


def pca(codes: Codes, *, extra: vae.Numbers | None = None) -> Projection:
    r"""The codes on their two axes of largest variance, by the singular value decomposition $Z - \bar z = U S V^\top$.

    Args:
        codes: of the test pictures; they alone decide the axes.
        extra: further codes `(picture, latent)`, brought to the same axes and put last in `points`.
    """
    mean = codes.mean.astype(np.float64)
    centre = mean.mean(axis=0)
    _u, singular, axes = np.linalg.svd(mean - centre, full_matrices=False)
    # An axis may point either way: its largest entry is made positive, so that the picture never flips.
    first = axes[:2] * np.sign(axes[:2, np.abs(axes[:2]).argmax(axis=1)].diagonal())[:, None]
    rows = mean if extra is None else np.concatenate([mean, np.atleast_2d(np.asarray(extra, np.float64))])
    explained = (singular**2 / max(float((singular**2).sum()), 1e-12))[:2]
    return Projection("pca", ((rows - centre) @ first.T).astype(np.float32), explained.astype(np.float32), 0)


def fit_umap(
    means: Float[np.ndarray, "picture latent"], *, neighbours: int = 15, min_dist: float = 0.1, seed: int = 0
) -> Work:
    """The codes in two dimensions so that neighbours stay neighbours (McInnes, Healy, Melville, *UMAP*, 2018).

    Distances between clusters and their sizes mean little on this map. It cannot stop half-way everywhere, so
    that a page runs it in the process lane. The steps are those of `dlviz.foundations.projection.umap`.

    Args:
        means: codes of the test pictures.
        neighbours: how many of them each code holds on to: few show fine threads, many the whole.
        min_dist: how close two points may come.
        seed: same seed, same map.

    Yields:
        `Progress`, and a `Result` with the `Projection`.

    Raises:
        Refused: there are fewer codes than neighbours.
    """
    if len(means) <= neighbours:
        raise Refused(N_("UMAP needs more codes than neighbours; there are {count}."), count=len(means))
    options = Options("umap", metric="euclidean", neighbours=neighbours, min_dist=min_dist, seed=seed)
    for event in projection.fit(means, options=options):
        if isinstance(event, Progress):
            yield event
        elif isinstance(event, Result):
            found = cast(projection.Projection, event.value)
            yield Result(Projection("umap", found.points, np.zeros(0, np.float32), seed))


def place_beside(
    codes: Codes, projection: Projection, *, mean: vae.Numbers, neighbours: int = 15
) -> Float[np.ndarray, " 2"]:
    """Where a further code belongs on a map that has no formula: among its nearest neighbours, nearer ones first.

    The weights fall with the distance in units of the farthest neighbour's. This is an estimate: on a fitted UMAP
    nothing new can be placed exactly without fitting it again.

    Args:
        codes: of the test pictures.
        projection: their map, one point each, in the same order.
        mean: the code to place.
        neighbours: how many to ask.
    """
    distance = np.linalg.norm(codes.mean - np.asarray(mean, np.float32), axis=1)
    nearest = np.argsort(distance, kind="stable")[:neighbours]
    weights = np.exp(-distance[nearest] / max(float(distance[nearest].max(initial=0)), 1e-12) * 4)
    return (weights @ projection.points[nearest] / weights.sum()).astype(np.float32)


def _line(
    start: Float[np.ndarray, " latent"], stop: Float[np.ndarray, " latent"], at: Float[np.ndarray, " step"]
) -> Float[np.ndarray, "step latent"]:
    return (1 - at)[:, None] * start + at[:, None] * stop
