"""Node-link JSON, as networkx and D3 write it: a list of nodes and a list of links between them."""

from __future__ import annotations

import json
from typing import Any

from dlviz.errors import Refused
from dlviz.graphs.graph_build import RawGraph
from dlviz.i18n import N_

_ABOUT_ITSELF = ("id", "label", "name", "x", "y", "vx", "vy", "fx", "fy", "index")


def parse_node_link(text: str) -> RawGraph:
    """Read node-link JSON: ``{"nodes": [{"id": ...}], "links": [{"source": ..., "target": ...}]}``.

    The list of links may also be called ``edges``. Where nodes have no ``id``, links name them by their
    place or by their ``name``.

    Raises
    ------
    Refused
        The JSON is malformed, or is no list of nodes and links.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(
            N_("The JSON of the file is malformed at line {line}, column {column}."),
            line=error.lineno,
            column=error.colno,
        ) from None
    except (RecursionError, ValueError):  # nested without end, or a number of thousands of digits
        raise _no_node_link() from None
    if isinstance(content, dict) and isinstance(content.get("graph"), dict) and "nodes" in content["graph"]:
        content = content["graph"]
    if not isinstance(content, dict):
        raise _no_node_link()
    nodes, links = content.get("nodes", []), content.get("links", content.get("edges"))
    if not isinstance(nodes, list) or not isinstance(links, list):
        raise _no_node_link()
    raw = RawGraph(directed=content.get("directed") is True)
    keys = [_take_node(raw, place, node) for place, node in enumerate(nodes)]
    by_place = bool(keys) and not any(isinstance(node, dict) and "id" in node for node in nodes)
    for link in links:
        _take_link(raw, link, keys if by_place else [])
    return raw


def _take_node(raw: RawGraph, place: int, node: Any) -> str:
    if not isinstance(node, dict):
        raw.node(_key(node))
        return _key(node)
    key = _key(node.get("id", node.get("name", place)))
    number = raw.node(key)
    label = node.get("label", node.get("name"))
    if isinstance(label, str):
        raw.labels[number] = label
    for name, value in node.items():
        if name not in _ABOUT_ITSELF and isinstance(value, (str, int, float)):
            raw.describe(number, name, value)
    return key


def _take_link(raw: RawGraph, link: Any, places: list[str]) -> None:
    if not isinstance(link, dict) or "source" not in link or "target" not in link:
        raise _no_node_link()
    source, target = _end(link["source"], places), _end(link["target"], places)
    raw.edge(source, target, link.get("weight", link.get("value")))


def _end(value: Any, places: list[str]) -> str:
    if isinstance(value, dict):
        value = value.get("id", value.get("name"))
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(places):
        return places[value]
    return _key(value)


def _key(value: Any) -> str:
    # networkx writes a tuple as a list; anything else than these is no name of a node.
    if isinstance(value, (str, int, float, list)):
        return str(value)
    raise _no_node_link()


def _no_node_link() -> Refused:
    return Refused(
        N_(
            "The JSON is no graph: it should hold a list “nodes” and a list “links” of pairs “source” and “target”."
        )
    )
