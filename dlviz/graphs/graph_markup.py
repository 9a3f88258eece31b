"""GraphML and GEXF, read by events: no tree is built, and no entity is ever expanded.

A document type definition is refused outright: neither format needs one, and entities in it are how an XML
file of a few lines becomes gigabytes of memory ("billion laughs"), or reads files of the server.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from dlviz.errors import Refused
from dlviz.graphs.graph_build import RawGraph
from dlviz.i18n import N_

_DEEPEST = 64
_LONGEST_TEXT = 1000


def parse_markup(text: str) -> RawGraph:
    """Read a GraphML or GEXF file, told apart by the name of its first element.

    Raises
    ------
    Refused
        The XML is malformed, holds a document type definition, or is neither of the two formats.
    """
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _no_definitions
    parser.buffer_text = True
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise Refused(
            N_("The XML of the file is malformed at line {line}, column {column}."),
            line=error.lineno,
            column=error.offset + 1,
        ) from None
    return reader.raw


def _no_definitions(*_declaration: object) -> None:
    raise Refused(
        N_(
            "The file holds a document type definition (DOCTYPE), which is not read for safety's sake. Delete it."
        )
    )


def _need(attributes: dict[str, str], name: str, element: str) -> str:
    if name not in attributes:
        raise Refused(
            N_("An element “{element}” of the file lacks its “{attribute}”."), element=element, attribute=name
        )
    return attributes[name]


class _Reader:
    """What has been read so far, and where in the document the parser stands."""

    def __init__(self) -> None:
        self.raw = RawGraph()
        self._handlers: Any = None
        self._path: list[str] = []
        self._text: list[str] = []
        self._columns: dict[str, str] = {}
        self._weight_keys: set[str] = set()
        self._reading_nodes = False
        self._nodes: list[int] = []
        self._key = ""
        self._edge: list[str | None] = []
        self._odd_directions = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        name = tag.rpartition(":")[2]
        if not self._path and name not in ("graphml", "gexf"):
            raise Refused(N_("The file is XML, but neither GraphML nor GEXF."))
        self._path.append(name)
        if len(self._path) > _DEEPEST:
            raise Refused(N_("The elements of the file are nested too deeply for a graph."))
        self._text = []
        handler = getattr(self, f"_start_{name}", None)
        if handler is not None:
            handler(attributes)

    def characters(self, text: str) -> None:
        """Text inside an element."""
        if len(self._text) < _LONGEST_TEXT:
            self._text.append(text[:_LONGEST_TEXT])

    def end(self, _tag: str) -> None:
        """An element ends."""
        name = self._path.pop()
        if name == "node" and self._nodes:
            self._nodes.pop()
        elif name == "edge" and self._edge:
            source, target, weight = self._edge
            self.raw.edge(str(source), str(target), weight)
            self._edge = []
        elif name == "data":
            self._end_data()
        elif name == "NodeLabel" and self._nodes:  # yEd keeps the label inside its drawing
            self.raw.labels.setdefault(self._nodes[-1], "".join(self._text))
        elif name in ("graphml", "gexf") and self._odd_directions:
            self.raw.note(
                N_(
                    "Edges whose direction differs from the graph's: {count}. They were read like the others."
                ),
                count=self._odd_directions,
            )

    def _start_graph(self, attributes: dict[str, str]) -> None:
        kind = attributes.get("edgedefault", attributes.get("defaultedgetype", "undirected"))
        self.raw.directed = kind == "directed"

    def _start_key(self, attributes: dict[str, str]) -> None:
        """GraphML declares its columns as keys."""
        key, name = _need(attributes, "id", "key"), attributes.get("attr.name", "")
        if attributes.get("for") in ("node", "all", None) and name:
            self._columns[key] = name
        if attributes.get("for") in ("edge", "all", None) and name.lower() in ("weight", "value"):
            self._weight_keys.add(key)

    def _start_attributes(self, attributes: dict[str, str]) -> None:
        """GEXF declares its columns as attributes, of nodes or of edges."""
        self._reading_nodes = attributes.get("class") == "node"

    def _start_attribute(self, attributes: dict[str, str]) -> None:
        if self._reading_nodes:
            self._columns[_need(attributes, "id", "attribute")] = attributes.get("title", "")

    def _start_node(self, attributes: dict[str, str]) -> None:
        node = self.raw.node(_need(attributes, "id", "node"))
        self._nodes.append(node)
        if attributes.get("label"):
            self.raw.labels[node] = attributes["label"]

    def _start_edge(self, attributes: dict[str, str]) -> None:
        source, target = _need(attributes, "source", "edge"), _need(attributes, "target", "edge")
        own = attributes.get("directed") or {"directed": "true", "undirected": "false"}.get(
            attributes.get("type", "")
        )
        if own is not None and (own in ("true", "1")) != bool(self.raw.directed):
            self._odd_directions += 1
        self._edge = [source, target, attributes.get("weight")]

    def _start_data(self, attributes: dict[str, str]) -> None:
        self._key = attributes.get("key", "")

    def _end_data(self) -> None:
        """GraphML's value of a node or an edge."""
        value = "".join(self._text)
        if self._edge:
            if self._key in self._weight_keys:
                self._edge[2] = value
        elif self._nodes and self._key in self._columns:
            self._describe(self._columns[self._key], value)

    def _start_attvalue(self, attributes: dict[str, str]) -> None:
        """GEXF's value of a node."""
        column = self._columns.get(attributes.get("for", attributes.get("id", "")))
        if column and self._nodes and not self._edge:
            self._describe(column, attributes.get("value", ""))

    def _describe(self, column: str, value: str) -> None:
        if column.lower() in ("label", "name"):
            self.raw.labels.setdefault(self._nodes[-1], value)
        else:
            self.raw.describe(self._nodes[-1], column, value)
