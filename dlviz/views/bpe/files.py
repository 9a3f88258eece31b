"""Export: the vocabulary for Hugging Face's library, its merges, tables and figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go

from dlviz.language import bpe_export
from dlviz.language.results import Comparison, LanguagePrice, MergeTrace, UnigramTrace
from dlviz.ui import export
from dlviz.ui.language import _
from dlviz.views.bpe import moments, quantities


def show(trace: MergeTrace) -> None:
    """Downloads of the training that the page shows."""
    step = moments.standing(moments.TRAINED, trace.merges)
    export.panel(
        "bpe",
        figures=_figures(trace, step),
        files={
            _("The vocabulary for Hugging Face's tokenizers: the same ids as here"): (
                "tokenizer.json",
                lambda: _json(bpe_export.tokenizer_json(trace)),
            ),
            _("The merges, in the format of GPT-2's merges.txt"): (
                "merges.txt",
                lambda: _json(bpe_export.merges_text(trace)),
            ),
        },
        tables={
            _("Every merge: its pair, its count, the runner-up"): lambda: bpe_export.merge_rows(trace),
            _("Every entry of the vocabulary and how often it occurs"): lambda: bpe_export.vocabulary_rows(
                trace
            ),
        },
        arrays={_("The trace as arrays, to be read with numpy"): lambda: _arrays(trace)},
    )


def show_three(merges: MergeTrace, bound: MergeTrace, likely: UnigramTrace) -> None:
    """Downloads of the three trainings side by side."""
    export.panel(
        "bpe_three",
        files={
            _("BPE as tokenizer.json"): ("bpe.json", lambda: _json(bpe_export.tokenizer_json(merges))),
            _("WordPiece as tokenizer.json"): (
                "wordpiece.json",
                lambda: _json(bpe_export.tokenizer_json(bound)),
            ),
            _("Unigram as tokenizer.json"): ("unigram.json", lambda: _json(bpe_export.unigram_json(likely))),
        },
        figures={_("The pieces of Unigram's first round around the cut"): lambda: quantities.losses(likely)},
        tables={
            _("Every merge of BPE"): lambda: bpe_export.merge_rows(merges),
            _("Every merge of WordPiece"): lambda: bpe_export.merge_rows(bound),
            _("Every piece of Unigram's last round"): lambda: bpe_export.unigram_rows(likely),
        },
    )


def show_compared(compared: Sequence[Comparison], price: LanguagePrice | None) -> None:
    """Downloads of a text in several vocabularies."""
    drawn = {_("Tokens of the sentence"): lambda: quantities.compared(compared, "tokens")}
    if price is not None:
        found = price
        drawn[_("The price of a language")] = lambda: quantities.price(found)
    export.panel(
        "bpe_real", figures=drawn, tables={_("Every token of the sentence"): lambda: _rows(compared)}
    )


def _rows(compared: Sequence[Comparison]) -> list[dict[str, object]]:
    return [
        {"vocabulary": one.name, "place": i, "id": token.id, "token": token.text, "bytes": token.raw.hex(" ")}
        for one in compared
        for i, token in enumerate(one.tokens.tokens, 1)
    ]


def _json(text: str) -> bytes:
    return text.encode("utf-8")


def _figures(trace: MergeTrace, step: int) -> dict[str, Callable[[], go.Figure]]:
    if not trace.merges:
        return {}
    n = max(1, step)
    return {
        _("Pairs before and after merge {n}", n=n): lambda: quantities.pairs(trace, n),
        _("How the token of merge {n} came to be", n=n): lambda: quantities.tree(trace, n),
        **{title: _curve(trace, step, field) for field, title in quantities.titles().items()},
        _("Zipf's law after merge {n}", n=step): lambda: quantities.zipf(trace, step),
    }


def _curve(trace: MergeTrace, step: int, field: str) -> Callable[[], go.Figure]:
    return lambda: quantities.curve(trace, step, field)


def _arrays(trace: MergeTrace) -> dict[str, np.ndarray]:
    names = ("pairs", "pair_count", "formed", "runner_up", "runner_up_count", "tokens", "symbols", "joined")
    return {name: getattr(trace, name) for name in names}
