r"""Questions about several words: analogies, axes of one's own, the odd one out, clusters.

All of them show what the texts say and not what is so: novels of the nineteenth century put *nurse* nearer to
*woman* than *doctor* because they tell of such nurses and doctors. Bolukbasi et al. (2016) and Caliskan et al.
(2017) measured the same on vectors from today's news and web.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.word_results import Analogy, AxisPlacement, Clusters, OddOneOut, Plane
from dlviz.language.word_vectors import Vector, WordVectors, nearest

# Words that the ends of an axis are looked for in: rare words lie far out by chance.
FREQUENT = 5000
MAX_CLUSTERED = 20_000
PLANE_WORDS = 5


def analogy(vectors: WordVectors, a: str, b: str, c: str, *, count: int = 10) -> Analogy:
    r"""a is to b as c is to ...: the words in the direction of $\hat b - \hat a + \hat c$ (3CosAdd).

    $$ \arg\max_{w \notin \{a, b, c\}} \cos(\hat w,\ \hat b - \hat a + \hat c) $$

    Mikolov, Yih, Zweig, *Linguistic regularities in continuous space word representations* (2013); the name
    and what it hides, a sum of three similarities, are from Levy, Goldberg, *Linguistic regularities in sparse
    and explicit word representations* (2014).

    Parameters
    ----------
    vectors
        The store.
    a, b, c
        *man*, *king*, *woman* asks for *queen*: king - man + woman.
    count
        How many candidates.

    Returns
    -------
    Analogy
        The ranking, and the plane of the parallelogram.

    Raises
    ------
    Refused
        A word is not known.
    """
    asked = vectors.rows((a, b, c))
    units = vectors.unit(asked)
    target = units[1] - units[0] + units[2]
    cosine = vectors.cosines(target)
    rows = nearest(cosine, count, without=asked.tolist())
    first, second, third = (vectors.words[row] for row in asked)
    return Analogy(
        (first, second, third),
        tuple(vectors.words[row] for row in rows),
        cosine[rows],
        rows,
        cosine[asked],
        _plane(vectors, asked, rows[:PLANE_WORDS]),
    )


def _plane(vectors: WordVectors, asked: Int[np.ndarray, " 3"], found: Int[np.ndarray, " found"]) -> Plane:
    """The plane through the unit vectors a, b and c; b - a + c lies in it, so that the parallelogram is exact."""
    rows = np.concatenate([asked, found])
    units = vectors.unit(rows)
    offsets = units - units[0]
    across = _direction(offsets[1])
    up = _direction(offsets[2] - (offsets[2] @ across) * across)
    points = np.stack([offsets @ across, offsets @ up], axis=1)
    height = np.linalg.norm(offsets - points @ np.stack([across, up]), axis=1)
    words = tuple(vectors.words[row] for row in rows)
    return Plane(words, points, height, points[1] + points[2])


def _direction(vector: Vector) -> Vector:
    """The vector at length 1, or zero where it is nothing but rounding (two of the words are the same)."""
    length = float(np.linalg.norm(vector))
    unit: Vector = vector / length if length > 1e-6 else np.zeros_like(vector)
    return unit


def semantic_axis(
    vectors: WordVectors, negative: Sequence[str], positive: Sequence[str], words: Sequence[str]
) -> AxisPlacement:
    r"""Words between two poles, each a few words long.

    $$ a = \frac{m_+ - m_-}{\lVert m_+ - m_- \rVert}, \qquad m_\pm = \text{mean of the pole's unit vectors},
       \qquad \text{place}(w) = \hat w \cdot a $$

    An, Kwak, Ahn, *SemAxis* (2018). The place says how much more a word is used like the words of one pole than
    like those of the other, in the texts that the vectors were learnt from: with *he* and *she* as poles and
    trades as words it shows who held them in these texts. It says nothing of who can.

    Raises
    ------
    Refused
        A pole is empty, both poles are the same, or a word is not known.
    """
    if not negative or not positive:
        raise Refused(N_("Each end of an axis needs at least one word."))
    low, high, asked = (vectors.rows(list(some)) for some in (negative, positive, words))
    axis = _direction(vectors.unit(high).mean(axis=0) - vectors.unit(low).mean(axis=0))
    if not axis.any():
        raise Refused(N_("Both ends of the axis are the same: there is nothing between them."))
    places = vectors.cosines(axis)
    poles = {*low.tolist(), *high.tolist()}
    frequent = places[:FREQUENT]
    ends = [
        nearest(sign * frequent, 10, without=[row for row in poles if row < len(frequent)])
        for sign in (-1, 1)
    ]
    named = [tuple(vectors.words[row] for row in rows) for rows in (low, high, asked, *ends)]
    return AxisPlacement(
        named[0],
        named[1],
        named[2],
        places[asked],
        places[low],
        places[high],
        float(places.mean()),
        float(places.std()),
        named[3],
        places[ends[0]],
        named[4],
        places[ends[1]],
    )


def odd_one_out(vectors: WordVectors, words: Sequence[str]) -> OddOneOut:
    r"""The word that is least like the mean of all of them: $\arg\min_i \hat w_i \cdot \hat m$.

    Raises
    ------
    Refused
        There are fewer than three different words, or one is not known.
    """
    rows = vectors.rows(list(dict.fromkeys(words)))
    rows = rows[np.sort(np.unique(rows, return_index=True)[1])]
    if len(rows) < 3:
        raise Refused(N_("Give at least three different words: of two, none is the odd one."))
    units = vectors.unit(rows)
    cosine = units @ _direction(units.mean(axis=0))
    named = tuple(vectors.words[row] for row in rows)
    return OddOneOut(named, cosine, int(cosine.argmin()), units @ units.T)


def clusters(
    vectors: WordVectors,
    *,
    groups: int = 12,
    words: Sequence[str] | None = None,
    limit: int = 5000,
    central: int = 10,
    seed: int = 0,
) -> Clusters:
    """Words in groups by direction: k-means (Lloyd 1982) on unit vectors.

    Parameters
    ----------
    vectors
        The store.
    groups
        How many groups.
    words
        What to group; None for the ``limit`` most frequent words.
    limit
        How many words at most, up to 20,000.
    central
        How many words to name for each group, those nearest to its centre.
    seed
        k-means starts from drawn centres and ends in one of many good partitions: another seed, another one.

    Raises
    ------
    Refused
        More groups than words, or a word is not known.
    """
    from sklearn.cluster import KMeans

    limit = min(limit, MAX_CLUSTERED)
    rows = np.arange(len(vectors))[:limit] if words is None else np.unique(vectors.rows(words[:limit]))
    units = vectors.unit(rows)
    if groups > len(rows):
        raise Refused(N_("{groups} groups cannot be made of {words} words."), groups=groups, words=len(rows))
    found = KMeans(groups, random_state=seed, n_init=4).fit(units)
    sizes = np.bincount(found.labels_, minlength=groups)
    order = np.argsort(-sizes, kind="stable")
    labels = np.argsort(order)[found.labels_]
    near = (units * _units(found.cluster_centers_)[found.labels_]).sum(axis=1)
    named = tuple(vectors.words[row] for row in rows)
    return Clusters(
        named,
        rows,
        labels,
        sizes[order],
        tuple(_most_central(named, near, labels == group, central) for group in range(groups)),
        np.array(
            [near[labels == group].mean() if (labels == group).any() else 0.0 for group in range(groups)]
        ),
    )


def _units(centres: Float[np.ndarray, "group dim"]) -> Float[np.ndarray, "group dim"]:
    lengths = np.linalg.norm(centres, axis=1, keepdims=True)
    return centres / np.maximum(lengths, np.finfo(np.float32).tiny)


def _most_central(
    words: tuple[str, ...],
    near: Float[np.ndarray, " word"],
    inside: np.ndarray,
    count: int,
) -> tuple[str, ...]:
    members = np.flatnonzero(inside)
    return tuple(words[row] for row in members[np.argsort(-near[members], kind="stable")][:count])
