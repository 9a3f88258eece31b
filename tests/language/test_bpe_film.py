"""The films that a browser plays show what the science says at every step."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlviz.language import bpe, bpe_film, bpe_moments, sample_texts, unigram
from dlviz.language.bpe_film import Film
from dlviz.language.results import NEVER, MergeSettings, MergeTrace, UnigramSettings

STORY = sample_texts.sample("marche").text[:600]
SETTINGS = [
    MergeSettings(),
    MergeSettings(unit="bytes", split="gpt2"),
    MergeSettings(split="words", tie_break="ids"),
    MergeSettings("wordpiece", split="bert", vocabulary_size=120),
]


def tokens_at(film: Film, n: int) -> list[int]:
    """What the browser does: the entries of the tokens after ``n`` steps."""
    made = dict(zip(film.made_step.tolist(), film.made.tolist(), strict=True))
    found, latest = [], -1
    for i, (symbol, step) in enumerate(zip(film.symbols.tolist(), film.joined.tolist(), strict=True)):
        if step < n and i + 1 < len(film.symbols):
            latest = max(latest, step)
            continue
        found.append(symbol if latest < 0 else made[latest])
        latest = -1
    return found


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_film_of_a_training_shows_its_tokens_at_every_step(settings: MergeSettings) -> None:
    trace = bpe.train(STORY, settings)
    film = bpe_film.film(trace, 0, 0, symbols=100_000)
    for n in range(0, trace.merges + 1, 7):
        shown = [film.entries[place].id for place in tokens_at(film, n)]
        assert shown == [token.id for token in bpe.excerpt(trace, n).tokens]


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_window_holds_the_pairs_of_each_moment(settings: MergeSettings) -> None:
    trace = bpe.train(STORY, settings)
    film = bpe_film.film(trace, 3, 9, top=6)
    assert [moment.n for moment in film.moments] == list(range(3, 10))
    for moment in film.moments:
        now = bpe.step(trace, moment.n, top=6)
        shown = [
            (film.entries[row.left].text, film.entries[row.right].text, row.count) for row in moment.pairs
        ]
        assert shown == [(pair.left_text, pair.right_text, pair.count) for pair in now.after.pairs]
        assert film.entries[moment.made].text == now.new_text
        assert moment.tied == now.tied


def test_the_window_ends_with_the_training() -> None:
    trace = bpe.train(sample_texts.COURSE_BPE, MergeSettings())
    film = bpe_film.film(trace, -5, 100)
    assert [moment.n for moment in film.moments] == list(range(trace.merges + 1))
    assert film.moments[0].winner is None


def test_parts_of_an_entry_make_its_bytes() -> None:
    trace = bpe.train(STORY, MergeSettings(unit="bytes", split="gpt2"))
    film = bpe_film.film(trace, 0, 10)
    merged = [entry for entry in film.entries if entry.left >= 0]
    assert merged
    for entry in merged:
        assert film.entries[entry.left].raw + film.entries[entry.right].raw == entry.raw


def test_a_long_text_shows_its_beginning() -> None:
    film = bpe_film.film(bpe.train(STORY, MergeSettings()), 0, 0, symbols=50)
    assert len(film.symbols) == 50
    assert "".join(film.entries[place].text for place in film.symbols.tolist()) == STORY[:50]


@pytest.mark.parametrize("unit", ["characters", "bytes"])
def test_the_film_of_a_sentence_shows_its_stages(unit: str) -> None:
    trace = bpe.train(STORY, MergeSettings(unit=unit))  # type: ignore[arg-type]
    replay = bpe.replay(trace, "le marché ☂ de Noël ☂☃")
    film = bpe_film.replay_film(replay)
    assert film.steps == len(replay.firings) > 3
    for k in range(film.steps + 1):
        shown = [film.entries[place] for place in tokens_at(film, k)]
        stage = replay.stage(k)
        assert [entry.id for entry in shown] == [token.id for token in stage]
        assert b"".join(entry.raw for entry in shown) == b"".join(token.raw for token in stage)
        assert film.moments[k].tokens == len(stage)
    assert [entry.known for entry in shown] == [token.known for token in stage]


def test_white_space_left_out_is_known() -> None:
    trace = bpe.train(STORY, MergeSettings(split="words"))
    assert bpe_film.replay_film(bpe.replay(trace, "le marché")).gap
    trace = bpe.train(STORY, MergeSettings(split="gpt2", unit="bytes"))
    assert not bpe_film.replay_film(bpe.replay(trace, "le marché")).gap


def test_the_film_of_unigram_shows_its_rounds() -> None:
    trace = unigram.train(STORY, UnigramSettings(80))
    film = bpe_film.piece_film(trace, symbols=200, top=6)
    assert [one.pieces for one in film.rounds] == [len(one.pieces) for one in trace.rounds]
    assert not film.rounds[-1].pruned
    for number, one in enumerate(film.rounds):
        tokens = unigram.tokenise(trace, film.text, round_number=number).tokens
        assert [film.entries[place].text for place in one.tokens] == [token.text for token in tokens]
        losses = dict(zip(trace.rounds[number].pieces, trace.rounds[number].loss, strict=True))
        for row in one.rows:
            assert row.loss == max(0.0, losses[film.entries[row.entry].text.replace(" ", unigram.SPACE)])
        gone = [row.pruned for row in one.rows]
        assert gone == sorted(gone, reverse=True)


def test_a_symbol_that_is_never_glued_stays() -> None:
    film = bpe_film.film(bpe.train("abc", MergeSettings()), 0, 0)
    assert np.all(film.joined == NEVER)
    assert len(tokens_at(film, 0)) == 3


@pytest.mark.parametrize("settings", [*SETTINGS, MergeSettings("wordpiece", split="bert", min_count=3)])
def test_neighbouring_moments_have_the_counts_of_a_fresh_look(settings: MergeSettings) -> None:
    """The table of each moment follows from the one before; here all pairs are counted again each time."""
    trace = bpe.train(STORY, settings)
    least = settings.min_count if settings.algorithm == "wordpiece" else 1
    for now in bpe_moments.steps_between(trace, 0, trace.merges, top=12):
        fresh = counted(trace, now.n)
        assert (now.after.distinct, now.after.total) == (len(fresh), sum(fresh.values()))
        found = {(pair.left, pair.right): pair.count for pair in now.after.pairs}
        assert found.items() <= fresh.items()
        assert len(found) == min(12, sum(count >= least for count in fresh.values())) or not found
        if settings.algorithm == "bpe":
            assert sorted(found.values()) == sorted(fresh.values())[-12:]
        assert now == bpe.step(trace, now.n, top=12)


def counted(trace: MergeTrace, n: int) -> Counter[tuple[int, int]]:
    """Every pair of neighbours in the text after ``n`` merges."""
    pairs: Counter[tuple[int, int]] = Counter()
    for word, times in enumerate(trace.word_count.tolist()):
        for pair in pairwise(bpe_moments.word_tokens(trace, word, n)):
            pairs[pair] += times
    return pairs


@given(
    scores=st.lists(st.integers(0, 10**6) | st.sampled_from([0, 1, 2]), min_size=1, max_size=60),
    top=st.integers(1, 20),
)
def test_the_bar_lets_the_best_through(scores: list[int], top: int) -> None:
    leaders = bpe_moments._leaders(np.array(scores), top)
    alive = sorted((score for score in scores if score > 0), reverse=True)
    assert sorted(np.array(scores)[leaders].tolist(), reverse=True)[:top] == alive[:top]
