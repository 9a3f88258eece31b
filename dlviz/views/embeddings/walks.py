"""A biased walk, step by step: candidates with 1/p, 1 and 1/q, the number drawn, the nodes visited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlviz.errors import Refused
from dlviz.figures import graphs as figures
from dlviz.graphs import fast_walks, reach, walks
from dlviz.graphs.results import RecordedWalk, StepCandidates
from dlviz.ui import charts, compute, controls, export, lesson
from dlviz.ui.components.walk_stepper import listed, walk_stepper
from dlviz.ui.language import _, latex, say
from dlviz.views.embeddings import fields, graph_drawing
from dlviz.views.embeddings.graph_scene import P, Q, Scene, biases, node_of

STEP, START, HEAT = "emb_walk_n", "emb_walk_start", "emb_walk_heat"
FIRST_LOOK = 3
"""The step that a first visit sees where no step has candidates of all three kinds."""

MOST_LISTED = 1500
"""Names in a list to choose from; of more nodes the name is typed."""

AT_ONCE = 2_000_000
"""Steps of walks that are walked without a stop button: less than half a second."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to walk."""

    start: int
    length: int
    p: float
    q: float
    seed: int


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    settings = _settings(scene)
    if settings is None:
        return
    walk = compute.run(
        walks.record_walk,
        graph=scene.graph,
        start=settings.start,
        length=settings.length,
        p=settings.p,
        q=settings.q,
        seed=settings.seed,
    )
    n = _step(walk)
    drawing, part = graph_drawing.drawing(scene, _needed(walk))
    heat = _heat(scene, settings)
    walk_stepper(
        "emb_walker",
        drawing,
        walk,
        n=n,
        heat=None if heat is None else heat[part.nodes],
        on_move=_moved,
        on_start=_start_there,
    )
    _key()
    graph_drawing.tell_what_is_left_out(part)
    _near_or_far(scene, settings)
    maths(scene, walk, n)
    _code(scene, settings, walk, n)
    _export(scene, walk, settings)


def _settings(scene: Scene) -> Settings | None:
    presets = _presets()
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.caption(_("Try:"), width="content")
        for code, (label, p, q) in presets.items():
            st.button(
                f":primary[{label}]",
                key=f"emb_walk_preset_{code}",
                on_click=_bias,
                args=(p, q),
                type="tertiary",
            )
    columns = st.columns([3, 3, 3, 3, 2], vertical_alignment="bottom")
    p, q = biases(columns[0], columns[1])
    length = columns[2].slider(_("Nodes of the walk"), 2, 80, 20, key="emb_walk_length", bind="query-params")
    with columns[3]:
        start = _start(scene)
    seed = columns[4].number_input(_("Seed"), 0, 9999, 0, key="emb_walk_seed", bind="query-params")
    return None if start is None else Settings(start, int(length), p, q, int(seed))


def _presets() -> dict[str, tuple[str, float, float]]:
    titles = {
        "deepwalk": _("DeepWalk: p = q = 1"),
        "depth": _("depth: q = 0.5"),
        "breadth": _("breadth: q = 2"),
    }
    return {one.code: (titles[one.code], one.p, one.q) for one in walks.PRESETS}


def _bias(p: float, q: float) -> None:
    st.session_state[P], st.session_state[Q] = f"{p:g}", f"{q:g}"


def _start(scene: Scene) -> int | None:
    """The node to start from: chosen from a list, clicked, or typed where there are too many for a list."""
    first = scene.names[int(scene.graph.degree().argmax())]
    if scene.graph.nodes <= MOST_LISTED:
        options = {name: name for name in scene.names}
        name = controls.choice(_("Start"), options, key=START, default=first, style="select")
        return node_of(scene, name)
    name = fields.typed(_("Start"), key=START, default=first)
    found = node_of(scene, name)
    if found is None:
        st.warning(_("No node is called “{name}”.", name=fields.plain(name)), icon=":material/search_off:")
    return found


