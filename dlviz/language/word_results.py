"""What queries on word vectors return: frozen arrays and words. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True)
class VectorTable:
    """Words with their vectors, as plain arrays: what a projection takes.

    Attributes
    ----------
    words
        One word a row.
    matrix
        Float32 vectors as they were learnt (not brought to length 1).
    counts
        How often each word was seen in training; empty where nobody knows.
    rows
        Row of each word in the vectors that the table was taken from, 0 for the most frequent word.
    """

    words: tuple[str, ...]
    matrix: Float[np.ndarray, "word dim"]
    counts: Int[np.ndarray, " word"]
    rows: Int[np.ndarray, " word"]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The words nearest to one word, the nearest first.

    Attributes
    ----------
    word
        As it stands in the vectors (the visitor may have written it with capitals).
    words
        Its neighbours.
    cosine
        Cosine with the word, from -1 to 1: what they are ranked by.
    euclidean
        Straight distance of the vectors as they were learnt. It also counts their lengths, which follow how
        often and how evenly a word is used.
    rows
        Row of each neighbour, 0 for the most frequent word.
    """

    word: str
    words: tuple[str, ...]
    cosine: Float[np.ndarray, " neighbour"]
    euclidean: Float[np.ndarray, " neighbour"]
    rows: Int[np.ndarray, " neighbour"]

    @property
    def distance(self) -> Float[np.ndarray, " neighbour"]:
        """Cosine distance, 1 - cosine, from 0 to 2."""
        return 1 - self.cosine


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane through three words, exactly, and other words as their shadows on it.

    Attributes
    ----------
    words
        a, b, c, then the candidates of the ranking.
    points
        Their places in the plane, a at the origin and b on the first axis.
    height
        How far each word is from the plane: 0 for a, b and c. A word that looks near in the picture and stands
        high above it is not near.
    target
        Place of b - a + c, the fourth corner of the parallelogram; it lies in the plane.
    """

    words: tuple[str, ...]
    points: Float[np.ndarray, "word 2"]
    height: Float[np.ndarray, " word"]
    target: Float[np.ndarray, " 2"]


@dataclass(frozen=True, slots=True)
class Analogy:
    """a is to b as c is to ...

    Attributes
    ----------
    question
        The three words a, b, c.
    words, cosine, rows
        The ranking: cosine with b - a + c, the question's own words left out.
    own
        Cosine of b - a + c with a, b and c themselves. One of them is often larger than the winner's: without
        leaving them out, the answer would be a word of the question.
    plane
        The picture of the parallelogram, with the first candidates.
    """

    question: tuple[str, str, str]
    words: tuple[str, ...]
    cosine: Float[np.ndarray, " candidate"]
    rows: Int[np.ndarray, " candidate"]
    own: Float[np.ndarray, " 3"]
    plane: Plane


@dataclass(frozen=True, slots=True)
class AxisPlacement:
    """Words on an axis between two poles.

    Attributes
    ----------
    negative, positive
        The words that make the poles.
    words, places
        Asked words and where they stand: cosine with the axis, negative towards the first pole.
    negative_places, positive_places
        Where the poles' own words stand.
    mean, spread
        Mean and standard deviation of the places of all words: the zero of an axis means nothing by itself.
    lowest, highest
        The words furthest out on either side among the frequent ones, the furthest first.
    lowest_places, highest_places
        Their places.
    """

    negative: tuple[str, ...]
    positive: tuple[str, ...]
    words: tuple[str, ...]
    places: Float[np.ndarray, " word"]
    negative_places: Float[np.ndarray, " negative"]
    positive_places: Float[np.ndarray, " positive"]
    mean: float
    spread: float
    lowest: tuple[str, ...]
    lowest_places: Float[np.ndarray, " low"]
    highest: tuple[str, ...]
    highest_places: Float[np.ndarray, " high"]

    @property
    def standard(self) -> Float[np.ndarray, " word"]:
        """Places as standard deviations from the mean of all words."""
        return (self.places - self.mean) / self.spread


@dataclass(frozen=True, slots=True)
class OddOneOut:
    """Which of a few words fits the others least.

    Attributes
    ----------
    words
        The words asked about.
    cosine
        Cosine of each with the mean of all of them.
    odd
        Position of the lowest.
    between
        Cosines of the words with each other.
    """

    words: tuple[str, ...]
    cosine: Float[np.ndarray, " word"]
    odd: int
    between: Float[np.ndarray, "word word"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Words in groups by direction.

    Attributes
    ----------
    words, rows
        The words that were grouped, and their rows in the vectors.
    labels
        Group of each word, 0 for the largest group.
    sizes
        Words a group.
    central
        The most central words of each group, the most central first.
    cohesion
        Mean cosine of the words of each group with its centre, from 0 to 1.
    """

    words: tuple[str, ...]
    rows: Int[np.ndarray, " word"]
    labels: Int[np.ndarray, " word"]
    sizes: Int[np.ndarray, " group"]
    central: tuple[tuple[str, ...], ...]
    cohesion: Float[np.ndarray, " group"]
