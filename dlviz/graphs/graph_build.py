"""From what a file says to a :class:`~dlviz.graphs.results.Graph`: checked, joined, sorted, with notes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from dlviz.errors import Refused
from dlviz.graphs.results import Attribute, Graph, Note
from dlviz.i18n import N_

MAX_EDGES = 200_000
MAX_NODES = 200_000
MAX_LINES = 2 * MAX_EDGES
"""Edges as a file gives them: some list an undirected edge in both directions."""

MAX_ATTRIBUTES = 12
MAX_CATEGORIES = 50
"""A column of words with more different ones is no good as a colour."""

_LONGEST_NAME = 80


@dataclass(slots=True)
class RawGraph:
    """A graph as a file gives it, filled in while the file is read.

    Every number is checked as it comes, so that a file that is too large or wrong is refused at once.
    """

    directed: bool | None = None
    weighted: bool = False
    index: dict[str, int] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)
    columns: dict[str, dict[int, object]] = field(default_factory=dict)
    sources: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def node(self, key: str) -> int:
        """The number of a node, a new one if it has not been met."""
        number = self.index.setdefault(key, len(self.index))
        if number >= MAX_NODES:
            raise Refused(
                N_("The graph has more than {limit} nodes, the most that is read."), limit=MAX_NODES
            )
        return number

    def edge(self, source: str, target: str, weight: object = None) -> None:
        """Take one edge in; a missing weight is 1."""
        if len(self.sources) >= MAX_LINES:
            raise _too_many_edges()
        self.sources.append(self.node(source))
        self.targets.append(self.node(target))
        if weight is None or weight == "":
            self.weights.append(1.0)
        else:
            self.weighted = True
            self.weights.append(_checked_weight(source, target, weight))

    def describe(self, node: int, column: str, value: object) -> None:
        """Take one attribute of a node in."""
        if column in self.columns or len(self.columns) < MAX_ATTRIBUTES:
            self.columns.setdefault(column, {})[node] = value

    def note(self, message: str, **values: str | int | float) -> None:
        """Remember something that the visitor should know."""
        self.notes.append(Note(message, tuple(values.items())))


def _too_many_edges() -> Refused:
    return Refused(N_("The graph has more than {limit} edges, the most that is read."), limit=MAX_EDGES)


def _checked_weight(source: str, target: str, weight: object) -> float:
    try:
        number = float(weight)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if number >= 0 and number != math.inf:
        return number
    shown = {"source": _shown(source), "target": _shown(target), "weight": _shown(str(weight))}
    if number < 0:
        raise Refused(
            N_(
                "The edge from {source} to {target} has the weight {weight}: a walk chooses edges in proportion "
                "to their weights, so they cannot be negative."
            ),
            **shown,
        )
    raise Refused(
        N_("The edge from {source} to {target} has the weight “{weight}”, which is not a finite number."),
        **shown,
    )


def build(raw: RawGraph, name: str, directed: bool | None = None) -> Graph:
    """Join parallel edges, drop those of weight 0, and sort the rows.

    Parameters
    ----------
    raw
        What the file gave.
    name
        Of the graph, as it may be shown.
    directed
        Whether edges have a direction; None leaves it to the file, and to "no" where the file does not say.

    Raises
    ------
    Refused
        There is no edge, or there are too many.
    """
    arrows = bool(raw.directed if directed is None else directed)
    ends = np.array([raw.sources, raw.targets], np.int64)
    weights = np.array(raw.weights, float)
    kept = weights > 0
    if not kept.all():
        raw.note(
            N_("Edges of weight zero: {count}. They were left out, because no walk takes them."),
            count=int((~kept).sum()),
        )
        ends, weights = ends[:, kept], weights[kept]
    if not len(weights):
        raise Refused(N_("The graph has no edge, so there is nothing to walk along."))
    ends, weights = _joined(raw, ends, weights, arrows)
    graph = from_edges(
        ends.T,
        weights,
        len(raw.index),
        name=name,
        labels=_labels(raw),
        directed=arrows,
        weighted=raw.weighted,
    )
    return _finished(graph, raw)


def _joined(
    raw: RawGraph, ends: np.ndarray, weights: np.ndarray, arrows: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Each edge once; weights of parallel edges are summed if the file gives any."""
    if not arrows:
        ends = np.sort(ends, axis=0)
    total = len(raw.index)
    keys, place = np.unique(ends[0] * total + ends[1], return_inverse=True)
    if len(keys) > MAX_EDGES:
        raise _too_many_edges()
    repeated = len(weights) - len(keys)
    if repeated and raw.weighted:
        raw.note(
            N_("Edges given more than once: {count}. Each was joined into one, with the sum of the weights."),
            count=repeated,
        )
    elif repeated:
        raw.note(N_("Edges given more than once: {count}. Each counts once."), count=repeated)
    summed = np.bincount(place, weights) if raw.weighted else np.ones(len(keys))
    return np.stack(np.divmod(keys, total)), summed


