"""What p and q do to the vectors, measured: do these tell who belongs together, or who stands as whom does?"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlviz.errors import DlvizError
from dlviz.figures import graphs as figures
from dlviz.graphs import evaluation, groups
from dlviz.graphs.results import BiasGrid, Node2VecSettings
from dlviz.ui import charts, compute, export, lesson
from dlviz.ui.language import _, number, say
from dlviz.ui.snippet import Source
from dlviz.views.embeddings.graph_scene import Scene, noted

MOST_NODES = 3000
"""Nodes up to which the trainings of the table are a matter of a few minutes."""

VALUES = (0.25, 1.0, 4.0)


def show(scene: Scene, settings: Node2VecSettings) -> None:
    """The part *What p and q do*."""
    st.markdown(
        _(
            "For nine pairs of p and q, node2vec is trained several times. Its vectors are clustered, and the clusters "
            "are compared with the communities (who belongs together) and with the roles (hub, bridge, rim). The paper "
            "says: depth brings out communities, breadth roles. Whether that holds on your graph, and by how much, is "
            "what the two tables show: mind the spread behind each ±."
        )
    )
    if scene.graph.nodes > MOST_NODES:
        st.info(
            _(
                "This graph has {nodes} nodes; the many trainings of this table are offered up to {most}.",
                nodes=scene.graph.nodes,
                most=MOST_NODES,
            ),
            icon=":material/hourglass_top:",
        )
        return
    seeds = st.slider(_("Trainings for each pair"), 1, 5, 3, key="emb_bias_seeds", bind="query-params")
    communities = compute.run(groups.communities, graph=scene.graph, seed=0)
    roles = compute.run(groups.structural_roles, graph=scene.graph, count=4, seed=0)
    given: dict[str, Any] = {"settings": settings, "values": VALUES, "seeds": int(seeds)}
    _maths()
    _code(scene, given)
    try:
        found: BiasGrid | None = compute.stream(
            evaluation.bias_grid,
            key="emb_bias",
            lane="process",
            label=_("Walks read"),
            start=_("Measure"),
            graph=scene.graph,
            communities=communities,
            roles=roles,
            **given,
        )
    except DlvizError as error:
        st.error(say(error), icon=":material/block:")
        return
    if found is not None:
        _tell(found)


def _tell(found: BiasGrid) -> None:
    charts.show(grid(found), key="emb_bias_grid", alt=_("What the clusters tell, for every p and q."))
    reach = float(found.communities.max() - found.communities.min())
    spread = float(found.communities_spread.mean())
    if reach < 2 * spread:
        st.info(
            _(
                "Between these p and q the figures for communities differ by {reach}, and between two trainings with the "
                "same p and q by {spread}: on this graph the effect is hardly more than chance.",
                reach=round(reach, 2),
                spread=round(spread, 2),
            ),
            icon=":material/balance:",
        )
    export.panel(
        "emb_bias",
        figures={_("What p and q do"): lambda: grid(found)},
        tables={_("The figures as a table"): lambda: rows(found)},
    )


def grid(found: BiasGrid) -> Any:
    """Both tables as a figure."""
    labels = [number(float(value)) for value in found.p]
    return figures.bias_grid(found, labels=labels, titles=(_("communities"), _("roles")), name=_("agreement"))


def rows(found: BiasGrid) -> list[dict[str, object]]:
    """Both tables as rows."""
    return [
        {
            "p": float(p),
            "q": float(q),
            "communities": float(found.communities[i, j]),
            "communities_spread": float(found.communities_spread[i, j]),
            "roles": float(found.roles[i, j]),
            "roles_spread": float(found.roles_spread[i, j]),
        }
        for i, p in enumerate(found.p)
        for j, q in enumerate(found.q)
    ]


def _maths() -> None:
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "Agreement is the normalised mutual information of the clusters C and the known groups G: 0 when one "
                    "tells nothing about the other, 1 when it tells all."
                ),
                r"\mathrm{NMI}(C, G) = \frac{2\, I(C; G)}{H(C) + H(G)}",
            )
        ]
    )


def _code(scene: Scene, given: dict[str, Any]) -> None:
    graph = scene.source
    grouped = {
        name: Source(
            f"groups.{function}({graph.expression})", (*graph.imports, "from dlviz.graphs import groups")
        )
        for name, function in (("communities", "communities"), ("roles", "structural_roles"))
    }
    lesson.code(
        [
            (
                _("Nine pairs of p and q, several trainings each:"),
                evaluation.bias_grid,
                {"graph": graph, **given, **grouped, "settings": noted(given["settings"])},
            )
        ],
        model=None,
    )
