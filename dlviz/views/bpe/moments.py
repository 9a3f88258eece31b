"""Where the visitor stands in a training: the merge in the link, and the window of pair counts around it."""

from __future__ import annotations

import streamlit as st

from dlviz.language.results import MergeTrace
from dlviz.ui import controls
from dlviz.ui.language import _

TRAINED = "bpe_n"
"""Where the link says which merge of the training is shown."""

FIRST_LOOK = 4
"""The merge that a first visit sees: in the course's sentence it makes ``sou``."""


def current(key: str, last: int, *, default: int = FIRST_LOOK) -> int:
    """The step in the link under ``key``, at most ``last``."""
    return _step(controls.hidden_field(key, _("Step in the link")), last, default)


def standing(key: str, last: int, *, default: int = FIRST_LOOK) -> int:
    """The same step, where the field of the link is drawn elsewhere on the page."""
    return _step(str(st.session_state.get(key, "")), last, default)


def _step(linked: str, last: int, default: int) -> int:
    step = int(linked) if linked.isdecimal() and len(linked) < 7 else default
    return min(step, last)


def remember(key: str, step: int) -> None:
    """Put a step into the link."""
    st.session_state[key] = str(step)


def window(trace: MergeTrace, n: int) -> tuple[int, int]:
    """First and last moment whose pair counts are sent along.

    Blocks with half a block around them: near moments are at hand, and as long as the visitor stays within a
    block the message to the browser stays the same. Long trainings have smaller blocks, and the
    longest none, because each moment costs more.
    """
    pairs = len(trace.log.left)
    if pairs > 20_000:
        return max(0, n - 1), n + 1
    block = 32 if pairs < 2_000 else 8
    first = n // block * block
    return max(0, first - block // 2), first + block + block // 2
