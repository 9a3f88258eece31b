"""Merges in figures: who wins and by how much, what a vocabulary buys, how a token came to be.

Tokens come from a visitor's text. Plotly reads a few HTML tags, so every token is escaped; white space,
which an axis would swallow, is drawn as a sign.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dlviz.figures.palette import CATEGORICAL
from dlviz.language.results import (
    Comparison,
    Curves,
    Frequencies,
    LanguagePrice,
    MergeTree,
    Pair,
    PairTable,
    Step,
    UnigramRound,
)

WINNER, NEW, OTHER = CATEGORICAL[1], CATEGORICAL[2], CATEGORICAL[7]
FIRST, SECOND = CATEGORICAL[0], CATEGORICAL[1]
_SIGNS = str.maketrans(
    {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "⏎", "\u00a0": "⍽", "<": "&lt;", ">": "&gt;", "&": "&amp;"}
)
_ROW = 26


def visible(text: str, longest: int = 24) -> str:
    """A token for a figure: white space as signs, nothing that could be read as HTML, no longer than fits."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return cut.translate(_SIGNS)


@dataclass(frozen=True, slots=True)
class PairWords:
    """What the figure of pair counts says: the two panels, the axis, and the pair under the pointer."""

    before: str
    after: str
    axis: str


def pair_counts(step: Step, words: PairWords, *, top: int = 12, by_score: bool = False) -> go.Figure:
    """The best pairs before and after a merge: the winner on the left, pairs that it made on the right.

    `by_score` draws WordPiece's score instead of the count.
    """
    figure = make_subplots(1, 2, subplot_titles=[words.before, words.after], horizontal_spacing=0.2)
    winner = step.winner
    for column, table in enumerate((step.before, step.after), start=1):
        won = winner if column == 1 else None
        colours = [_colour(pair, won, step.new_id if column == 2 else -1) for pair in table.pairs[:top]]
        figure.add_trace(_pair_bars(table, colours, top, words.axis, by_score), row=1, col=column)
        labels = [_pair_label(pair) for pair in table.pairs[:top]]
        figure.update_yaxes(
            autorange="reversed",
            tickvals=list(range(len(labels))),
            ticktext=labels,
            showgrid=False,
            row=1,
            col=column,
        )
    figure.update_xaxes(rangemode="tozero", title=words.axis)
    return figure.update_layout(showlegend=False, height=120 + _ROW * top, bargap=0.25)


def _pair_bars(table: PairTable, colours: list[str], top: int, axis: str, by_score: bool) -> go.Bar:
    pairs = table.pairs[:top]
    values = [pair.score if by_score else pair.count for pair in pairs]
    return go.Bar(
        x=values,
        y=list(range(len(pairs))),
        orientation="h",
        marker={"color": colours},
        customdata=[_pair_label(pair) for pair in pairs],
        hovertemplate="%{customdata}<br>" + axis + " %{x:,.4~g}<extra></extra>",
    )


def _pair_label(pair: Pair) -> str:
    return f"{visible(pair.left_text, 14)} + {visible(pair.right_text, 14)}"


def _colour(pair: Pair, winner: Pair | None, new: int) -> str:
    if winner is not None and (pair.left, pair.right) == (winner.left, winner.right):
        return WINNER
    return NEW if new in (pair.left, pair.right) else OTHER


@dataclass(frozen=True, slots=True)
class CurveWords:
    """What a curve over the training says: its two axes."""

    x: str
    y: str


def curve(
    series: Sequence[tuple[str, Curves]],
    field: str,
    words: CurveWords,
    *,
    by_vocabulary: bool = False,
    moment: int | None = None,
) -> go.Figure:
    """One quantity of the curves over merges, or over the size of the vocabulary.

    `series` holds a name and curves for each line; `field` is `"characters_per_token"`, `"bytes_per_token"`,
    `"tokens_per_word"`, `"tokens"` or `"used"`; `moment` draws the moment that the page shows.
    """
    figure = go.Figure()
    for name, one in series:
        figure.add_scatter(
            x=one.vocabulary if by_vocabulary else one.moment,
            y=getattr(one, field),
            name=visible(name, 40),
            mode="lines+markers" if len(one.moment) < 15 else "lines",
            hovertemplate="%{x:,}: %{y:,.4~g}<extra>" + visible(name, 40) + "</extra>",
        )
    if moment is not None and not by_vocabulary:
        figure.add_vline(x=moment, line={"dash": "dot", "color": WINNER})
    figure.update_xaxes(title=words.x)
    figure.update_yaxes(title=words.y, rangemode="tozero")
    return figure.update_layout(showlegend=len(series) > 1)


