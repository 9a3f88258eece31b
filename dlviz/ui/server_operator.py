"""Who may spend this server's disk and network: whoever runs it.

On a server bound to the local machine every visitor is the operator. Elsewhere
the operator gives the token that the server was started with.
"""

from __future__ import annotations

import hmac

import streamlit as st

from dlviz.settings import settings
from dlviz.ui.language import _

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_PROVEN = "dlviz_operator"


def is_operator() -> bool:
    """Whether this visitor may download weights and name folders."""
    return st.get_option("server.address") in _LOCAL or bool(st.session_state.get(_PROVEN, False))


def ask_for_token(key: str) -> None:
    """A field for the operator's token, where the server has one."""
    if is_operator() or not settings().operator_token:
        return
    given = st.text_input(_("Operator's token"), type="password", key=key)
    if given and hmac.compare_digest(given.encode(), settings().operator_token.encode()):
        st.session_state[_PROVEN] = True
        st.rerun()
    elif given:
        st.error(_("This is not the token that the server was started with."), icon=":material/key_off:")
