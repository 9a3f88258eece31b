"""Blocks of bytes for a component that is already on the page, while a computation runs.

The script of the page stands still then, so the component cannot be called again; and under another key it
would be built anew, with its camera and all. An unseen element brings the block, and hands it to whoever
follows the channel in the browser (``depot.js``). What nobody follows is gone.
"""

from __future__ import annotations

import hashlib

from streamlit.delta_generator import DeltaGenerator

from dlviz.ui.components import component

_bytes_live = component("bytes_live", html='<div class="live"></div>', after=("depot",))


def channel(name: str) -> str:
    """The channel of a name: 16 letters."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def send(place: DeltaGenerator, key: str, to: str, block: bytes) -> None:
    """Publish ``block`` on the channel ``to``.

    ``place`` is an ``st.empty()``, and ``key`` differs from one block to the next within a run.
    """
    with place.container(key=f"linked_{key}"):
        _bytes_live(key=key, data=to.encode() + block)
