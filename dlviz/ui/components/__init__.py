"""Small components-v2 modules: what must answer while the pointer moves is computed in the browser.

A component is three files of one name: ``<name>.py`` (the function that a page
calls), ``<name>.js`` (a plain ES module, no build step) and ``<name>.css``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent


def component(name: str, *, html: str, after: Sequence[str] = ()) -> Any:
    """Register the component whose ``<name>.js`` and ``<name>.css`` stand in this folder.

    ``after`` names scripts of this folder that it shares with others: see :func:`script`.
    """
    return st.components.v2.component(
        f"dlviz.{name}",
        html=html,
        js=script(name, after=after),
        css=(FOLDER / f"{name}.css").read_text("utf-8"),
    )


def script(name: str, *, after: Sequence[str] = ()) -> str:
    """``<name>.js`` with the scripts that it shares in front of it.

    Streamlit hands a component's source to the browser as one text, from which nothing else can be imported.
    """
    return "\n".join((FOLDER / f"{part}.js").read_text("utf-8") for part in (*after, name))
