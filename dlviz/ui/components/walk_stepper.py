"""One biased walk on a graph, step by step: candidates, weights, the number drawn, and where it led."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import streamlit as st

from dlviz.figures.palette import CATEGORICAL, SEQUENTIAL
from dlviz.ui.components import component
from dlviz.ui.language import _, current

BACK, BESIDE, AWAY, HERE = CATEGORICAL[3], CATEGORICAL[2], CATEGORICAL[6], CATEGORICAL[1]
"""Colours of the way back, of a node beside the previous one, of one further away, and of the walk's place."""

MOST_ROWS = 12
"""Candidates that a step lists; the chosen one is always among them."""

HTML = """
<div class="walker" role="group">
  <div class="columns">
    <div class="left"><canvas class="graph" role="img"></canvas></div>
    <div class="right">
      <p class="said" aria-live="polite"></p>
      <div class="lottery"></div>
      <p class="drawn"></p>
      <div class="scroll">
        <table class="table"><thead><tr class="heads"></tr></thead><tbody class="rows"></tbody></table>
      </div>
      <p class="more"></p>
    </div>
  </div>
  <div class="bar">
    <button type="button" class="first"></button>
    <button type="button" class="step_back"></button>
    <button type="button" class="play"></button>
    <button type="button" class="forward"></button>
    <button type="button" class="last"></button>
    <input type="range" class="slider" min="0" step="1">
    <span class="where"></span>
    <select class="speed"></select>
  </div>
  <p class="hint"></p>
</div>
"""

_walker = component("walk_stepper", html=HTML, after=("graph_canvas",))


class Step(Protocol):
    """What stood to choose before one step."""

    @property
    def nodes(self) -> np.ndarray: ...
    @property
    def distance(self) -> np.ndarray: ...
    @property
    def edge_weight(self) -> np.ndarray: ...
    @property
    def bias(self) -> np.ndarray: ...
    @property
    def weight(self) -> np.ndarray: ...
    @property
    def probability(self) -> np.ndarray: ...


class Walk(Protocol):
    """A walk with everything that was weighed on the way."""

    @property
    def nodes(self) -> np.ndarray: ...
    @property
    def steps(self) -> Sequence[Step]: ...
    @property
    def draws(self) -> np.ndarray: ...
    @property
    def asked(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What is drawn of the graph: which nodes, where, their names, and the edges as pairs of places in `nodes`."""

    nodes: np.ndarray
    places: np.ndarray
    names: Sequence[str]
    edges: np.ndarray
    directed: bool
    weighted: bool


def listed(step: Step, chosen: int) -> np.ndarray:
    """Which candidates of a step are listed: the likeliest ones and the chosen one, in their own order."""
    order = np.argsort(-step.probability, kind="stable")[:MOST_ROWS]
    at = int(np.flatnonzero(step.nodes == chosen)[0])
    if at not in order:
        order = np.append(order[:-1], at)
    return np.sort(order)


def walk_stepper(
    key: str,
    drawing: Drawing,
    walk: Walk,
    *,
    n: int = 0,
    heat: np.ndarray | None = None,
    on_move: Callable[[int], None] | None = None,
    on_start: Callable[[str], None] | None = None,
) -> None:
    """Show a walk on its graph.

    Parameters
    ----------
    key
        ``<stem>_<name>``.
    drawing
        The graph as it is drawn; every node of the walk and every listed candidate has to be in it.
    walk
        The walk; nodes are numbers of the whole graph.
    n
        The step to show; a number that the component itself reported does not move it.
    heat
        Values to colour the nodes of the drawing by; without them, the walk's own visits so far.
    on_move
        Called with the step on which the visitor came to rest.
    on_start
        Called with the name of a node that the visitor clicked.
    """
    place = {int(node): i for i, node in enumerate(drawing.nodes)}
    data = {
        "lang": current(),
        "words": _words(),
        "colours": [BACK, BESIDE, AWAY, HERE],
        "scale": list(SEQUENTIAL),
        "places": np.round(drawing.places.astype(float), 4).ravel().tolist(),
        "names": list(drawing.names),
        "edges": drawing.edges.ravel().tolist(),
        "directed": drawing.directed,
        "weighted": drawing.weighted,
        "walk": [place[int(node)] for node in walk.nodes],
        "asked": walk.asked,
        "steps": [
            _step(step, float(draw), int(after), place)
            for step, draw, after in zip(walk.steps, walk.draws, walk.nodes[1:], strict=True)
        ],
        "heat": None if heat is None else np.round(heat.astype(float), 6).tolist(),
        "n": n,
    }
    moving = {name: data[name] for name in ("names", "walk", "steps")}
    data["walked"] = hashlib.sha256(json.dumps(moving).encode()).hexdigest()[:16]

    def moved() -> None:
        told = st.session_state[key].get("n") or {}
        if on_move is not None and isinstance(told.get("n"), int):
            on_move(told["n"])

    def started() -> None:
        told = st.session_state[key].get("start") or {}
        if on_start is not None and isinstance(told.get("name"), str):
            on_start(told["name"])

    _walker(key=key, data=data, on_n_change=moved, on_start_change=started)


def _step(step: Step, draw: float, after: int, place: dict[int, int]) -> dict[str, Any]:
    rows = listed(step, after)
    begins = np.concatenate([[0.0], np.cumsum(step.probability)])
    return {
        "draw": draw,
        "more": len(step.nodes) - len(rows),
        "rest": float(1 - step.probability[rows].sum()),
        "rows": [
            {
                "node": place[int(step.nodes[i])],
                "distance": int(step.distance[i]),
                "weight": float(step.edge_weight[i]),
                "bias": float(step.bias[i]),
                "product": float(step.weight[i]),
                "probability": float(step.probability[i]),
                "from": float(begins[i]),
                "chosen": int(step.nodes[i]) == after,
            }
            for i in rows
        ],
    }


def _words() -> dict[str, str]:
    return {
        "first": _("Back to the start"),
        "play": _("Play"),
        "pause": _("Pause"),
        "forward": _("One step forward"),
        "last": _("To the end"),
        "slider": _("Jump to a step"),
        "speed": _("Speed of play"),
        "per_second": _("{count} a second"),
        "where": _("Step {n} of {total}"),
        "starts": _("The walk starts on {node}. The first step goes by the weights of the edges alone."),
        "stands": _("The walk stands on {node} and came from {previous}."),
        "falls": _("The number drawn, {draw}, falls on {node}."),
        "over": _("The walk ends on {node}: it has visited {total} nodes."),
        "stuck": _("The walk ends early: no edge leads away from {node}."),
        "candidate": _("candidate"),
        "weight": _("edge"),
        "bias": _("bias α"),
        "product": _("product"),
        "probability": _("probability"),
        "back": "1/p",
        "beside": "1",
        "away": "1/q",
        "back_why": _("The way back to the previous node."),
        "beside_why": _("Also a neighbour of the previous node."),
        "away_why": _("Further away from the previous node."),
        "more": _("{count} more candidates, together {share}."),
        "step_back": _("One step back"),
        "hint": _("Play, or step with the arrow keys. Click a node to start there."),
    }
