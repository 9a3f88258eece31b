"""How good are the vectors of the nodes? Held-out edges, and neighbours kept, beside two other embeddings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlviz.errors import DlvizError
from dlviz.figures import graphs as figures
from dlviz.graphs import evaluation
from dlviz.graphs.results import Comparison, Node2VecSettings
from dlviz.ui import charts, compute, export, lesson
from dlviz.ui.language import _, latex, say
from dlviz.views.embeddings.graph_scene import Scene, noted


def show(scene: Scene, settings: Node2VecSettings) -> None:
    """The part *How good is it?*"""
    st.markdown(
        _(
            "Some edges are hidden, the vectors learn from the rest, and a classifier has to tell the hidden edges from "
            "pairs without one. The same is asked of two embeddings that learn nothing: eigenvectors of the graph, and "
            "numbers drawn at random."
        )
    )
    left, right = st.columns(2)
    share = left.select_slider(
        _("Share of the edges to hide"), (0.1, 0.2, 0.3, 0.4), 0.2, key="emb_links_share", bind="query-params"
    )
    repeats = right.slider(
        _("How often, with other edges hidden"), 1, 10, 5, key="emb_links_repeats", bind="query-params"
    )
    given: dict[str, Any] = {"settings": settings, "share": float(share), "repeats": int(repeats)}
    lesson.code(
        [
            (
                _("Every embedding sees the graph without the hidden edges only:"),
                evaluation.compare,
                {
                    "graph": scene.source,
                    **given,
                    "settings": noted(settings),
                },
            )
        ],
        model=None,
    )
    try:
        found: Comparison | None = compute.stream(
            evaluation.compare,
            key="emb_links",
            lane="process",
            label=_("Walks read"),
            start=_("Measure"),
            graph=scene.graph,
            **given,
        )
    except DlvizError as error:
        st.error(say(error), icon=":material/block:")
        return
    if found is not None:
        _tell(found)


def names() -> list[str]:
    """The three embeddings."""
    return ["node2vec", _("eigenvectors"), _("random numbers")]


def bars(found: Comparison) -> Any:
    """Both measures as a figure."""
    return figures.comparison(
        found,
        names=names(),
        titles=(_("hidden edges found (AUC)"), _("neighbours kept")),
        guess=_("guessing"),
    )


def curves(found: Comparison) -> Any:
    """The ROC curves as a figure."""
    return figures.roc(
        found, names=names(), axes=(_("pairs without an edge, taken for one"), _("hidden edges found"))
    )


def _tell(found: Comparison) -> None:
    charts.show(bars(found), key="emb_links_bars", alt=_("Link prediction and neighbours kept by embedding."))
    st.caption(
        _(
            "{hidden} edges hidden, {repeats} times; the bars are means, the whiskers the standard deviation between "
            "draws. The classifier has learnt from {train} edges and as many pairs without one, as far as there are any.",
            hidden=found.held_out,
            repeats=found.repeats,
            train=found.train_edges,
        )
    )
    ours, spectral = found.scores[0], found.scores[1]
    if ours.auc + ours.auc_spread < spectral.auc:
        st.info(
            _(
                "Here plain linear algebra does better than node2vec. On small graphs it often does: there is little to "
                "learn from."
            ),
            icon=":material/balance:",
        )
    charts.show(curves(found), key="emb_links_roc", alt=_("The ROC curves of the first draw."))
    lesson.maths(
        [
            lesson.Formula(
                _(
                    "A pair of nodes is described by the product of their vectors, number by number (Hadamard), and a "
                    "logistic regression ranks the pairs. The AUC is the chance that a hidden edge ranks above a pair "
                    "without one."
                ),
                r"f(u, v) = z_u \odot z_v, \qquad \mathrm{AUC} = P\bigl(s(u, v) > s(u', v')\bigr)",
                rf"\mathrm{{AUC}} = {latex(ours.auc)} \pm {latex(ours.auc_spread, 2)}",
            )
        ]
    )
    export.panel(
        "emb_links",
        figures={
            _("Link prediction and neighbours kept"): lambda: bars(found),
            _("The ROC curves"): lambda: curves(found),
        },
        tables={
            _("The figures as a table"): lambda: [
                {
                    "method": one.method,
                    "auc": one.auc,
                    "auc_spread": one.auc_spread,
                    "neighbours_kept": one.neighbours_kept,
                }
                for one in found.scores
            ]
        },
    )
