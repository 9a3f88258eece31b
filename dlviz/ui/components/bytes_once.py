"""Large blocks of bytes for other components, sent to a browser once however often the page runs.

Streamlit sends a component's data as a whole whenever any of it has changed. What is large and seldom changes
(a decoder's weights, thousands of points) travels in an element of its own, unseen: Streamlit knows an element
that the browser already has by its hash, and sends the hash alone. In the browser the block waits under its
digest for the component that asks for it (``depot.js``).
"""

from __future__ import annotations

import hashlib

import streamlit as st

from dlviz.ui.components import component

_bytes_once = component("bytes_once", html='<div class="once"></div>', after=("depot",))


def send(key: str, block: bytes) -> str:
    """Have ``block`` in the browser; returns the digest under which a component finds it there.

    ``key`` is ``<stem>_<name>``. Call it before the component.
    """
    digest = hashlib.sha256(block).hexdigest()[:16]
    # In a container that `hidden_field` has made invisible: an empty element would still take up a gap.
    with st.container(key=f"linked_{key}"):
        _bytes_once(key=key, data=digest.encode() + block)
    return digest