def from_edges(
    edges: np.ndarray,
    weights: np.ndarray | None,
    nodes: int,
    *,
    name: str,
    labels: tuple[str, ...],
    directed: bool = False,
    weighted: bool = False,
    attributes: tuple[Attribute, ...] = (),
    notes: tuple[Note, ...] = (),
) -> Graph:
    """A graph from pairs of nodes, each edge given once; weights default to 1."""
    source, target = edges[:, 0].astype(np.int64), edges[:, 1].astype(np.int64)
    given = np.ones(len(source)) if weights is None else np.asarray(weights, float)
    if not directed:
        other = source != target
        source, target, given = (
            np.concatenate([source, target[other]]),
            np.concatenate([target, source[other]]),
            np.concatenate([given, given[other]]),
        )
    order = np.argsort(source * nodes + target, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=nodes))])
    return Graph(
        name,
        "\n".join(labels),
        indptr.astype(np.int64),
        target[order].astype(np.int32),
        given[order],
        directed,
        weighted,
        attributes,
        notes,
    )


def _finished(graph: Graph, raw: RawGraph) -> Graph:
    """The graph with its columns and the notes that need the rows."""
    loops, alone = graph.self_loops(), len(graph.isolated())
    if loops:
        raw.note(
            N_("Edges from a node to itself: {count}. They are kept: a walk that takes one stays in place."),
            count=loops,
        )
    if alone:
        raw.note(
            N_(
                "Nodes without any edge to another node: {count}. They are shown, but no walk teaches their "
                "vectors anything."
            ),
            count=alone,
        )
    return Graph(
        graph.name,
        graph.labels,
        graph.indptr,
        graph.indices,
        graph.weights,
        graph.directed,
        graph.weighted,
        _attributes(raw),
        tuple(raw.notes),
    )


def _labels(raw: RawGraph) -> tuple[str, ...]:
    """A name for every node: its label, with its key beside it where several nodes have the same one."""
    keys = [_shown(key) for key in raw.index]
    chosen = [_shown(raw.labels.get(number, "")) or key for number, key in enumerate(keys)]
    seen = Counter(chosen)
    return tuple(
        label if seen[label] == 1 or label == key else f"{label} ({key})"
        for label, key in zip(chosen, keys, strict=True)
    )


def _shown(text: str) -> str:
    """``text`` on one line, without control characters, and not too long."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * _LONGEST_NAME]).strip()
    return kept if len(kept) <= _LONGEST_NAME else kept[: _LONGEST_NAME - 1] + "…"


def _attributes(raw: RawGraph) -> tuple[Attribute, ...]:
    columns = (_attribute(name, values, len(raw.index)) for name, values in raw.columns.items())
    return tuple(column for column in columns if column is not None)


def _attribute(name: str, values: dict[int, object], nodes: int) -> Attribute | None:
    """A column of numbers if all its values are numbers, else of words; None if it says nothing."""
    numbers = np.full(nodes, np.nan)
    try:
        for node, value in values.items():
            numbers[node] = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return _category(name, values, nodes)
    if not np.isfinite(numbers).any():
        return None
    return Attribute(_shown(name), "number", np.where(np.isfinite(numbers), numbers, np.nan))


def _category(name: str, values: dict[int, object], nodes: int) -> Attribute | None:
    words = {node: _shown(str(value)) for node, value in values.items()}
    different = sorted(set(words.values()) - {""})
    if not 1 < len(different) <= MAX_CATEGORIES:
        return None
    place = {word: number for number, word in enumerate(different)}
    codes = np.full(nodes, -1, np.int32)
    for node, word in words.items():
        codes[node] = place.get(word, -1)
    return Attribute(_shown(name), "category", codes, "\n".join(different))