def _start_there(name: str) -> None:
    st.session_state[START] = name
    st.session_state[STEP] = "0"


def _step(walk: RecordedWalk) -> int:
    """The step in the link; a first visit sees the first one at which 1/p, 1 and 1/q all occur."""
    linked = controls.hidden_field(STEP, _("Step in the link"))
    last = len(walk.nodes) - 1
    if linked.isdecimal() and len(linked) < 5:
        return min(int(linked), last)
    all_kinds = (n for n, step in enumerate(walk.steps) if {0, 1, 2} <= set(step.distance.tolist()))
    return next(all_kinds, min(FIRST_LOOK, last))


def _moved(n: int) -> None:
    st.session_state[STEP] = str(n)


def _needed(walk: RecordedWalk) -> set[int]:
    """The nodes that the picture of a walk cannot do without."""
    needed = set(walk.nodes.tolist())
    for step, after in zip(walk.steps, walk.nodes[1:].tolist(), strict=True):
        needed.update(step.nodes[listed(step, after)].tolist())
    return needed


def _heat(scene: Scene, settings: Settings) -> np.ndarray | None:
    """What colours the nodes: None for the walk's own visits."""
    chosen = controls.choice(
        _("The colour of a node counts"),
        {
            "walk": _("this walk's visits so far"),
            "exact": _("visits from this start, exactly"),
            "all": _("visits of walks from every node"),
        },
        key=HEAT,
        wrap=True,
    )
    if chosen == "exact":
        return _exact(scene, settings)
    return _all(scene, settings) if chosen == "all" else None


def _exact(scene: Scene, settings: Settings) -> np.ndarray | None:
    try:
        return compute.run(
            walks.expected_visits,
            graph=scene.graph,
            start=settings.start,
            length=settings.length,
            p=settings.p,
            q=settings.q,
        )
    except Refused as refusal:
        st.warning(say(refusal), icon=":material/block:")
        return None


def _all(scene: Scene, settings: Settings) -> np.ndarray | None:
    each = int(st.slider(_("Walks from every node"), 1, 50, 10, key="emb_walk_each", bind="query-params"))
    given: dict[str, Any] = {
        "graph": scene.graph,
        "walks_per_node": each,
        "length": settings.length,
        "p": settings.p,
        "q": settings.q,
        "seed": settings.seed,
    }
    if each * scene.graph.nodes * settings.length <= AT_ONCE:
        made = compute.run(fast_walks.walk_all, threads=1, **given)
    else:
        made = compute.stream(
            fast_walks.walk_live,
            key="emb_all_walks",
            label=_("Walks"),
            start=_("Walk from every node"),
            **given,
        )
    return None if made is None else walks.visit_counts(scene.graph.nodes, made.nodes)


def _key() -> None:
    st.caption(
        _(
            ":violet[**1/p**]: back to the previous node. :green[**1**]: to a node that is also a neighbour of the "
            "previous one. :red[**1/q**]: further away. The distance is counted from the previous node: the slide's "
            "“direct neighbour of v” is loose there, since every candidate is a neighbour of v."
        )
    )


