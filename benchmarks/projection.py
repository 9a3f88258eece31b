"""Projections: dlviz beside bare umap-learn and scikit-learn, in one run.

Run with ``python -m benchmarks.projection`` (options: ``--points 20000``, ``--dimensions 100``, ``--words 50000``, ``--seed 0``,
``--no-sklearn``). Measured:

- UMAP of the points as the page does it, in a worker process: seconds, events on the way, the longest silence;
  beside a bare ``umap.UMAP.fit_transform`` in the same process and at the same low priority. A small fit before
  leaves the compilation out of both.
- The same once more, stopped in the middle: milliseconds from the stop to the end of the process.
- t-SNE of a quarter of the points, beside scikit-learn's.
- The nearest neighbours of a word among many: median and longest of 50 queries, beside ``sklearn.neighbors``.
- How much the pictures keep of ten nearest neighbours, so that nobody is fast by being wrong.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors
from umap import UMAP

from dlviz import jobs
from dlviz.events import Frame, Result
from dlviz.foundations import near, projection
from dlviz.foundations.faithfulness import faithfulness
from dlviz.foundations.projection_results import Options
from dlviz.jobs.room import open_room


def cloud(points: int, dimensions: int, seed: int) -> np.ndarray:
    """Forty groups of unequal size and width."""
    draw = np.random.default_rng(seed)
    groups = draw.choice(40, points, p=draw.dirichlet(np.full(40, 2.0)))
    spread = draw.uniform(0.4, 1.2, 40)[groups, None]
    centres = draw.normal(size=(40, dimensions))
    return (centres[groups] + spread * draw.normal(size=(points, dimensions))).astype(np.float32)


def kept(matrix: np.ndarray, picture: np.ndarray) -> float:
    """Share of ten neighbours kept."""
    *_news, last = faithfulness(matrix, picture, metric="euclidean")
    return float(last.value.kept[last.value.counts == 10][0])


def call(matrix: np.ndarray, options: Options) -> jobs.Call:
    return jobs.Call("dlviz.foundations.projection:fit", {"matrix": matrix, "options": options})


def bare_umap(matrix: np.ndarray, seed: int) -> np.ndarray:
    return UMAP(n_neighbors=15, min_dist=0.1, random_state=seed, n_jobs=1).fit_transform(matrix)


def bare_tsne(matrix: np.ndarray, seed: int) -> np.ndarray:
    return TSNE(random_state=seed, init="pca", max_iter=750, n_jobs=1).fit_transform(matrix)


def bare(name: str, matrix: np.ndarray, seed: int) -> jobs.Call:
    return jobs.Call(f"benchmarks.projection:{name}", {"matrix": matrix, "seed": seed})


def timed(room: jobs.Room, work: jobs.Call) -> tuple[np.ndarray, float, int, float]:
    """The picture, seconds, events on the way, and the longest silence between two."""
    started = last = time.perf_counter()
    job = room.submit(work, visitor="benchmark", lane="process")
    events, silence, picture = 0, 0.0, np.zeros((0, 2))
    for event in job.events():
        now = time.perf_counter()
        silence, last, events = max(silence, now - last), now, events + 1
        if isinstance(event, Result):
            picture = getattr(event.value, "points", event.value)
    return picture, time.perf_counter() - started, events, silence


def stopped(room: jobs.Room, matrix: np.ndarray, options: Options, frames: int) -> float:
    """Milliseconds from a stop, after so many frames (0: while neighbours are looked for), to the job's end."""
    job = room.submit(call(matrix, options), visitor="benchmark", lane="process")
    seen = 0
    for event in job.events():
        seen += isinstance(event, Frame)
        if seen >= frames:
            break
    pressed = time.perf_counter()
    job.cancel()
    while not job._closed:
        time.sleep(0.001)
    return 1000 * (time.perf_counter() - pressed)


def umaps(matrix: np.ndarray, seed: int) -> None:
    room = open_room()
    options = Options("umap", metric="euclidean", seed=seed)
    timed(room, call(matrix[:500], options))
    timed(room, bare("bare_umap", matrix[:5000], seed))
    theirs, alone, _events, _silence = timed(room, bare("bare_umap", matrix, seed))
    mine, seconds, events, silence = timed(room, call(matrix, options))
    print(
        f"UMAP of {len(matrix):,} x {matrix.shape[1]}: dlviz {seconds:.1f} s ({events} events, longest silence {silence:.2f} s), "
        f"umap-learn alone {alone:.1f} s without news: {seconds / alone:.2f} x; neighbours kept {kept(matrix, mine):.3f} against "
        f"{kept(matrix, theirs):.3f}",
        flush=True,
    )
    for frames, moment in ((0, "while neighbours are looked for"), (3, "while points move")):
        print(f"  stopped {moment}: over in {stopped(room, matrix, options, frames):.0f} ms", flush=True)


def tsnes(matrix: np.ndarray, seed: int, sklearn: bool) -> None:
    room = open_room()
    mine, seconds, events, silence = timed(room, call(matrix, Options("tsne", metric="euclidean", seed=seed)))
    said = f"t-SNE of {len(matrix):,}: dlviz {seconds:.1f} s ({events} events, longest silence {silence:.2f} s), kept {kept(matrix, mine):.3f}"
    if sklearn:
        theirs, alone, _events, _silence = timed(room, bare("bare_tsne", matrix, seed))
        said += f"; scikit-learn {alone:.1f} s, {alone / seconds:.1f} x, kept {kept(matrix, theirs):.3f}"
    print(said, flush=True)


def queries(words: int, dimensions: int, seed: int) -> None:
    matrix = cloud(words, dimensions, seed)
    rows = np.random.default_rng(seed).integers(0, words, 50)
    brute = NearestNeighbors(n_neighbors=11, metric="cosine", algorithm="brute").fit(matrix)
    times: dict[str, list[float]] = {"dlviz": [], "scikit-learn": []}
    for row in rows.tolist():
        started = time.perf_counter()
        mine = near.nearest(matrix, row, count=10)
        middle = time.perf_counter()
        _distances, theirs = brute.kneighbors(matrix[[row]])
        times["dlviz"].append(middle - started)
        times["scikit-learn"].append(time.perf_counter() - middle)
        assert set(mine.rows.tolist()) == set(theirs[0].tolist()) - {row}
    said = [f"{name} {1000 * np.median(t):.1f} ms (longest {1000 * max(t):.1f})" for name, t in times.items()]
    print(f"Nearest of {words:,} x {dimensions}: {', '.join(said)} (at most 20)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--dimensions", type=int, default=100)
    parser.add_argument("--words", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-sklearn", action="store_true", help="leave out scikit-learn's t-SNE, which takes minutes"
    )
    options = parser.parse_args()
    queries(options.words, options.dimensions, options.seed)
    matrix = cloud(options.points, options.dimensions, options.seed)
    projection.warm()
    umaps(matrix, options.seed)
    tsnes(matrix[: options.points // 4], options.seed, not options.no_sklearn)


if __name__ == "__main__":
    main()
