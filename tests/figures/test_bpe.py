"""The figures show the numbers of the results, and nothing of a visitor's text is read as HTML."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from dlviz.figures import bpe as figures
from dlviz.language import bpe, unigram, vocabularies
from dlviz.language.results import MergeSettings, UnigramSettings
from dlviz.settings import ROOT

TEXT = "la souris rit sous la pluie"
TRACE = bpe.train(TEXT, MergeSettings(vocabulary_size=100))
WORDS = figures.PairWords("before", "after", "count")


def whole(figure: go.Figure) -> str:
    """Drawing the figure to JSON is what the page does; it fails on what Plotly does not take."""
    return str(figure.to_json())


def test_the_winner_and_what_it_made_stand_out() -> None:
    figure = figures.pair_counts(bpe.step(TRACE, 4), WORDS)
    before, after = figure.data
    assert before.marker.color[0] == figures.WINNER
    assert before.marker.color.count(figures.WINNER) == 1
    assert figure.layout.yaxis.ticktext[0] == "so + u"
    new = [
        label
        for label, c in zip(figure.layout.yaxis2.ticktext, after.marker.color, strict=True)
        if c == figures.NEW
    ]
    assert new and all("sou" in label for label in new)
    assert before.x[0] == 2


def test_moment_zero_has_no_winner() -> None:
    figure = figures.pair_counts(bpe.step(TRACE, 0), WORDS)
    assert figures.WINNER not in figure.data[0].marker.color
    assert figures.NEW not in figure.data[1].marker.color


def test_white_space_is_seen_and_tags_are_not_read() -> None:
    assert figures.visible("la ") == "la␣"
    assert figures.visible("<b>&\n") == "&lt;b&gt;&amp;⏎"
    assert len(figures.visible("x" * 100)) == 24
    trace = bpe.train("<a href='x'>y</a>" * 3, MergeSettings(vocabulary_size=40))
    drawn = [
        figures.pair_counts(bpe.step(trace, trace.merges), WORDS),
        figures.merge_tree(
            bpe.tree(trace, trace.vocabulary_size - 1), merge="merge", symbol="symbol", count="count"
        ),
        figures.zipf(
            bpe.frequencies(trace, trace.merges), figures.ZipfWords("rank", "count", "tokens", "law")
        ),
    ]
    for figure in drawn:
        assert "<a href" not in whole(figure).replace("\\u003c", "<")


def test_curves_hold_every_moment() -> None:
    curves = bpe.curves(TRACE)
    figure = figures.curve(
        [("BPE", curves)], "characters_per_token", figures.CurveWords("merges", "c"), moment=3
    )
    assert list(figure.data[0].y) == pytest.approx([27 / n for n in (27, 25, 23, 21, 19, 17, 15)])
    assert figure.layout.shapes[0].x0 == 3
    figure = figures.curve([("BPE", curves)], "used", figures.CurveWords("size", "c"), by_vocabulary=True)
    assert figure.data[0].x[0] == 11


def test_zipf_draws_counts_and_the_fitted_law() -> None:
    result = bpe.frequencies(TRACE, 0)
    figure = figures.zipf(result, figures.ZipfWords("rank", "count", "tokens", "law"))
    assert list(figure.data[0].y) == result.count.tolist()
    assert figure.data[1].y[0] == pytest.approx(result.level)


def test_a_tree_lies_above_its_symbols() -> None:
    figure = figures.merge_tree(bpe.tree(TRACE, 14), merge="merge", symbol="symbol", count="count")
    nodes = figure.data[1]
    heights = dict(zip(nodes.text, nodes.y, strict=True))
    assert heights == {"s": 0, "o": 0, "u": 0, "so": 1, "sou": 2}


def test_vocabularies_are_compared_by_their_numbers() -> None:
    results = vocabularies.compare(TEXT, ["clip"])
    figure = figures.comparison(results, "tokens", axis="tokens")
    assert list(figure.data[0].x) == [len(results[0].tokens.tokens)]
    price = vocabularies.price("The mouse laughs.", "La souris rit.", ["clip"])
    bars = figures.language_price(price, first="English", second="French", axis="tokens")
    assert [bar.x[0] for bar in bars.data] == [price.first[0], price.second[0]]
    assert {bar.orientation for bar in bars.data} == {"h"}
    assert list(bars.layout.yaxis.ticktext) == ["CLIP"]


def test_a_long_name_of_a_vocabulary_takes_two_lines() -> None:
    one = replace(vocabularies.tokenise("clip", TEXT), title="Our decoder (byte-level BPE) <b>")
    named = figures.comparison([one], "tokens", axis="tokens").layout.yaxis.ticktext[0]
    first, second = named.split("<br>", 1)
    assert first == "Our decoder" and second.startswith("(byte-level BPE)") and "<b>" not in second


def test_a_unigram_round_shows_who_stays_and_who_goes() -> None:
    trace = unigram.train((ROOT / "assets/texts/le_marche.txt").read_text("utf-8"), UnigramSettings())
    words = figures.LossWords("loss", "kept", "pruned")
    kept, pruned = figures.unigram_losses(trace.rounds[0], words).data
    assert len(kept.x) and len(pruned.x)
    assert max(pruned.x) <= min(kept.x)
    assert np.isfinite(kept.x).all()
    assert not len(figures.unigram_losses(trace.rounds[-1], words).data[1].x)


def test_figures_load_no_torch() -> None:
    code = "import dlviz.figures.bpe, sys; print([m for m in ('torch', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