def _near_or_far(scene: Scene, settings: Settings) -> None:
    """Breadth against depth in numbers: how far a hundred walks get."""
    opened = st.expander(
        _("Breadth against depth: how far do such walks get?"),
        icon=":material/explore:",
        key="emb_reach_open",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        charts.show(
            reach_figure(scene, settings), key="emb_reach", alt=_("Distance from the start at each step.")
        )
        st.caption(
            _(
                "The mean of a hundred walks from the same start. A large q tends to stay near (breadth), a small one to "
                "lead away (depth). From a hub, which is one step from nearly every node, it makes little difference."
            )
        )


def reach_figure(scene: Scene, settings: Settings) -> Any:
    """Distance and number of different nodes, for the presets and the visitor's own p and q."""
    kinds = {label: (p, q) for label, p, q in _presets().values()}
    if (settings.p, settings.q) not in kinds.values():
        kinds[_("yours: p = {p}, q = {q}", p=settings.p, q=settings.q)] = (settings.p, settings.q)
    found = [
        compute.run(
            reach.reach, graph=scene.graph, start=settings.start, length=settings.length, p=p, q=q, walks=100
        )
        for p, q in kinds.values()
    ]
    return figures.reach(
        list(kinds),
        [one.distance for one in found],
        [one.different for one in found],
        titles=(_("mean distance from the start"), _("different nodes visited")),
        axis=_("step"),
    )


def maths(scene: Scene, walk: RecordedWalk, n: int) -> None:
    """The weights with the numbers of the step that is shown."""
    live = ""
    if n < len(walk.steps):
        live = _chosen_way(scene, walk.steps[n], int(walk.nodes[n + 1]))
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "The weight of a candidate x: the edge's own weight, times a bias by the distance from the previous "
                    "node t. Divided by the sum of all, it is a probability."
                ),
                r"P(x \mid v, t) = \frac{\alpha_{pq}(t, x)\, w_{vx}}{\sum_y \alpha_{pq}(t, y)\, w_{vy}}, \qquad "
                r"\alpha_{pq}(t, x) = \begin{cases} 1/p & d_{tx} = 0 \\ 1 & d_{tx} = 1 \\ 1/q & d_{tx} = 2 \end{cases}",
                live,
            )
        ]
    )


def _chosen_way(scene: Scene, step: StepCandidates, after: int) -> str:
    at = int(np.flatnonzero(step.nodes == after)[0])
    total = float(step.weight.sum())
    return (
        rf"P({fields.tex(scene.names[after])} \mid {fields.tex(scene.names[step.current])}) = "
        rf"\frac{{{latex(float(step.bias[at]))} \cdot {latex(float(step.edge_weight[at]))}}}{{{latex(total)}}} = "
        rf"{latex(float(step.probability[at]))}"
    )


def _code(scene: Scene, settings: Settings, walk: RecordedWalk, n: int) -> None:
    previous = int(walk.nodes[n - 1]) if n else None
    lesson.code(
        [
            (
                _("What a walk weighs before its next step:"),
                walks.step_candidates,
                {
                    "graph": scene.source,
                    "previous": previous,
                    "current": int(walk.nodes[n]),
                    "p": settings.p,
                    "q": settings.q,
                },
            ),
            (
                _("The whole walk; one number is drawn for each step:"),
                walks.record_walk,
                {
                    "graph": scene.source,
                    "start": settings.start,
                    "length": settings.length,
                    "p": settings.p,
                    "q": settings.q,
                    "seed": settings.seed,
                },
            ),
        ],
        model=None,
    )


def _export(scene: Scene, walk: RecordedWalk, settings: Settings) -> None:
    export.panel(
        "emb_walks",
        figures={_("How far such walks get"): lambda: reach_figure(scene, settings)},
        tables={_("Every candidate of every step"): lambda: rows(scene, walk)},
        arrays={_("The walk as numbers"): lambda: {"nodes": walk.nodes, "draws": walk.draws}},
    )


def rows(scene: Scene, walk: RecordedWalk) -> list[dict[str, object]]:
    """The walk as a table: what was weighed at each step."""
    return [
        {
            "step": number,
            "previous": "" if step.previous < 0 else scene.names[step.previous],
            "current": scene.names[step.current],
            "candidate": scene.names[int(step.nodes[i])],
            "distance": int(step.distance[i]),
            "edge_weight": float(step.edge_weight[i]),
            "bias": float(step.bias[i]),
            "probability": float(step.probability[i]),
            "chosen": int(int(step.nodes[i]) == int(walk.nodes[number])),
        }
        for number, step in enumerate(walk.steps, 1)
        for i in range(len(step.nodes))
    ]
