"""How fast second-order walks are: dlviz, PecanPy and the node2vec package, in one run.

Run with ``python -m benchmarks.walks`` (options: ``--walks 10``, ``--length 80``, ``--edges 10000 100000
1000000``, ``--seed 0``). The peers need numpy 1, and so an environment of their own, which
``scripts/bench.sh`` makes from ``requirements-bench-walks.txt``. p = 0.5 and q = 2 throughout, so that nobody
may fall back on first-order walks.

Each program is timed from the graph in memory to the finished walks, its preparation included, compilation
left out: PecanPy compiles anew in every call, which is measured on a graph of 15 nodes and taken off.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
import tracemalloc

import numpy as np
from node2vec import Node2Vec
from pecanpy.pecanpy import PreComp, SparseOTF
from scipy.stats import chi2

from dlviz.graphs import fast_walks
from dlviz.graphs.graph_build import from_edges
from dlviz.graphs.graph_samples import sample, to_networkx
from dlviz.graphs.results import Graph
from dlviz.graphs.walks import second_order_chain

P, Q = 0.5, 2.0
PURE_PYTHON = 20_000
"""Edges up to which the node2vec package is waited for."""


def graph_of(nodes: int, edges: int, seed: int) -> Graph:
    """Random pairs of nodes, one end of them drawn with a preference, so that there are hubs."""
    draw = np.random.default_rng(seed)
    ends = np.stack(
        [draw.integers(0, nodes, 2 * edges), (nodes * draw.random(2 * edges) ** 2).astype(int)], 1
    )
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    ends = draw.permutation(ends)[:edges]
    return from_edges(ends, None, nodes, name="benchmark", labels=("",) * nodes)


def ours(graph: Graph, walks: int, length: int, seed: int) -> float:
    """Seconds of dlviz."""
    start = time.perf_counter()
    fast_walks.walk_all(graph, walks, length, P, Q, seed)
    return time.perf_counter() - start


def pecanpy_graph(kind: type, graph: Graph, seed: int, workers: int) -> SparseOTF | PreComp:
    """The graph as PecanPy holds it."""
    made = kind(p=P, q=Q, workers=workers, random_state=seed)
    made.set_node_ids([str(node) for node in range(graph.nodes)])
    made.indptr = graph.indptr.astype(np.uint32)
    made.indices = graph.indices.astype(np.uint32)
    made.data = graph.weights.astype(np.float32)
    return made


def pecanpy(kind: type, graph: Graph, walks: int, length: int, seed: int) -> float:
    """Seconds of PecanPy, less those of its compilation."""
    compiling = _pecanpy_seconds(kind, sample("florentine"), 1, 2, seed)
    return max(0.0, _pecanpy_seconds(kind, graph, walks, length, seed) - compiling)


def _pecanpy_seconds(kind: type, graph: Graph, walks: int, length: int, seed: int) -> float:
    made = pecanpy_graph(kind, graph, seed, os.cpu_count() or 1)
    start = time.perf_counter()
    made.simulate_walks(walks, length)
    return time.perf_counter() - start


def pure_python(graph: Graph, walks: int, length: int, seed: int) -> float:
    """Seconds of the node2vec package."""
    original = to_networkx(graph)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        Node2Vec(original, walk_length=length, num_walks=walks, p=P, q=Q, workers=1, quiet=True, seed=seed)
    return time.perf_counter() - start


def auxiliary_bytes(graph: Graph) -> int:
    """Memory that dlviz allocates to walk on a graph, beside the graph and a hundred walks."""
    tracemalloc.start()
    fast_walks.Walker(graph, 1, 80, P, Q).walk(0, 100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def fit(graph: Graph, walked: np.ndarray) -> float:
    """The chi-square test's p-value of transitions (t, v) -> x under the exact chain."""
    chain = second_order_chain(graph, P, Q)
    arcs = len(chain.source)
    codes = chain.source.astype(np.int64) * graph.nodes + chain.target
    t, v, x = (walked[:, k : walked.shape[1] - 2 + k].ravel().astype(np.int64) for k in range(3))
    first = np.searchsorted(codes, t * graph.nodes + v)
    second = np.searchsorted(codes, v * graph.nodes + x)
    state = np.repeat(np.arange(arcs), np.diff(chain.indptr))
    seen = np.bincount(
        np.searchsorted(state * arcs + chain.indices, first * arcs + second), minlength=len(state)
    )
    expected = np.bincount(first, minlength=arcs)[state] * chain.probability
    enough = expected >= 5
    statistic = ((seen - expected)[enough] ** 2 / expected[enough]).sum()
    return float(chi2.sf(statistic, enough.sum() - len(np.unique(state[enough]))))


def distributions(seed: int) -> str:
    """Both programs against the exact chain on a small graph."""
    club = sample("karate")
    mine = fit(club, fast_walks.walk_all(club, 500, 40, P, Q, seed).nodes)
    walks = pecanpy_graph(SparseOTF, club, seed, 1).simulate_walks(500, 40)
    theirs = fit(club, np.array([[int(node) for node in walk] for walk in walks]))
    return f"chi-square against the exact chain (karate club): dlviz p = {mine:.2f}, PecanPy p = {theirs:.2f}"


def row(graph: Graph, walks: int, length: int, seed: int) -> str:
    """One graph, all programs."""
    steps = walks * graph.nodes * length
    mine = ours(graph, walks, length, seed)
    said = [
        f"{graph.nodes:9,} nodes {graph.edges:9,} edges, {walks} x {length}: dlviz {mine:7.2f} s "
        f"({1e9 * mine / steps:4.0f} ns a step, {auxiliary_bytes(graph) / graph.edges:3.0f} B an edge)"
    ]
    for name, kind in (("PecanPy on the fly", SparseOTF), ("PecanPy tables", PreComp)):
        seconds = pecanpy(kind, graph, walks, length, seed)
        said.append(f"{name} {seconds:7.2f} s, {seconds / mine:5.1f} x")
    if graph.edges <= PURE_PYTHON:
        seconds = pure_python(graph, walks, length, seed)
        said.append(f"node2vec {seconds:7.2f} s, {seconds / mine:6.1f} x")
    return "; ".join(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--walks", type=int, default=10, help="walks a node, for the graph of the course")
    parser.add_argument("--length", type=int, default=80)
    parser.add_argument("--edges", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    fast_walks.warm()
    print(distributions(options.seed), flush=True)
    print("48,000 nodes and 84,000 edges:")
    print(
        row(graph_of(48_000, 84_000, options.seed), options.walks, options.length, options.seed), flush=True
    )
    print("Growth, one walk a node:")
    for edges in options.edges:
        print(row(graph_of(edges // 2, edges, options.seed), 1, options.length, options.seed), flush=True)


if __name__ == "__main__":
    main()
