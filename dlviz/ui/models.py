"""Choosing a model: those that are on this machine, and how to get the others."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dlviz import zoo
from dlviz.errors import DlvizError, WeightsError
from dlviz.ui import compute, controls, server_operator
from dlviz.ui.language import _, number, say
from dlviz.zoo import download
from dlviz.zoo.cards import ModelCard

Stamps = tuple[tuple[str, int, int], ...]


_unfit: dict[str, tuple[Stamps, WeightsError]] = {}
"""Models whose files no network could be built from, as the files were then, and what was wrong."""


def ready(task: str, *, leave_out: str = "") -> dict[str, str]:
    """The models of ``task`` that can be used now: name and title, in the visitor's language."""
    cards = [card for card in zoo.cards(task) if card.name != leave_out and _found_unfit(card) is None]
    with st.spinner(_("The files of the models are being checked."), show_time=True):
        return {card.name: _(card.title) for card in cards if zoo.status(card.name) == "ready"}


def choose(
    key: str,
    *,
    task: str,
    label: str,
    default: str,
    leave_out: str = "",
    others: Mapping[str, str] | None = None,
) -> str | None:
    """A model of ``task`` that is in memory now, or None when there is none at all.

    A model whose files are damaged, or no network can be built from, is named with what is wrong, and the
    page goes on with another one. Models that are not here yet are behind :func:`more`.

    Parameters
    ----------
    leave_out
        A model not to offer, because the page shows it already; its chooser names the damaged ones.
    others
        What can be chosen beside the models of the zoo, such as a file of the visitor's own: codes and labels.
    """
    offered = {**ready(task, leave_out=leave_out), **(others or {})}
    if not leave_out:
        _say_what_is_wrong(task)
    if not offered:
        st.error(_("No model of this kind is on this server. Whoever runs it can download one."))
        return None
    name = controls.choice(label, offered, key=key, default=default, style="select")
    return name if name in (others or {}) or _brought(name) else None


def _brought(name: str) -> bool:
    """Load the chosen model; one that turns out unfit is remembered, and the page starts again without it."""
    try:
        compute.load(name)
    except WeightsError as error:
        card = zoo.card(name)
        _unfit[name] = (_stamps(card), error)
        st.rerun()
    except DlvizError as error:
        st.error(say(error), icon=":material/hourglass_top:")
        return False
    return True


def _found_unfit(card: ModelCard) -> WeightsError | None:
    """Why this model cannot be built, if that was found out and its files are still the same."""
    stamps, error = _unfit.get(card.name, ((), None))
    return error if stamps == _stamps(card) else None


def _stamps(card: ModelCard) -> Stamps:
    """Name, size and date of each file of a model, as they are now."""
    paths = [card.folder / file.name for file in card.files]
    states = [(path.name, path.stat()) for path in paths if path.exists()]
    return tuple((name, state.st_size, state.st_mtime_ns) for name, state in states)


def _say_what_is_wrong(task: str) -> None:
    for card in zoo.cards(task):
        error: DlvizError | None = _found_unfit(card)
        if error is None and zoo.status(card.name) == "broken":
            error = _broken(card)
        if error is not None:
            st.warning(say(error), icon=":material/broken_image:")


def _broken(card: ModelCard) -> DlvizError | None:
    """What is wrong with files that are not what they should be; the zoo finds out before it builds anything."""
    try:
        zoo.load(card.name)
    except DlvizError as error:
        return error
    return None


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
