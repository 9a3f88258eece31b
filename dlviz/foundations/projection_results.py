"""What a projection is made from, asked with, and gives back: frozen arrays and words. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, UInt8

Method = Literal["pca", "umap", "tsne"]
Metric = Literal["cosine", "euclidean"]


@dataclass(frozen=True, slots=True)
class Column:
    """What is known about each point beside its vector.

    Attributes
    ----------
    name
        As the data's owner calls it.
    values
        One number a point (NaN where there is none); for a column of words, an index into ``categories``, -1
        where there is none.
    categories
        The different words of a column of words; empty for a column of numbers.
    """

    name: str
    values: Float[np.ndarray, " point"]
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points with many numbers each, of whatever kind: words, nodes of a graph, pictures.

    Attributes
    ----------
    title
        What they are, in the visitor's language.
    names
        One a point.
    matrix
        Float32 vectors as they were learnt.
    counts
        How often each was seen, or how important it is: whose names are written first. Empty where nobody
        knows; then earlier points count for more.
    ranked
        Whether the points stand in the order of how frequent they are, the most frequent first.
    columns
        What else is known about them.
    thumbnails
        A small picture of each point, or None.
    """

    title: str
    names: tuple[str, ...]
    matrix: Float[np.ndarray, "point dimension"]
    counts: Float[np.ndarray, " point"]
    ranked: bool = False
    columns: tuple[Column, ...] = ()
    thumbnails: UInt8[np.ndarray, "point height width 3"] | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Options:
    """All that decides a picture, settled before it is computed.

    Attributes
    ----------
    method, dimensions
        How, and to how many dimensions: 2 or 3.
    normalise
        Whether every vector is brought to length 1 first, so that only its direction counts.
    components
        Principal components to go through first (50 is usual); 0: all numbers as they are. PCA itself ignores it.
    metric
        How far two vectors are apart, for UMAP and t-SNE.
    neighbours, min_dist
        UMAP's: how many neighbours a point holds on to (itself counted), and how near they may come in the picture.
    perplexity
        t-SNE's: about how many neighbours a point holds on to.
    iterations
        Rounds of UMAP or t-SNE; 0: as many as the library takes (UMAP 500, or 200 beyond 10,000 points; t-SNE
        250 with exaggeration and 500 without).
    fitted
        Points that UMAP or t-SNE arrange at most, drawn at random; every other one is set among its nearest of
        these. 0: all.
    seed
        Of every draw. Same seed, same picture.
    """

    method: Method = "pca"
    dimensions: int = 2
    normalise: bool = False
    components: int = 0
    metric: Metric = "cosine"
    neighbours: int = 15
    min_dist: float = 0.1
    perplexity: float = 30.0
    iterations: int = 0
    fitted: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """A picture that is still moving.

    Attributes
    ----------
    points
        Where the arranged points stand now.
    rows
        Which points these are.
    round, rounds
        How far the work is.
    """

    points: Float[np.ndarray, "fitted axis"]
    rows: Int[np.ndarray, " fitted"]
    round: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Projection:
    """Points in two or three dimensions.

    Attributes
    ----------
    options
        What it was computed with; neighbours and perplexity as they fitted the number of points.
    points
        A place a point.
    fitted
        How many of them the method arranged itself; the others were set among their nearest of these.
    explained
        PCA: each axis's share of the variance. Empty otherwise: their axes mean nothing by themselves.
    loss
        t-SNE: the Kullback-Leibler divergence it ended at, in nats; NaN otherwise.
    """

    options: Options
    points: Float[np.ndarray, "point axis"]
    fitted: int
    explained: Float[np.ndarray, " axis"]
    loss: float = float("nan")


@dataclass(frozen=True, slots=True)
class Near:
    """The points nearest to one point, the nearest first.

    Attributes
    ----------
    rows
        Which ones.
    cosine
        Cosine of the two vectors, from -1 to 1.
    euclidean
        Straight distance.
    """

    rows: Int[np.ndarray, " neighbour"]
    cosine: Float[np.ndarray, " neighbour"]
    euclidean: Float[np.ndarray, " neighbour"]


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How much of the neighbourhoods a picture keeps.

    Attributes
    ----------
    counts
        Sizes k of a neighbourhood.
    trustworthiness
        For each k, from 0 to 1: whether the neighbours in the picture are near in the embedding too.
    kept
        For each k: the share of the k nearest of the embedding that are among the k nearest of the picture.
    chance
        What ``kept`` would be if the points stood anywhere: k / (n - 1).
    rows
        The points that were asked; all of them in small sets.
    kept_each
        ``kept`` of each of these points, for each k.
    points
        How many points there are in all.
    """

    counts: Int[np.ndarray, " size"]
    trustworthiness: Float[np.ndarray, " size"]
    kept: Float[np.ndarray, " size"]
    chance: Float[np.ndarray, " size"]
    rows: Int[np.ndarray, " asked"]
    kept_each: Float[np.ndarray, "asked size"]
    points: int


@dataclass(frozen=True, slots=True)
class Groups:
    """Points in groups by direction.

    Attributes
    ----------
    labels
        Group of each point, 0 for the largest one.
    central
        A point near each group's centre: it lends the group its name.
    sizes
        Points a group.
    """

    labels: Int[np.ndarray, " point"]
    central: Int[np.ndarray, " group"]
    sizes: Int[np.ndarray, " group"]
