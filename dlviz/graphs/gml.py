"""GML, the graph modelling language (Himsolt 1997): nested lists of keys and values.

Read here and not through networkx, whose reader took 37 s for 200,000 edges where this one takes about two,
and without recursion, so that no file can exhaust the stack.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from dlviz.errors import Refused
from dlviz.graphs.graph_build import RawGraph
from dlviz.i18n import N_

_TOKEN = re.compile(r'"[^"]*"|\[|\]|[^\s\[\]"]+|"|#[^\n]*')
_KEY = re.compile(r"[A-Za-z_]\w*$")
_DEEPEST = 32
_ABOUT_ITSELF = ("id", "label", "x", "y", "z")

Entries = dict[str, str]


def parse_gml(text: str) -> RawGraph:
    """Read a GML file.

    Raises
    ------
    Refused
        A bracket, a quotation mark, a key, or one of ``id``, ``source`` and ``target`` is missing.
    """
    raw = RawGraph()
    stack: list[tuple[str, Entries]] = [("", {})]
    key, place = "", 0
    seen = False
    for place, token in _tokens(text):
        if token == "]":
            if key or len(stack) == 1:
                raise _malformed(text, place)
            name, entries = stack.pop()
            seen = seen or name == "graph"
            if stack[-1][0] == "graph" and not _taken(raw, name, entries):
                raise _malformed(text, place)
        elif not key:
            if not _KEY.match(token):
                raise _malformed(text, place)
            key = token.lower()
        elif token == "[":
            if len(stack) > _DEEPEST:
                raise _malformed(text, place)
            stack.append((key, {}))
            key = ""
        else:
            _set(raw, stack, key, token)
            key = ""
    if len(stack) > 1 or key or not seen:
        raise _malformed(text, len(text))
    return raw


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    for found in _TOKEN.finditer(text):
        token = found.group()
        if token == '"':
            raise _malformed(text, found.start())
        if token[0] != "#":
            yield found.start(), token


def _set(raw: RawGraph, stack: list[tuple[str, Entries]], key: str, token: str) -> None:
    value = html.unescape(token[1:-1]) if token[0] == '"' else token
    stack[-1][1][key] = value
    if key == "directed" and stack[-1][0] == "graph":
        raw.directed = value == "1"


def _taken(raw: RawGraph, name: str, entries: Entries) -> bool:
    """Take a node or an edge of the graph in; False if it lacks what makes it one."""
    if name == "edge":
        if "source" not in entries or "target" not in entries:
            return False
        raw.edge(entries["source"], entries["target"], entries.get("weight", entries.get("value")))
    elif name == "node":
        if "id" not in entries:
            return False
        node = raw.node(entries["id"])
        raw.labels[node] = entries.get("label", "")
        for field, value in entries.items():
            if field not in _ABOUT_ITSELF:
                raw.describe(node, field, value)
    return True


def _malformed(text: str, place: int) -> Refused:
    return Refused(
        N_(
            "The GML file is malformed near line {line}: a bracket, a quotation mark or a key is missing there."
        ),
        line=text.count("\n", 0, place) + 1,
    )
