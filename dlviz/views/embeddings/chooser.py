"""The chooser of vectors above the sections that ask them."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dlviz.ui import models
from dlviz.ui.language import _, current
from dlviz.views.embeddings import common, own_vectors, own_words
from dlviz.views.embeddings.common import NODES, OWN, TRAINED, Chosen

TASK = "word-vectors"
KEY = "emb_vectors"
_FIRST = "emb_first_vectors"
_TRAINED = "emb_trained_known"


def choose() -> Chosen | None:
    """The widgets for the vectors, and the vectors; None where there are none at all."""
    _name_them_in_the_link()
    first = st.session_state[_FIRST]
    held = {TRAINED: _trained(), NODES: common.nodes()}
    _say_what_is_missing(held)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        code = models.choose(KEY, task=TASK, label=_("Vectors"), default=first, others=_others(held))
    with right:
        models.more(KEY, task=TASK, title=_("More word vectors"))
    if code == OWN:
        return common.of_kept(OWN, own_vectors.choose()) or common.of_card(first)
    if code in held:
        return common.of_kept(code, held[code])
    return None if code is None else common.of_card(code)


def _name_them_in_the_link() -> None:
    """A first visit sees words of its language, and its link names them: a change of language changes no vectors."""
    state = st.session_state
    first = state.setdefault(_FIRST, "words-fr" if current() == "fr" else "words-en")
    if not state.get(KEY) and not st.query_params.get(KEY):
        state[KEY] = first


def _trained() -> common.Kept | None:
    """The vectors that the visitor has trained on a text and kept; what stands for them is worked out once."""
    store = own_words.kept()
    if store is None:
        return None
    known: common.Kept | None = st.session_state.get(_TRAINED)
    if known is None or known.store is not store:
        known = common.kept(
            store, title=own_words.title(), source=own_words.source(), language=own_words.language()
        )
        st.session_state[_TRAINED] = known
    return replace(known, title=own_words.title())


def _others(held: dict[str, common.Kept | None]) -> dict[str, str]:
    others = {OWN: _("a file of your own")}
    if (text := held[TRAINED]) is not None:
        others[TRAINED] = _("trained here: {title}", title=text.title)
    if (graph := held[NODES]) is not None:
        others[NODES] = _("nodes of a graph: {title}", title=graph.title)
    return others


def _say_what_is_missing(held: dict[str, common.Kept | None]) -> None:
    linked = str(st.session_state.get(KEY) or st.query_params.get(KEY, ""))
    if linked in held and held[linked] is None:
        st.info(
            _(
                "This link was made with vectors that its author had trained on this page: they are not in a link. "
                "Others are shown instead."
            ),
            icon=":material/link_off:",
        )
