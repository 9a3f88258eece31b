"""The figures of a training, for the curves and for the export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go

from dlviz.figures import bpe as figures
from dlviz.language import bpe
from dlviz.language.results import Comparison, LanguagePrice, MergeTrace, UnigramTrace
from dlviz.ui.language import _


def titles() -> dict[str, str]:
    """The quantities that a curve can show, by field of :class:`~dlviz.language.results.Curves`."""
    return {
        "characters_per_token": _("Characters per token"),
        "tokens_per_word": _("Tokens per word"),
        "used": _("Entries that still occur in the text"),
        "tokens": _("Tokens of the whole text"),
    }


def curve(trace: MergeTrace, step: int, field: str, *, by_vocabulary: bool = False) -> go.Figure:
    """One quantity over the training, with the step that Train shows."""
    title = titles()[field]
    words = figures.CurveWords(_("size of the vocabulary") if by_vocabulary else _("merges"), "")
    series = [(title, bpe.curves(trace))]
    return figures.curve(series, field, words, by_vocabulary=by_vocabulary, moment=step)


def zipf(trace: MergeTrace, step: int) -> go.Figure:
    """Tokens by rank after merge ``step``."""
    result = bpe.frequencies(trace, step)
    words = figures.ZipfWords(
        _("rank"),
        _("count"),
        _("tokens"),
        _("Zipf's law, exponent {exponent}", exponent=round(result.exponent, 2)),
    )
    return figures.zipf(result, words)


def pairs(trace: MergeTrace, step: int) -> go.Figure:
    """The pairs before and after merge ``step``."""
    words = figures.PairWords(_("Before merge {n}", n=step), _("After merge {n}", n=step), _("count"))
    return figures.pair_counts(bpe.step(trace, step), words)


def tree(trace: MergeTrace, step: int) -> go.Figure:
    """How the token of merge ``step`` came to be."""
    made = len(trace.alphabet) + step - 1
    return figures.merge_tree(
        bpe.tree(trace, made), merge=_("merge"), symbol=_("in the alphabet"), count=_("times made")
    )


def losses(trace: UnigramTrace) -> go.Figure:
    """The pieces of the first Unigram round between staying and going."""
    words = figures.LossWords(_("loss in nats"), _("stays"), _("goes"))
    return figures.unigram_losses(trace.rounds[0], words)


def compared(results: Sequence[Comparison], field: str) -> go.Figure:
    """One text in several vocabularies."""
    axis = {
        "tokens": _("tokens"),
        "characters_per_token": _("characters per token"),
        "tokens_per_word": _("tokens per word"),
    }
    named = [replace(one, title=_(one.title)) for one in results]
    return figures.comparison(named, field, axis=axis[field])


def price(found: LanguagePrice) -> go.Figure:
    """The same sentence in English and in French."""
    named = replace(found, titles=tuple(_(title) for title in found.titles))
    return figures.language_price(named, first=_("English"), second=_("French"), axis=_("tokens"))
