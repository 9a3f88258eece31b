"""A file of the visitor's own: taken once, read, and held for the visit; its fingerprint stands in the link."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dlviz.errors import Refused
from dlviz.settings import settings
from dlviz.ui.controls import hidden_field
from dlviz.ui.language import _, say
from dlviz.ui.uploaded import forget

T = TypeVar("T")
Files = list[tuple[str, bytes]]

_DIGEST = "sha256:"


def own(key: str, *, label: str, note: str, read: Callable[[Files], T]) -> T | None:
    """The uploader and what ``read`` has made of the file; None, with a sentence, while there is nothing of one's own.

    Parameters
    ----------
    key
        ``emb_<name>``: the fingerprint in the link; the widget is ``<key>_upload_<n>``.
    label, note
        What to drop, with ``{limit}`` for the most megabytes, and what is said below, in the visitor's language.
    read
        Takes names and bytes; what it refuses is said, and what was there before stays.
    """
    state = st.session_state
    if f"{key}_waiting" in state:
        _read(key, read)
    linked = hidden_field(key, _("File in the link"))
    # Every file, good or bad, is taken by a fresh widget: so the bytes of the last one can go.
    widget = f"{key}_upload_{state.get(f'{key}_turn', 0)}"
    limit = settings().max_upload_mb
    st.file_uploader(
        label,
        key=widget,
        accept_multiple_files=True,
        max_upload_size=limit,
        on_change=_uploaded,
        args=(key, widget),
    )
    st.caption(note)
    refusal = state.get(f"{key}_refusal")
    if refusal is not None:
        st.error(say(refusal), icon=":material/block:")
    held: tuple[str, T] | None = state.get(f"{key}_held")
    if held is not None and linked in ("", held[0]):
        return held[1]
    if linked.startswith(_DIGEST):
        st.info(
            _(
                "This link was made with a file that is not here: a link carries its fingerprint, not the file. What "
                "is at hand is shown instead; drop the same file above to see what its author saw."
            ),
            icon=":material/link_off:",
        )
    return None


def shown(name: str) -> str:
    """A file's name as it may be shown."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:60]


def _uploaded(key: str, widget: str) -> None:
    state = st.session_state
    files = [one for one in state[widget] or [] if isinstance(one, UploadedFile)]
    if not files:
        return
    state.pop(f"{key}_refusal", None)
    state[f"{key}_waiting"] = [(file.name, file.getvalue()) for file in files]
    for file in files:
        forget(file)
    state[f"{key}_turn"] = state.get(f"{key}_turn", 0) + 1


def _read(key: str, read: Callable[[Files], Any]) -> None:
    state = st.session_state
    files: Files = state.pop(f"{key}_waiting")
    try:
        with st.spinner(_("The file is being read."), show_time=True):
            taken = read(files)
    except Refused as refusal:
        state[f"{key}_refusal"] = refusal
        return
    link = _DIGEST + hashlib.sha256(files[0][1]).hexdigest()[:16]
    state[f"{key}_held"] = (link, taken)
    state[key] = link