@dataclass(frozen=True, slots=True)
class ZipfWords:
    """What the figure of token frequencies says."""

    rank: str
    count: str
    tokens: str
    line: str


def zipf(result: Frequencies, words: ZipfWords) -> go.Figure:
    """Token counts by rank on logarithmic axes, and the fitted straight line of Zipf's law."""
    rank = np.arange(1, len(result.count) + 1)
    figure = go.Figure(
        go.Scattergl(
            x=rank,
            y=result.count,
            mode="markers",
            name=words.tokens,
            marker={"size": 6, "color": FIRST},
            customdata=[visible(text) for text in result.texts],
            hovertemplate="%{customdata}<br>" + words.rank + " %{x:,}: %{y:,}<extra></extra>",
        )
    )
    ends = np.array([1.0, float(max(2, len(rank)))])
    figure.add_scatter(
        x=ends,
        y=result.level * ends**-result.exponent,
        mode="lines",
        name=words.line,
        line={"color": SECOND, "dash": "dash"},
        hoverinfo="skip",
    )
    figure.update_xaxes(type="log", title=words.rank, dtick=1)
    low = 0.7 * float(result.count.min())
    figure.update_yaxes(
        type="log", title=words.count, dtick=1, range=[np.log10(low), np.log10(2.0 * result.count.max())]
    )
    return figure


def comparison(results: Sequence[Comparison], field: str, *, axis: str) -> go.Figure:
    """One text in several vocabularies: tokens, or a ratio, as bars.

    `field` is `"tokens"` for their number, or a number of :class:`~dlviz.language.results.Comparison`.
    """
    values = [len(one.tokens.tokens) if field == "tokens" else float(getattr(one, field)) for one in results]
    names = [_name(one.title) for one in results]
    bars = go.Bar(
        x=values,
        y=list(range(len(names))),
        orientation="h",
        marker={"color": [CATEGORICAL[i % 7] for i in range(len(names))]},
        text=values,
        texttemplate="%{x:,.3~g}",
        customdata=names,
        hovertemplate="%{customdata}: %{x:,.3~g}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_xaxes(rangemode="tozero", title=axis)
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, autorange="reversed", showgrid=False
    )
    return figure.update_layout(height=110 + 42 * len(names))


def language_price(price: LanguagePrice, *, first: str, second: str, axis: str) -> go.Figure:
    """The same sentence in two languages: two bars a vocabulary, the ratio written on the second.

    The bars lie on their side: names of vocabularies are long, and below upright bars they would be turned.
    """
    names = [_name(title) for title in price.titles]
    places = list(range(len(names)))
    bars = [
        go.Bar(
            x=counts,
            y=places,
            orientation="h",
            name=name,
            marker={"color": colour},
            text=price.ratio,
            texttemplate=label,
            textangle=0,
            customdata=names,
            hovertemplate="%{customdata}: %{x}<extra>" + name + "</extra>",
        )
        for counts, name, colour, label in (
            (price.first, first, FIRST, "%{x}"),
            (price.second, second, SECOND, "%{x} (× %{text:.2f})"),
        )
    ]
    figure = go.Figure(bars)
    figure.update_xaxes(title=axis, rangemode="tozero")
    figure.update_yaxes(tickvals=places, ticktext=names, autorange="reversed", showgrid=False)
    return figure.update_layout(barmode="group", bargap=0.25, height=130 + 56 * len(names))


