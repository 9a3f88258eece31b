"""Choosing a model: those that are on this machine, and how to get the others."""

from __future__ import annotations

import streamlit as st

from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.ui import compute, controls, server_operator
from dlviz.ui.language import _, number, say
from dlviz.zoo import download
from dlviz.zoo.cards import ModelCard


def choose(key: str, *, task: str, label: str, default: str, leave_out: str = "") -> str | None:
    """A model of ``task`` that is on this machine, or None when there is none at all.

    A bundled model whose files are damaged is named with what is wrong, and the
    page goes on with another one. Models that are not here yet are behind
    :func:`more`.
    """
    cards = [card for card in zoo.cards(task) if card.name != leave_out]
    ready = {card.name: _(card.title) for card in cards if zoo.status(card.name) == "ready"}
    for card in cards:
        if zoo.status(card.name) == "broken":
            _say_what_is_wrong(card)
    if not ready:
        st.error(_("No model of this kind is on this server. Whoever runs it can download one."))
        return None
    return controls.choice(label, ready, key=key, default=default, style="select")


def _say_what_is_wrong(card: ModelCard) -> None:
    try:
        zoo.load(card.name)
    except DlvizError as error:
        st.warning(say(error), icon=":material/broken_image:")


@st.fragment
def more(key: str, *, task: str, title: str = "") -> None:
    """The public models of ``task`` that are not here: their size, and a download for the operator.

    A fragment: the page around it stays as it is while a model arrives.
    """
    absent = [card for card in zoo.cards(task) if zoo.status(card.name) == "absent"]
    if not absent:
        return
    opened = st.expander(
        title or _("More models"), icon=":material/cloud_download:", on_change="rerun", key=f"{key}_more"
    )
    if not opened.open:
        return
    with opened:
        if not server_operator.is_operator():
            names = " ".join(card.name for card in absent)
            st.markdown(_("These are not on this server. Its operator can fetch them with this command:"))
            st.code(f"python -m dlviz.zoo download {names}", language="shell")
            server_operator.ask_for_token(f"{key}_token")
        for card in absent:
            _offer(f"{key}_{card.name}", card)


def _offer(key: str, card: ModelCard) -> None:
    size = _("{size} MB", size=number(card.size / 1e6, 0)) if card.size else _("a few MB")
    st.markdown(f"**{_(card.title)}** · {size} · {say(card.licence)}")
    if not server_operator.is_operator():
        return
    try:
        arrived = compute.stream(
            download.download,
            key=f"{key}_download",
            lane="process",
            label=_(card.title),
            start=_("Download"),
            name=card.name,
        )
    except DlvizError as error:
        st.error(say(error), icon=":material/cloud_off:")
        return
    if arrived is not None:
        st.rerun()
