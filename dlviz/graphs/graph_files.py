"""A visitor's file to a graph, or a clear refusal."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from dlviz.errors import Refused
from dlviz.graphs.edge_lists import parse_edge_list
from dlviz.graphs.gml import parse_gml
from dlviz.graphs.graph_build import MAX_EDGES, MAX_NODES, RawGraph, build
from dlviz.graphs.graph_markup import parse_markup
from dlviz.graphs.node_link import parse_node_link
from dlviz.graphs.results import Graph
from dlviz.i18n import N_
from dlviz.intake.texts import DETECTED

__all__ = ["EXTENSIONS", "FORMATS", "MAX_BYTES", "MAX_EDGES", "MAX_NODES", "read"]

FORMATS = "CSV, TSV, TXT, GML, GraphML, GEXF, JSON"
EXTENSIONS = ("csv", "tsv", "txt", "edges", "edgelist", "mtx", "gml", "graphml", "gexf", "xml", "json")
MAX_BYTES = 20 << 20

_MEGABYTE = 1 << 20
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DECLARED = re.compile(rb"<\?xml[^>]*encoding=[\"']([\w.-]+)")
_PARSERS: tuple[tuple[re.Pattern[str], Callable[[str], RawGraph]], ...] = (
    (re.compile(r"\s*<"), parse_markup),
    (re.compile(r"\s*[{\[]"), parse_node_link),
    (
        re.compile(r"(\s*#[^\n]*\n|\s*(creator|version|comment|directed)\s[^\n]*\n)*\s*graph\s*\[", re.I),
        parse_gml,
    ),
)
_OTHER_LANGUAGES = re.compile(r"\s*(strict\s+)?(di)?graph\b[^\n]*\{|\s*\*(vertices|network)", re.IGNORECASE)


def read(data: bytes, name: str = "", directed: bool | None = None) -> Graph:
    """Read a graph from the bytes of a file.

    The format is told from the content: GraphML and GEXF (XML), node-link JSON, GML, and else an edge list
    with one edge a line (CSV, TSV, white space; with or without a line of column names; with or without
    weights). Parallel edges are joined, and every such thing is told in the graph's notes.

    Parameters
    ----------
    data
        At most 20 MB, 200,000 nodes and 200,000 edges.
    name
        The file's name, only shown.
    directed
        Whether edges have a direction; None leaves it to the file, and to "no" where the file does not say.

    Returns
    -------
    Graph
        With sorted rows, positive finite weights, and no edge twice.

    Raises
    ------
    Refused
        With a message for the visitor. Nothing else is raised, whatever ``data`` holds.
    """
    if len(data) > MAX_BYTES:
        raise Refused(
            N_("The file takes {size} MB; a graph can take {limit} MB at most."),
            size=round(len(data) / _MEGABYTE, 1),
            limit=MAX_BYTES // _MEGABYTE,
        )
    text, encoding = _decoded(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise Refused(N_("The file is empty."))
    if _OTHER_LANGUAGES.match(text):
        raise Refused(N_("DOT and Pajek files are not read here. A graph can be {formats}."), formats=FORMATS)
    parser = next((parse for sign, parse in _PARSERS if sign.match(text)), parse_edge_list)
    raw = parser(text)
    if encoding:
        raw.note(DETECTED, encoding=encoding)
    return build(raw, _shown_name(name), directed)


def _decoded(data: bytes) -> tuple[str, str]:
    """The text, and the encoding if it had to be guessed."""
    binary = Refused(N_("The file holds binary data. A graph can be {formats}."), formats=FORMATS)
    declared = _DECLARED.match(data[:200])
    marked = next((encoding for mark, encoding in _BOMS.items() if data.startswith(mark)), "")
    try:
        text, guessed = data.decode(marked or "utf-8"), ""
    except UnicodeDecodeError:
        if marked:
            raise binary from None
        guessed = "" if declared else "cp1252"
        text = _decoded_as(data, declared[1].decode() if declared else guessed, binary)
    if "\0" in text:
        raise binary
    return text, guessed


def _decoded_as(data: bytes, encoding: str, refusal: Refused) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise refusal from None


def _shown_name(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:80]
