"""A graph and the picture of its vectors, linked: what is marked in one is marked in the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from dlviz.figures.palette import CLASSES
from dlviz.ui.components import component
from dlviz.ui.components.walk_stepper import Drawing
from dlviz.ui.language import _, current

HTML = """
<div class="twins" role="group">
  <div class="columns">
    <div><p class="title first"></p><canvas class="one" role="img"></canvas></div>
    <div><p class="title second"></p><canvas class="two" role="img"></canvas></div>
  </div>
  <div class="legend" role="group"></div>
  <p class="picked" aria-live="polite"></p>
  <button type="button" class="clear"></button>
  <p class="hint"></p>
</div>
"""

_twins = component("graph_twins", html=HTML, after=("graph_canvas",))


def graph_twins(
    key: str,
    drawing: Drawing,
    vectors: np.ndarray,
    *,
    group: np.ndarray,
    groups: Sequence[str],
    titles: tuple[str, str],
    chosen: int | None = None,
    near: Sequence[int] = (),
    on_node: Callable[[str], None] | None = None,
) -> None:
    """Show both pictures.

    Parameters
    ----------
    key
        ``<stem>_<name>``.
    drawing
        The graph as it is drawn.
    vectors
        Places ``shown 2`` of the same nodes in the picture of their vectors.
    group, groups
        Number of each drawn node's group (-1: none), and the groups' names in the visitor's language.
    titles
        Names of the two pictures.
    chosen, near
        The chosen node and the nodes with the nearest vectors, as nodes of the whole graph; those that are not
        drawn are left out.
    on_node
        Called with the name of a node that the visitor clicked.
    """
    place = {int(node): i for i, node in enumerate(drawing.nodes)}
    data = {
        "lang": current(),
        "words": {
            "picked": _("{count} nodes chosen ({groups}): {names}"),
            "clear": _("Let go of the selection"),
            "hint": _(
                "Point at a node: its neighbours in the graph get a ring in both pictures. Click it: its nearest "
                "vectors get a square. Draw a loop with the mouse to choose several."
            ),
        },
        "titles": titles,
        "places": np.round(drawing.places.astype(float), 4).ravel().tolist(),
        "vectors": np.round(vectors.astype(float), 4).ravel().tolist(),
        "names": list(drawing.names),
        "edges": drawing.edges.ravel().tolist(),
        "group": group.astype(int).tolist(),
        "groups": list(groups),
        "palette": list(CLASSES),
        "chosen": -1 if chosen is None else place.get(chosen, -1),
        "near": [place[node] for node in near if node in place],
    }

    def clicked() -> None:
        told = st.session_state[key].get("node") or {}
        if on_node is not None and isinstance(told.get("name"), str):
            on_node(told["name"])

    _twins(key=key, data=data, on_node_change=clicked)
