"""Export: the vocabulary for Hugging Face's library, its merges, tables and figures."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go

from dlviz.language import bpe_export
from dlviz.language.results import MergeTrace
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
                lambda: bpe_export.tokenizer_json(trace).encode("utf-8"),
            ),
            _("The merges, in the format of GPT-2's merges.txt"): (
                "merges.txt",
                lambda: bpe_export.merges_text(trace).encode("utf-8"),
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
