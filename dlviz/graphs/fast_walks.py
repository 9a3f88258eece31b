r"""Many second-order walks, compiled (numba), in memory that grows with the edges only.

The paper's program prepares an alias table for every pair of an arc and its end: memory in proportion to
:math:`\sum_v d_v^2`, which a single hub makes unpayable. Here nothing is prepared but running sums of the
weights. A step proposes a neighbour by weight alone and accepts it with probability
:math:`\alpha / \alpha_{max}` (rejection sampling, as in KnightKing, Yang et al. 2019), and asks "is the
candidate a neighbour of the previous node?" by a binary search in a sorted row.

Two things keep it fast for any ``p`` and ``q``. The way back is one known candidate, so that a large ``1/p``
is set apart: the return is proposed with its own excess mass instead of raising the bar for all. And after
some rejections in a row, the step's weights are summed exactly; each try is independent of the others, so
that the distribution stays the exact one.

Every walk has a random stream of its own, made from the seed and the walk's number: the walks do not depend
on the number of threads. Threads are Python's, since the compiled code lets go of the interpreter lock:
numba's own pool must not be entered from two visitors at once on every platform.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from jaxtyping import Float, Int

from dlviz.events import Progress, Result, Work
from dlviz.graphs.results import Graph, Walks
from dlviz.graphs.walks import check_bias

CHUNK = 100_000
"""Steps walked between two events: 10 to 30 ms on one core."""

_TRIES = 24
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_TO_UNIT = 1.0 / 9007199254740992.0


@numba.njit(inline="always")
def _mixed(state):  # type: ignore[no-untyped-def]
    """SplitMix64's output function (Steele et al. 2014)."""
    state = (state ^ (state >> _S30)) * _MIX_1
    state = (state ^ (state >> _S27)) * _MIX_2
    return state ^ (state >> _S31)


@numba.njit(inline="always")
def _unit(state):  # type: ignore[no-untyped-def]
    """A number from 0 to below 1 with 53 random bits."""
    return float(_mixed(state) >> _S11) * _TO_UNIT


