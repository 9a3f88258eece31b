"""node2vec on the visitor's graph: trained live, measured against other embeddings, and what p and q do to it."""

from __future__ import annotations

import streamlit as st

from dlviz.graphs.results import Node2VecSettings
from dlviz.ui import controls
from dlviz.ui.language import _
from dlviz.views.embeddings import node_bias, node_links, node_training
from dlviz.views.embeddings.graph_scene import Scene, biases

PARTS = {"live": node_training, "links": node_links, "bias": node_bias}


@st.fragment
def show(scene: Scene) -> None:
    """The section."""
    chosen = controls.choice(
        _("Part"),
        {
            "live": _("Watch it learn"),
            "links": _("How good is it?"),
            "bias": _("What p and q do"),
        },
        key="emb_nodes_part",
        style="pills",
        label_visibility="collapsed",
        wrap=True,
    )
    PARTS[chosen].show(scene, _settings(chosen))


def _settings(part: str) -> Node2VecSettings:
    p = q = 1.0
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    if part != "bias":
        p, q = biases(left, middle)
    with right.popover(_("More choices"), icon=":material/tune:", width="stretch"):
        walks = st.slider(_("Walks from every node"), 1, 20, 10, key="emb_n2v_walks", bind="query-params")
        length = st.slider(_("Nodes of a walk"), 5, 80, 40, 5, key="emb_n2v_length", bind="query-params")
        dimensions = st.select_slider(
            _("Dimensions"), (2, 4, 8, 16, 32, 64, 128), 32, key="emb_n2v_dimensions", bind="query-params"
        )
        window = st.slider(_("Window"), 1, 10, 5, key="emb_n2v_window", bind="query-params")
        negatives = st.slider(
            _("Negatives for each pair"), 1, 15, 5, key="emb_n2v_negatives", bind="query-params"
        )
        epochs = st.slider(_("Epochs"), 1, 10, 5, key="emb_n2v_epochs", bind="query-params")
        seed = st.number_input(_("Seed"), 0, 9999, 0, key="emb_n2v_seed", bind="query-params")
    return Node2VecSettings(
        p=p,
        q=q,
        walks_per_node=int(walks),
        length=int(length),
        dimensions=int(dimensions),
        window=int(window),
        negatives=int(negatives),
        epochs=int(epochs),
        seed=int(seed),
    )
