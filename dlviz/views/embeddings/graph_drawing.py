"""A graph as the components draw it: all of a small one, a sample of a large one, and a sentence about the rest."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from dlviz.graphs import drawn
from dlviz.ui.components.walk_stepper import Drawing
from dlviz.ui.language import _
from dlviz.views.embeddings.graph_scene import Scene


def drawing(scene: Scene, keep: Iterable[int] = ()) -> tuple[Drawing, drawn.DrawnPart]:
    """What is drawn of the scene's graph; the nodes in ``keep`` always are."""
    part = drawn.part(scene.graph, keep=keep)
    names = [scene.names[node] for node in part.nodes.tolist()]
    places = scene.layout.positions[part.nodes]
    graph = scene.graph
    return Drawing(part.nodes, places, names, part.edges, graph.directed, graph.weighted), part


def tell_what_is_left_out(part: drawn.DrawnPart) -> None:
    """Say so where only a part of the graph is drawn."""
    if part.hidden_nodes or part.hidden_edges:
        st.caption(
            _(
                "Too large to be drawn whole: the picture shows {nodes} nodes and {edges} edges, drawn at random, and "
                "leaves out {hidden_nodes} nodes and {hidden_edges} edges. All of them are walked on.",
                nodes=len(part.nodes),
                edges=len(part.edges),
                hidden_nodes=part.hidden_nodes,
                hidden_edges=part.hidden_edges,
            )
        )
