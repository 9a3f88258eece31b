"""Edge lists: one edge a line, its two nodes and perhaps a weight, as tables and tools write them."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dlviz.errors import Refused
from dlviz.graphs.graph_build import RawGraph
from dlviz.i18n import N_

# "#" alone would take a network of hashtags for comments.
_COMMENT = re.compile(r"\s*(%|//|#\s|##|#$)")
_SOURCE = {"source", "src", "from", "node1", "node_1", "id_1", "id1", "origine"}
_TARGET = {"target", "dst", "to", "node2", "node_2", "id_2", "id2", "destination", "cible"}
_WEIGHT = {"weight", "weights", "w", "value", "poids", "count", "strength"}
_LONGEST_ROW = 64
_SAMPLE = 50
# What networkx writes behind an edge: {} or {'weight': 2.5}
_DICTIONARY = re.compile(r"\s*\{(?P<inside>[^{}]*)\}\s*$")
_DICTIONARY_WEIGHT = re.compile(r"['\"]weight['\"]\s*:\s*([^,}\s]+)")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column holds what; -1 for none."""

    source: int = 0
    target: int = 1
    weight: int = 2
    direction: int = -1


def parse_edge_list(text: str) -> RawGraph:
    """Read an edge list.

    The separator (tab, semicolon, comma, white space) is the first one that all of the first lines have.
    A first line of names (``source, target, weight``) may come in any order and among other columns, as
    Gephi writes them. Lines that begin with ``%``, ``//`` or ``#`` and a space are comments.

    Raises
    ------
    Refused
        A line has too few columns, or is no line of a table at all.
    """
    raw = RawGraph()
    numbered = _rows(text)
    first = list(itertools.islice(numbered, 2))
    if not first:
        return raw
    columns = _header(first[0][1])
    if columns is None:
        columns = _Columns()
        _take(raw, columns, *first[0], headless=True, header_like=_looks_like_header(first))
    widest = 0
    for line, row in itertools.chain(first[1:], numbered):
        _take(raw, columns, line, row)
        widest = max(widest, len(row))
    if columns == _Columns() and widest > 3:
        raw.note(
            N_(
                "Columns after the third were not read: without a first line of names, nothing says what they are."
            )
        )
    return raw


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of every line that is neither empty nor a comment."""
    lines = text.split("\n")
    said = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not _COMMENT.match(line)]
    if text.startswith("%%MatrixMarket"):
        said = said[1:]  # its first line gives the numbers of rows, columns and entries
    separator = _separator([line for _, line in said[:_SAMPLE]])
    for number, line in said:
        found = _DICTIONARY.search(line)
        if found:
            weight = _DICTIONARY_WEIGHT.search(found["inside"])
            line = line[: found.start()] + (f"{separator or ' '}{weight[1]}" if weight else "")
        yield number, _fields(number, line, separator)


def _separator(sample: list[str]) -> str | None:
    """The first separator that every line has; None is white space."""
    return next((mark for mark in "\t;," if sample and all(mark in line for line in sample)), None)


def _fields(number: int, line: str, separator: str | None) -> list[str]:
    if separator is None:
        fields = line.split()
    elif '"' in line:
        try:
            fields = next(csv.reader([line], delimiter=separator))
        except csv.Error:
            raise _no_edge(number) from None
    else:
        fields = line.split(separator)
    if len(fields) > _LONGEST_ROW:
        raise Refused(
            N_(
                "Line {line} has {count} columns. An edge list has one edge a line: two nodes and, if you like, "
                "a weight. A matrix must be turned into one first."
            ),
            line=number,
            count=len(fields),
        )
    return [field.strip() for field in fields]


def _header(row: list[str]) -> _Columns | None:
    """The columns by their names, if the row holds names."""
    names = [field.lstrip("# ").lower() for field in row]
    place = {
        role: next((n for n, name in enumerate(names) if name in known), -1)
        for role, known in (("source", _SOURCE), ("target", _TARGET), ("weight", _WEIGHT))
    }
    if place["source"] < 0 or place["target"] < 0:
        return None
    return _Columns(**place, direction=names.index("type") if "type" in names else -1)


def _looks_like_header(first: list[tuple[int, list[str]]]) -> bool:
    """Whether the first line's third column is a word where the second line has a number."""
    if len(first) < 2 or len(first[0][1]) < 3 or len(first[1][1]) < 3:
        return False
    return _number(first[0][1][2]) is None and _number(first[1][1][2]) is not None


def _number(field: str) -> float | None:
    try:
        return float(field.replace(",", "."))
    except ValueError:
        return None


def _take(
    raw: RawGraph,
    columns: _Columns,
    line: int,
    row: list[str],
    *,
    headless: bool = False,
    header_like: bool = False,
) -> None:
    """Take one line in; ``headless``: it is the first one, and holds no known column names."""
    if headless and header_like:
        raw.note(N_("The first line was read as column names."))
        return
    if len(row) <= max(columns.source, columns.target):
        if len(row) == 1 and row[0] and not headless and columns == _Columns():
            raw.node(row[0])
            return
        raise _no_edge(line)
    source, target = row[columns.source], row[columns.target]
    if not source or not target:
        raise _no_edge(line)
    if 0 <= columns.direction < len(row) and row[columns.direction].lower() == "directed":
        raw.directed = True
    weight = row[columns.weight] if 0 <= columns.weight < len(row) else ""
    # A comma in a number is a decimal comma: where the comma separates columns, none is left.
    raw.edge(source, target, weight.replace(",", "."))


def _no_edge(line: int) -> Refused:
    return Refused(
        N_("Line {line} is no edge: two nodes were expected, separated by a tab, comma, semicolon or space."),
        line=line,
    )
