"""A text in tokens, step by step, in the browser: play, step, jump, pairs, trees.

What is shown at any step follows from a *film* (for merges:
:class:`dlviz.language.bpe_film.Film`), so the browser needs no answer from the
server to move. Pair counts come in a window of moments; the component tells
where the visitor stands, and the page sends the window around that place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import streamlit as st

from dlviz.figures.palette import CATEGORICAL
from dlviz.ui import language
from dlviz.ui.components import component
from dlviz.ui.language import _

_stepper = component("token_stepper", html='<div class="stepper"></div>')


class Entry(Protocol):
    """A token as a film holds it."""

    @property
    def id(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def raw(self) -> bytes: ...
    @property
    def left(self) -> int: ...
    @property
    def right(self) -> int: ...
    @property
    def merge(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def known(self) -> bool: ...


class Row(Protocol):
    """A pair of neighbours with its count and its score."""

    @property
    def left(self) -> int: ...
    @property
    def right(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def score(self) -> float: ...


class Moment(Protocol):
    """The pairs of one moment and how its merge was won."""

    @property
    def n(self) -> int: ...
    @property
    def pairs(self) -> Sequence[Row]: ...
    @property
    def distinct(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    @property
    def winner(self) -> Row | None: ...
    @property
    def runner_up(self) -> Row | None: ...
    @property
    def made(self) -> int: ...
    @property
    def formed(self) -> int: ...
    @property
    def tied(self) -> int: ...


class Film(Protocol):
    """A text and every step of its tokens."""

    @property
    def entries(self) -> Sequence[Entry]: ...
    @property
    def symbols(self) -> np.ndarray: ...
    @property
    def joined(self) -> np.ndarray: ...
    @property
    def made_step(self) -> np.ndarray: ...
    @property
    def made(self) -> np.ndarray: ...
    @property
    def words(self) -> np.ndarray: ...
    @property
    def gap(self) -> bool: ...
    @property
    def steps(self) -> int: ...
    @property
    def moments(self) -> Sequence[Moment]: ...


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a vocabulary that is pruned: the text's tokens, and rows of (entry, value, pruned)."""

    tokens: Sequence[int]
    words: Sequence[int]
    rows: Sequence[tuple[int, float, bool]]
    said: str
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One text beside others, all moved by the same buttons.

    Parameters
    ----------
    film
        The merges to play; left out for ``rounds``.
    entries, rounds
        A vocabulary that is pruned instead: tokens as :class:`Entry`, and its rounds.
    title
        Name of the panel, in the visitor's language.
    words
        Sentences of the panel that differ from the usual ones, in the visitor's language.
    show
        ``"both"``: pairs before and after; ``"next"``: pairs that are left; ``"fired"``: the list of all
        steps; ``"none"``.
    by
        What the bars show: ``"count"`` or ``"score"``.
    rows
        Room for how many pairs.
    more
        A remark at the end of the text, if it is only the beginning.
    gap
        Whether white space stood where ``rounds`` begin a word; a film knows that itself.
    ids
        Whether the entries' ids mean something to a reader.
    """

    film: Film | None = None
    entries: Sequence[Entry] = ()
    rounds: Sequence[Round] = ()
    title: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    show: str = "both"
    by: str = "count"
    rows: int = 10
    more: str = ""
    gap: bool = False
    ids: bool = True


def token_stepper(
    key: str,
    panels: Sequence[Panel],
    *,
    film: str,
    n: int = 0,
    on_move: Callable[[int], None] | None = None,
    stacked: bool = False,
) -> None:
    """Show panels of tokens under one set of buttons.

    Parameters
    ----------
    key
        ``<stem>_<name>``.
    panels
        One text or several side by side.
    film
        Stands for what is played: with another one the component starts afresh at ``n``.
    n
        The step to show. A number that the component itself reported does not move it.
    on_move
        Called with the step on which the visitor came to rest.
    stacked
        Panels below each other, the text alone: what is known of a token is shown beside the pointer.
    """

    def moved() -> None:
        step = st.session_state[key].get("n")
        if step is not None and on_move is not None:
            on_move(int(step))

    _stepper(
        key=key,
        data={
            "film": film,
            "n": n,
            "stacked": stacked,
            "lang": language.current(),
            "palette": CATEGORICAL[:-1],
            "words": _bar_words(),
            "panels": [_panel(panel) for panel in panels],
        },
        on_n_change=moved,
    )


def _bar_words() -> dict[str, str]:
    return {
        "first": _("Back to the start"),
        "back": _("One step back"),
        "play": _("Play"),
        "pause": _("Pause"),
        "forward": _("One step forward"),
        "last": _("To the end"),
        "slider": _("Jump to a step"),
        "speed": _("Speed of play"),
        "per_second": _("{count} a second"),
        "where": _("Step {n} of {total}"),
    }


def _panel(panel: Panel) -> dict[str, Any]:
    common = {
        "title": panel.title,
        "words": {**_panel_words(), **panel.words},
        "both": panel.show == "both",
        "table": panel.show != "none",
        "fired": panel.show == "fired",
        "by": panel.by,
        "rows": panel.rows,
        "more": panel.more,
        "ids": panel.ids,
    }
    if panel.film is None:
        return {**common, "entries": list(map(_entry, panel.entries)), **_rounds(panel.rounds, panel.gap)}
    return {**common, **_film(panel.film)}


def _panel_words() -> dict[str, str]:
    return {
        "token": _("Token {token}"),
        "id": _("id"),
        "bytes": _("bytes"),
        "origin": _("comes from"),
        "count": _("times made"),
        "made": _("merge {merge}"),
        "alphabet": _("the alphabet"),
        "unknown": _("nowhere: not in the vocabulary"),
        "counting": _("Counting pairs…"),
        "none": "",
        "point": _("Point at a token to see what is known about it."),
    }


def _film(film: Film) -> dict[str, Any]:
    return {
        "entries": list(map(_entry, film.entries)),
        "symbols": film.symbols.tolist(),
        "joined": film.joined.tolist(),
        "made_step": film.made_step.tolist(),
        "made": film.made.tolist(),
        "words_at": film.words.tolist(),
        "gap": film.gap,
        "steps": film.steps,
        "moments": list(map(_moment, film.moments)),
    }


def _rounds(rounds: Sequence[Round], gap: bool) -> dict[str, Any]:
    return {
        "steps": len(rounds) - 1,
        "gap": gap,
        "coloured": True,
        "rounds": [
            {
                "tokens": list(one.tokens),
                "words": list(one.words),
                "rows": [list(row) for row in one.rows],
                "said": one.said,
                "title": one.title,
                "note": one.note,
            }
            for one in rounds
        ],
    }


def _entry(entry: Entry) -> list[Any]:
    written = entry.raw.hex(" ").upper()
    return [
        entry.id,
        entry.text,
        written,
        entry.left,
        entry.right,
        entry.merge,
        entry.count,
        int(entry.known),
    ]


def _row(row: Row | None) -> list[Any] | None:
    return None if row is None else [row.left, row.right, row.count, row.score]


def _moment(moment: Moment) -> dict[str, Any]:
    return {
        "n": moment.n,
        "pairs": list(map(_row, moment.pairs)),
        "distinct": moment.distinct,
        "tokens": moment.tokens,
        "winner": _row(moment.winner),
        "runner_up": _row(moment.runner_up),
        "made": moment.made,
        "formed": moment.formed,
        "tied": moment.tied,
    }
