"""The graph that the page walks on: a classic, one made to order, or one of the visitor's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from dlviz.errors import Refused
from dlviz.graphs import graph_files, graph_samples, layout
from dlviz.graphs.results import Graph, Node2VecSettings, NodeLayout
from dlviz.i18n import N_
from dlviz.settings import settings
from dlviz.ui import compute, controls
from dlviz.ui.language import _, number, say
from dlviz.ui.snippet import Source
from dlviz.views.embeddings import own_files

KEY = "emb_graph"
OWN = "own"
P, Q = "emb_p", "emb_q"
BIASES = ("0.1", "0.25", "0.5", "1", "2", "4", "10")
_SAMPLES = ("from dlviz.graphs import graph_samples",)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A graph, its title in the visitor's language, how a notebook gets it, and the nodes' places."""

    graph: Graph
    title: str
    source: Source
    layout: NodeLayout
    names: tuple[str, ...]


def choose() -> Scene | None:
    """The widgets for the graph, and the graph; None where it could not be made."""
    titles = {
        "karate": _("Karate club"),
        "miserables": _("Les Misérables"),
        "florentine": _("Florentine families"),
        "blocks": _("blocks made to order"),
        "small_world": _("a small world made to order"),
        OWN: _("a file of your own"),
    }
    code = controls.choice(_("Graph"), titles, key=KEY, style="pills", wrap=True)
    try:
        found = _graph(code)
        title = titles[code]
        if found is None:
            found, title = _sample("karate"), titles["karate"]
        elif code == OWN:
            title = found[0].name or titles[OWN]
        graph, source = found
        places = compute.run(layout.layout, graph=graph, seed=0)
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
        return None
    _tell(graph)
    return Scene(graph, title, source, places, graph.names())


def _graph(code: str) -> tuple[Graph, Source] | None:
    if code == OWN:
        return _own()
    if code == "blocks":
        return _blocks()
    if code == "small_world":
        return _small_world()
    return _sample(code)


def _sample(code: str) -> tuple[Graph, Source]:
    graph = compute.run(graph_samples.sample, name=code)
    return graph, Source(f"graph_samples.sample({code!r})", _SAMPLES)


def _blocks() -> tuple[Graph, Source]:
    columns = st.columns(5)
    blocks = columns[0].number_input(_("Blocks"), 2, 12, 4, key="emb_blocks", bind="query-params")
    size = columns[1].number_input(
        _("Nodes a block"), 2, 1000, 25, 5, key="emb_block_size", bind="query-params"
    )
    inside = columns[2].number_input(
        _("Edge inside a block"), 0.0, 1.0, 0.3, 0.05, key="emb_inside", bind="query-params"
    )
    between = columns[3].number_input(
        _("Edge between blocks"), 0.0, 1.0, 0.01, 0.01, key="emb_between", bind="query-params"
    )
    seed = _seed(columns[4])
    sizes = (int(size),) * int(blocks)
    given = {"sizes": sizes, "inside": float(inside), "between": float(between), "seed": seed}
    return _made(graph_samples.stochastic_blocks, given)


def _small_world() -> tuple[Graph, Source]:
    columns = st.columns(4)
    nodes = columns[0].number_input(_("Nodes"), 5, 20_000, 60, 10, key="emb_ring", bind="query-params")
    near = columns[1].number_input(
        _("Neighbours each"), 2, 20, 4, 2, key="emb_ring_near", bind="query-params"
    )
    rewiring = columns[2].number_input(
        _("Share led elsewhere"), 0.0, 1.0, 0.08, 0.02, key="emb_rewiring", bind="query-params"
    )
    seed = _seed(columns[3])
    given = {"nodes": int(nodes), "neighbours": int(near), "rewiring": float(rewiring), "seed": seed}
    return _made(graph_samples.small_world, given)


def _seed(place: Any) -> int:
    return int(place.number_input(_("Seed"), 0, 9999, 0, key="emb_graph_seed", bind="query-params"))


def _made(maker: Any, given: dict[str, Any]) -> tuple[Graph, Source]:
    graph: Graph = compute.run(maker, **given)
    arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
    return graph, Source(f"graph_samples.{maker.__name__}({arguments})", _SAMPLES)


def _own() -> tuple[Graph, Source] | None:
    """The visitor's file as a graph; the file is kept, because its edges may be read with and without direction."""
    direction = controls.choice(
        _("Edges have a direction"),
        {"file": _("as the file says"), "no": _("no"), "yes": _("yes")},
        key="emb_directed",
        wrap=True,
    )
    arrows = {"file": None, "no": False, "yes": True}[direction]
    file = own_files.own(
        "emb_graph_file",
        label=_("Drop a graph here (at most {limit} MB)", limit=settings().max_upload_mb),
        note=_(
            "Formats: {formats}. An edge list has an edge a line: two names, and a weight if you like. At most {edges} "
            "edges. Your file stays in the server's memory for this visit only. Until there is one, the karate club is "
            "shown.",
            formats=graph_files.FORMATS,
            edges=graph_files.MAX_EDGES,
        ),
        read=_checked,
    )
    if file is None:
        return None
    name, data = file
    st.text(_("Your graph: {name}", name=name))
    graph = compute.run(graph_files.read, data=data, name=name, directed=arrows)
    said = "" if arrows is None else f", directed={arrows}"
    source = Source(
        f'graph_files.read(Path("your-graph.csv").read_bytes(){said})',
        ("from pathlib import Path", "from dlviz.graphs import graph_files"),
    )
    return graph, source


def _checked(files: own_files.Files) -> tuple[str, bytes]:
    """A file that can be read as a graph."""
    if len(files) != 1:
        raise Refused(N_("Drop one graph at a time."))
    name, data = files[0]
    compute.run(graph_files.read, data=data, name=own_files.shown(name), directed=None)
    return own_files.shown(name), data


def _tell(graph: Graph) -> None:
    count: dict[str, Any] = {"nodes": graph.nodes, "edges": graph.edges}
    kinds = {
        (False, False): _("{nodes} nodes, {edges} edges, undirected, without weights.", **count),
        (False, True): _("{nodes} nodes, {edges} edges, undirected, weighted.", **count),
        (True, False): _("{nodes} nodes, {edges} edges, directed, without weights.", **count),
        (True, True): _("{nodes} nodes, {edges} edges, directed, weighted.", **count),
    }
    st.caption(kinds[graph.directed, graph.weighted])
    for note in graph.notes:
        st.caption(say(note))


def node_of(scene: Scene, name: str) -> int | None:
    """The number of the node of that name."""
    try:
        return scene.names.index(name)
    except ValueError:
        return None


def noted(settings: Node2VecSettings) -> Source:
    """Settings as a notebook writes them."""
    return Source(repr(settings), ("from dlviz.graphs.results import Node2VecSettings",))


def biases(left: Any, right: Any) -> tuple[float, float]:
    """The sliders for p and q, which the sections share: codes stand in the link, labels in the visitor's language."""
    labels = {code: number(float(code)) for code in BIASES}
    with left:
        p = controls.choice(_("p: a small one turns back"), labels, key=P, default="1", style="slider")
    with right:
        q = controls.choice(_("q: a small one leads away"), labels, key=Q, default="0.5", style="slider")
    return float(p), float(q)