@numba.njit(inline="always")
def _has(indices, low, high, wanted):  # type: ignore[no-untyped-def]
    """Whether a sorted row holds a node."""
    while low < high:
        middle = (low + high) >> 1
        if indices[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(inline="always")
def _proposed(cumulative, low, high, number):  # type: ignore[no-untyped-def]
    """The first place in a row whose running sum exceeds ``number`` times the row's sum."""
    wanted = number * cumulative[high - 1]
    last = high - 1
    while low < last:
        middle = (low + last) >> 1
        if cumulative[middle] <= wanted:
            low = middle + 1
        else:
            last = middle
    return low


@numba.njit(inline="always")
def _adjacent(indptr, indices, directed, source, target):  # type: ignore[no-untyped-def]
    """Whether an edge leads from ``source`` to ``target``; in an undirected graph the shorter row is asked."""
    low, high = indptr[source], indptr[source + 1]
    wanted = target
    if not directed and indptr[target + 1] - indptr[target] < high - low:
        low, high = indptr[target], indptr[target + 1]
        wanted = source
    place = _has(indices, low, high, wanted)
    return place < high and indices[place] == wanted


@numba.njit(nogil=True, cache=True)
def _exact_step(indptr, indices, cumulative, unit_weights, directed, previous, current, p, q, number):  # type: ignore[no-untyped-def]
    """Sum the biased weights of all candidates and choose among them."""
    low, high = indptr[current], indptr[current + 1]
    total = 0.0
    for second in range(2):
        wanted = number * total
        running = 0.0
        for place in range(low, high):
            if unit_weights:
                weight = 1.0
            else:
                weight = cumulative[place] - (cumulative[place - 1] if place > low else 0.0)
            node = indices[place]
            if node == previous:
                weight /= p
            elif not _adjacent(indptr, indices, directed, previous, node):
                weight /= q
            running += weight
            if second == 1 and running > wanted:
                return place
        total = running
    return high - 1


@numba.njit(nogil=True, cache=True)
def _walk_many(indptr, indices, cumulative, unit_weights, directed, starts, numbers, p, q, seed, out):  # type: ignore[no-untyped-def]
    """Fill ``out`` with one walk a row; ``numbers`` are the walks' numbers, which their randomness hangs on."""
    length = out.shape[1]
    away = 1.0 / q
    ceiling = max(1.0, away)
    back = 1.0 / p
    first_order = p == 1.0 and q == 1.0
    for walk in range(len(starts)):
        state = _mixed(seed * _ODD + _mixed(np.uint64(numbers[walk]) + _ODD))
        current = starts[walk]
        previous = current
        out[walk, 0] = current
        for position in range(1, length):
            low, high = indptr[current], indptr[current + 1]
            if low == high:
                for rest in range(position, length):
                    out[walk, rest] = -1
                break
            place = low
            if high - low > 1:
                # The way back is set apart: its excess over the ceiling is mass of its own.
                excess = 0.0
                way_back = high
                if position > 1 and back > ceiling:
                    way_back = _has(indices, low, high, previous)
                    if way_back < high and indices[way_back] == previous:
                        if unit_weights:
                            weight, total = 1.0, float(high - low)
                        else:
                            weight = cumulative[way_back] - (
                                cumulative[way_back - 1] if way_back > low else 0.0
                            )
                            total = cumulative[high - 1]
                        excess = weight * (back - ceiling) / (weight * (back - ceiling) + total * ceiling)
                tries = 0
                while True:
                    state += _ODD
                    if excess > 0.0:
                        if _unit(state) < excess:
                            place = way_back
                            break
                        state += _ODD
                    if unit_weights:
                        place = low + int(_unit(state) * (high - low))
                    else:
                        place = _proposed(cumulative, low, high, _unit(state))
                    if position == 1 or first_order:
                        break
                    state += _ODD
                    bar = _unit(state) * ceiling
                    node = indices[place]
                    if node == previous:
                        if bar < back:
                            break
                    elif bar < min(1.0, away):
                        break
                    elif bar < max(1.0, away):
                        near = _adjacent(indptr, indices, directed, previous, node)
                        if bar < (1.0 if near else away):
                            break
                    tries += 1
                    if tries == _TRIES:
                        state += _ODD
                        place = _exact_step(
                            indptr,
                            indices,
                            cumulative,
                            unit_weights,
                            directed,
                            previous,
                            current,
                            p,
                            q,
                            _unit(state),
                        )
                        break
            previous = current
            current = indices[place]
            out[walk, position] = current


def _running_sums(graph: Graph) -> Float[np.ndarray, " arc"]:
    """Running sums of the weights within each row; a dummy where all weights are equal."""
    if _equal_weights(graph):
        return np.ones(1)
    total = np.cumsum(graph.weights)
    before = np.concatenate([[0.0], total])[graph.indptr[:-1]]
    return total - np.repeat(before, np.diff(graph.indptr))


def _equal_weights(graph: Graph) -> bool:
    return not len(graph.weights) or bool(np.all(graph.weights == graph.weights[0]))


class Walker:
    """Walks on one graph with one ``p``, ``q`` and seed; walk number ``w`` is always the same walk.

    Walk ``w`` of round ``w // nodes`` starts at the node that stands at place ``w % nodes`` of that round's
    random order, so that any stretch of walks is a fair mixture of starts.

    Parameters
    ----------
    graph
        Any graph. Nodes without a way out are walked from too: such a walk is one node long.
    walks_per_node, length
        As many walks start at each node, each of ``length`` nodes (fewer where a directed walk ends).
    p, q
        Return and in-out parameter, above 0.
    seed
        Of everything random.
    threads
        0 for one a core.
    """

    def __init__(
        self,
        graph: Graph,
        walks_per_node: int,
        length: int,
        p: float,
        q: float,
        seed: int = 0,
        threads: int = 0,
    ) -> None:
        check_bias(p, q)
        self.graph = graph
        self.length = length
        self.total = walks_per_node * graph.nodes
        self._p, self._q, self._seed = float(p), float(q), seed
        self._threads = threads or os.cpu_count() or 1
        self._equal = _equal_weights(graph)
        self._cumulative = _running_sums(graph)
        self._orders: dict[int, np.ndarray] = {}

    def walk(self, first: int, last: int) -> Int[np.ndarray, "walk place"]:
        """The walks with numbers ``first`` to ``last - 1``."""
        numbers = np.arange(first, last, dtype=np.int64)
        out = np.empty((last - first, self.length), np.int32)
        starts = self._starts(numbers)
        parts = np.array_split(np.arange(last - first), self._threads)
        spans = [(int(part[0]), int(part[-1]) + 1) for part in parts if len(part)]
        if len(spans) == 1:
            self._fill(starts, numbers, out)
        elif spans:
            with ThreadPoolExecutor(len(spans)) as pool:
                list(
                    pool.map(
                        lambda span: self._fill(*(a[span[0] : span[1]] for a in (starts, numbers, out))),
                        spans,
                    )
                )
        return out

    def _fill(self, starts: np.ndarray, numbers: np.ndarray, out: np.ndarray) -> None:
        graph = self.graph
        _walk_many(
            graph.indptr,
            graph.indices,
            self._cumulative,
            self._equal,
            graph.directed,
            starts,
            numbers,
            self._p,
            self._q,
            np.uint64(self._seed),
            out,
        )

    def _starts(self, numbers: np.ndarray) -> np.ndarray:
        rounds, places = np.divmod(numbers, self.graph.nodes)
        starts = np.empty(len(numbers), np.int32)
        for number in np.unique(rounds).tolist():
            chosen = rounds == number
            starts[chosen] = self._order(number)[places[chosen]]
        return starts

    def _order(self, number: int) -> np.ndarray:
        if number not in self._orders:
            self._orders = {
                number: np.random.default_rng((self._seed, number))
                .permutation(self.graph.nodes)
                .astype(np.int32)
            }
        return self._orders[number]


def walk_all(
    graph: Graph, walks_per_node: int, length: int, p: float, q: float, seed: int = 0, threads: int = 0
) -> Walks:
    """All walks at once; see :class:`Walker` for the arguments."""
    started = time.perf_counter()
    walker = Walker(graph, walks_per_node, length, p, q, seed, threads)
    nodes = walker.walk(0, walker.total)
    return Walks(nodes, walks_per_node, length, p, q, seed, time.perf_counter() - started)


def walk_live(
    graph: Graph, walks_per_node: int, length: int, p: float, q: float, seed: int = 0, threads: int = 0
) -> Work:
    """The same walks as :func:`walk_all`, with their progress: events of at most a few tens of milliseconds."""
    started = time.perf_counter()
    walker = Walker(graph, walks_per_node, length, p, q, seed, threads)
    nodes = np.empty((walker.total, length), np.int32)
    step = max(1, CHUNK // length)
    for first in range(0, walker.total, step):
        last = min(first + step, walker.total)
        nodes[first:last] = walker.walk(first, last)
        yield Progress(last, walker.total)
    yield Result(Walks(nodes, walks_per_node, length, p, q, seed, time.perf_counter() - started))


def warm() -> None:
    """Compile, or load what an earlier start has compiled, so that no visitor waits for it."""
    from dlviz.graphs.graph_samples import sample

    walk_all(sample("florentine"), 1, 4, 0.5, 2.0, threads=1)