def _name(title: str) -> str:
    """A vocabulary's name beside its bar, on two lines where it is long: on a phone a bar needs room too."""
    cut = visible(title, 36).replace("␣", " ")
    return "<br>".join(textwrap.wrap(cut, 18, break_long_words=False, break_on_hyphens=False)) or cut


def merge_tree(tree: MergeTree, *, merge: str, symbol: str, count: str) -> go.Figure:
    """How a token was glued together: its symbols below, each merge above its two parts, the token on top.

    `merge` names a merge's number under the pointer, `symbol` a symbol of the alphabet, `count` how many
    there were.
    """
    places: list[tuple[MergeTree, float, float]] = []
    lines: tuple[list[float | None], list[float | None]] = ([], [])
    _place(tree, 0.0, places, lines)
    figure = go.Figure(
        go.Scatter(
            x=lines[0], y=lines[1], mode="lines", line={"color": OTHER, "width": 1.5}, hoverinfo="skip"
        )
    )
    figure.add_scatter(
        x=[x for _, x, _ in places],
        y=[y for _, _, y in places],
        mode="markers+text",
        text=[visible(node.text, 16) for node, _, _ in places],
        textposition="top center",
        marker={"size": 11, "color": [WINNER if node.merge else FIRST for node, _, _ in places]},
        customdata=[
            [visible(node.text, 60), f"{merge} {node.merge}" if node.merge else symbol, node.count, node.id]
            for node, _, _ in places
        ],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>"
        + count
        + " %{customdata[2]:,}<br>id %{customdata[3]}<extra></extra>",
    )
    figure.update_xaxes(visible=False)
    top = max(y for _, _, y in places)
    figure.update_yaxes(visible=False, range=[-0.5, top + 0.8])
    return figure.update_layout(showlegend=False, height=int(min(900, 180 + 60 * top)))


def _place(
    node: MergeTree,
    left: float,
    places: list[tuple[MergeTree, float, float]],
    lines: tuple[list[float | None], list[float | None]],
) -> tuple[float, float, float]:
    """Lay a subtree out from ``left`` on; returns its x, its y, and where the next one may begin."""
    if not node.parts:
        places.append((node, left, 0.0))
        return left, 0.0, left + 1
    corners = []
    for part in node.parts:
        x, y, left = _place(part, left, places, lines)
        corners.append((x, y))
    x = sum(corner[0] for corner in corners) / len(corners)
    y = 1 + max(corner[1] for corner in corners)
    places.append((node, x, y))
    for corner in corners:
        lines[0].extend([x, corner[0], None])
        lines[1].extend([y, corner[1], None])
    return x, y, left


@dataclass(frozen=True, slots=True)
class LossWords:
    """What the figure of a Unigram round says."""

    axis: str
    kept: str
    pruned: str


def unigram_losses(result: UnigramRound, words: LossWords, *, top: int = 30) -> go.Figure:
    """The pieces around the line between staying and going: what each is worth, dearest first.

    Single characters, which always stay, are left out.
    """
    order = [i for i in np.argsort(-result.loss, kind="stable").tolist() if np.isfinite(result.loss[i])]
    gone = [place for place, i in enumerate(order) if result.pruned[i]]
    first = max(0, gone[0] - top // 2) if gone else 0
    shown = order[first : first + top]
    figure = go.Figure()
    for name, pruned, colour in ((words.kept, False, FIRST), (words.pruned, True, OTHER)):
        rows = [(place, i) for place, i in enumerate(shown) if bool(result.pruned[i]) is pruned]
        figure.add_bar(
            x=[float(result.loss[i]) for _, i in rows],
            y=[place for place, _ in rows],
            orientation="h",
            name=name,
            marker={"color": colour},
            customdata=[visible(result.pieces[i]) for _, i in rows],
            hovertemplate="%{customdata}: %{x:,.3~g}<extra>" + name + "</extra>",
        )
    labels = [visible(result.pieces[i]) for i in shown]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, autorange="reversed", showgrid=False
    )
    figure.update_xaxes(title=words.axis, rangemode="tozero")
    return figure.update_layout(height=120 + 20 * len(shown), bargap=0.2)
