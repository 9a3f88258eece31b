"""What colours the nodes: communities, degrees, roles, or a column of the file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dlviz.graphs import groups
from dlviz.graphs.results import Attribute, Graph
from dlviz.ui import compute, controls
from dlviz.ui.language import _, number
from dlviz.views.embeddings.graph_scene import Scene

SHOWN = 10
"""Groups with a colour of their own; the nodes of smaller ones share the last."""


QUICK = 30_000
"""Edges up to which communities are found in a few seconds; a larger graph begins with degrees."""


@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """Group of each node, -1 for none, and the groups' names in the visitor's language."""

    of_node: np.ndarray
    names: list[str]


def choose(scene: Scene, key: str = "emb_nodes_colour") -> Colouring:
    """The widget, and the colours."""
    graph = scene.graph
    offered = {"community": _("communities"), "degree": _("degree"), "role": _("roles")}
    offered |= {f"column-{i}": one.name for i, one in enumerate(graph.attributes)}
    default = "community" if graph.edges <= QUICK else "degree"
    code = controls.choice(_("Colours"), offered, key=key, default=default, wrap=True)
    if code.startswith("column-"):
        return of_attribute(graph.attributes[int(code.removeprefix("column-"))])
    return {"community": communities, "degree": _degrees, "role": _roles}[code](graph)


def communities(graph: Graph) -> Colouring:
    """Who belongs together, by the Louvain method."""
    found = compute.run(groups.communities, graph=graph, seed=0)
    names = [_("community {n}", n=i + 1) for i in range(found.count)]
    return _shortened(found.of_node, names)


def _degrees(graph: Graph) -> Colouring:
    found = compute.run(groups.degree_groups, graph=graph, count=5)
    degree = graph.degree()
    spans = [
        (int(degree[found.of_node == i].min()), int(degree[found.of_node == i].max()))
        for i in range(found.count)
    ]
    order = np.argsort([low for low, _high in spans], kind="stable")
    place = np.argsort(order)
    names = [
        _("degree {low}", low=low) if low == high else _("degree {low} to {high}", low=low, high=high)
        for low, high in (spans[i] for i in order)
    ]
    return Colouring(place[found.of_node], names)


def _roles(graph: Graph) -> Colouring:
    found = compute.run(groups.structural_roles, graph=graph, count=4, seed=0)
    return Colouring(found.of_node, [_("role {n}", n=i + 1) for i in range(found.count)])


def of_attribute(column: Attribute) -> Colouring:
    """A column of the file: its words, or its numbers in five groups of about the same size."""
    if column.kind == "category":
        return _shortened(column.values, list(column.words()))
    values = np.asarray(column.values, float)
    known = values[~np.isnan(values)]
    if not len(known):
        return Colouring(np.full(len(values), -1), [])
    borders = np.unique(np.quantile(known, np.arange(1, 5) / 5))
    group = np.searchsorted(borders, values, "left")
    used, dense = np.unique(group[~np.isnan(values)], return_inverse=True)
    of_node = np.full(len(values), -1)
    of_node[~np.isnan(values)] = dense
    names = [
        f"{number(float(known[dense == i].min()))} – {number(float(known[dense == i].max()))}"
        for i in range(len(used))
    ]
    return Colouring(of_node, names)


def _shortened(of_node: np.ndarray, names: list[str]) -> Colouring:
    """At most :data:`SHOWN` groups, the smallest ones together."""
    if len(names) <= SHOWN:
        return Colouring(of_node, names)
    sizes = np.bincount(of_node[of_node >= 0], minlength=len(names))
    order = np.argsort(-sizes, kind="stable")
    place = np.minimum(np.argsort(order), SHOWN - 1)
    shown = [names[i] for i in order[: SHOWN - 1]]
    return Colouring(np.where(of_node >= 0, place[of_node], -1), [*shown, _("all others")])
