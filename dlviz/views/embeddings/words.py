"""Questions to word vectors: neighbours, analogies, axes of one's own, the odd one out, clusters."""

from __future__ import annotations

import streamlit as st

from dlviz.errors import Refused
from dlviz.ui import controls
from dlviz.ui.language import _, say
from dlviz.views.embeddings import analogies, axes, clusters, neighbours, odd
from dlviz.views.embeddings.common import Chosen

QUESTIONS = {
    "near": neighbours,
    "analogy": analogies,
    "axis": axes,
    "odd": odd,
    "clusters": clusters,
}


@st.fragment
def show(chosen: Chosen) -> None:
    """The section: a fragment, so that a word typed here draws nothing else again."""
    asked = controls.choice(
        _("Question"),
        {
            "near": _("What is near?"),
            "analogy": _("Analogy"),
            "axis": _("An axis of your own"),
            "odd": _("Odd one out"),
            "clusters": _("Clusters"),
        },
        key="emb_ask",
        style="pills",
        label_visibility="collapsed",
        wrap=True,
    )
    try:
        QUESTIONS[asked].show(chosen)
    except Refused as refusal:
        st.error(say(refusal), icon=":material/block:")
