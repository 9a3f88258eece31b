"""The footer: which device and precision compute, and which model with which licence is on the page."""

from __future__ import annotations

import streamlit as st

from dlviz import __version__, zoo
from dlviz.ui.language import _, say
from dlviz.zoo import device

_MODELS = "dlviz_models_on_page"


def begin() -> None:
    """Forget the models of the page before."""
    st.session_state[_MODELS] = ()


def name_model(name: str) -> None:
    """Note that the page shows this model."""
    named = st.session_state.get(_MODELS, ())
    if name not in named:
        st.session_state[_MODELS] = (*named, name)


def show() -> None:
    """Write the footer under the page."""
    policy = device.policy()
    parts = [
        f"dlviz {__version__}",
        _("computed on {device}, {precision}", device=policy.name, precision=policy.precision),
    ]
    for name in st.session_state.get(_MODELS, ()):
        card = zoo.card(name)
        parts.append(_("model: {title} ({licence})", title=_(card.title), licence=say(card.licence)))
    st.divider()
    st.caption(" · ".join(parts))
