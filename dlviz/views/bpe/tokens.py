"""Tokens of one text, ready for the browser."""

from __future__ import annotations

from collections.abc import Sequence

from dlviz.language.bpe_film import Entry
from dlviz.language.results import Token
from dlviz.ui.components.token_stepper import Panel, Round


def panel(title: str, tokens: Sequence[Token], said: str = "") -> Panel:
    """A finished tokenisation as a panel of its own, without steps."""
    entries: list[Entry] = []
    place: dict[tuple[int, str], int] = {}
    row = []
    for token in tokens:
        name = (token.id, token.written if token.known else token.text)
        if name not in place:
            place[name] = len(entries)
            entries.append(Entry(token.id, token.text, token.raw, -1, -1, token.merge, 0, token.known))
        row.append(place[name])
    gaps = [i for i in range(1, len(tokens)) if tokens[i].start > tokens[i - 1].end]
    return Panel(
        entries=entries, rounds=[Round(row, gaps, (), said, "", "")], title=title, show="none", gap=True
    )
