"""Training equals a naive restatement of the procedure, and Hugging Face's trainer for bytes."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as check
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from dlviz.errors import Refused
from dlviz.events import Progress, Result
from dlviz.language import bpe, pretokenise
from dlviz.language.results import MergeSettings, MergeTrace
from tests.language.corpora import CORPORA, novels


def naive(text: str, merges: int, min_count: int, tie_break: str) -> list[tuple[str, str, int, int]]:
    """The slide's procedure, word for word: count all pairs, merge the best one everywhere, repeat.

    Returns left, right, count and how many pairs were as good.
    """
    tokens = list(text)
    ids = {letter: i for i, letter in enumerate(sorted(set(text)))}
    learnt = []
    for _ in range(merges):
        counts: dict[tuple[str, str], int] = {}
        for pair in pairwise(tokens):
            counts[pair] = counts.get(pair, 0) + 1
        best = max(counts.values(), default=0)
        if best < min_count:
            break
        tied = [pair for pair, count in counts.items() if count == best]  # in the order of the text
        left, right = min(tied, key=lambda p: (ids[p[0]], ids[p[1]])) if tie_break == "ids" else tied[0]
        ids.setdefault(left + right, len(ids))
        learnt.append((left, right, best, len(tied)))
        merged, i = [], 0
        while i < len(tokens):
            fits = tokens[i : i + 2] == [left, right]
            merged.append(left + right if fits else tokens[i])
            i += 2 if fits else 1
        tokens = merged
    return learnt


def learnt(trace: MergeTrace) -> list[tuple[str, str]]:
    written = bpe.written_tokens(trace)
    return [(written[a], written[b]) for a, b in trace.pairs.tolist()]


@pytest.mark.parametrize("tie_break", ["first", "ids"])
@pytest.mark.parametrize("name", CORPORA)
def test_slide_mode_equals_the_naive_procedure(name: str, tie_break: str) -> None:
    text = CORPORA[name][:1200]
    settings = MergeSettings(vocabulary_size=len(set(text)) + 60, tie_break=tie_break)
    trace = bpe.train(text, settings)
    expected = naive(text, 60, 2, tie_break)
    assert learnt(trace) == [(left, right) for left, right, _, _ in expected]
    assert trace.pair_count.tolist() == [count for _, _, count, _ in expected]
    assert [bpe.step(trace, n).tied for n in range(1, trace.merges + 1)] == [tied for *_, tied in expected]


@given(st.text(alphabet="ab c", min_size=1, max_size=60).filter(str.strip), st.sampled_from(["first", "ids"]))
@check(deadline=None, max_examples=150)
def test_slide_mode_equals_the_naive_procedure_on_any_text(text: str, tie_break: str) -> None:
    settings = MergeSettings(vocabulary_size=len(set(text)) + 30, min_count=1, tie_break=tie_break)
    assert learnt(bpe.train(text, settings)) == [(a, b) for a, b, *_ in naive(text, 30, 1, tie_break)]


def huggingface(text: str, vocabulary_size: int, min_count: int) -> list[tuple[str, str]]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=min_count,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


@pytest.mark.parametrize("min_count", [1, 2])
@pytest.mark.parametrize("name", CORPORA)
def test_bytes_give_the_merges_of_hugging_face(name: str, min_count: int) -> None:
    settings = MergeSettings(
        unit="bytes", split="gpt2", vocabulary_size=556, min_count=min_count, tie_break="ids"
    )
    assert learnt(bpe.train(CORPORA[name], settings)) == huggingface(CORPORA[name], 556, min_count)


@pytest.mark.parametrize("name", ["fra", "eng"])
def test_bytes_give_the_merges_of_hugging_face_on_novels(name: str) -> None:
    text = novels(name, 1_000_000)
    if text is None:
        pytest.skip("needs the novels of DLVIZ_DATA_DIR")
    settings = MergeSettings(unit="bytes", split="gpt2", vocabulary_size=3256, tie_break="ids")
    assert learnt(bpe.train(text, settings)) == huggingface(text, 3256, 2)


def test_the_course_sentence() -> None:
    """The slide merges "l" and "a", then "s" and "o", then "so" and "u"; every pair it picks is seen twice.

    With the stated tie-break, the pair that comes first in the text, "la" first takes the space along.
    """
    trace = bpe.train("la souris rit sous la pluie", MergeSettings(vocabulary_size=100))
    texts = [bpe.step(trace, n).new_text for n in range(1, trace.merges + 1)]
    assert texts == ["la", "la ", "so", "sou", "ri", "s "]
    assert trace.pair_count.tolist() == [2] * 6
    assert [bpe.step(trace, n).tied for n in range(1, 7)] == [7, 6, 4, 3, 2, 1]
    assert trace.tokens.tolist() == [27, 25, 23, 21, 19, 17, 15]
    assert trace.stopped == "count"
    final = [token.text for token in bpe.excerpt(trace, trace.merges).tokens]
    assert final == ["la ", "sou", "ri", "s ", "ri", "t", " ", "sou", "s ", "la ", "p", "l", "u", "i", "e"]


def test_words_end_with_a_mark_and_repeat_by_count() -> None:
    """Sennrich's example (2016): low x5, lower x2, newest x6, widest x3; es, est and lo come first."""
    text = "low " * 5 + "lower " * 2 + "newest " * 6 + "widest " * 3
    trace = bpe.train(text, MergeSettings(split="words", vocabulary_size=100))
    assert learnt(trace)[:5] == [("e", "s"), ("es", "t</w>"), ("l", "o"), ("n", "e"), ("ne", "w")]
    assert trace.pair_count[:5].tolist() == [9, 9, 7, 6, 6]
    assert trace.words == 16


def test_a_long_text_gives_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = CORPORA["french"] * 5
    settings = MergeSettings(unit="bytes", split="gpt2", vocabulary_size=400)
    whole = bpe.train(text, settings)
    monkeypatch.setattr(pretokenise, "CHUNK", 100)
    assert len(list(pretokenise.chunks(text))) > 10
    assert bpe.train(text, settings).pairs.tolist() == whole.pairs.tolist()


@pytest.mark.parametrize("split", ["words", "gpt2"])
@given(text=st.text(max_size=200))
@check(deadline=None, max_examples=100)
def test_cutting_a_text_moves_no_border(split: str, text: str) -> None:
    old, pretokenise.CHUNK = pretokenise.CHUNK, 5
    try:
        parts = [piece for chunk in pretokenise.chunks(text) for piece in pretokenise.pieces(chunk, split)]
    finally:
        pretokenise.CHUNK = old
    assert parts == pretokenise.pieces(text, split)


def test_progress_comes_before_the_result() -> None:
    events = list(bpe.train_steps(CORPORA["french"], MergeSettings()))
    assert isinstance(events[-1], Result)
    assert all(isinstance(event, Progress) for event in events[:-1])
    assert len(events) > 1


def test_a_text_without_a_space_is_one_word_and_trains() -> None:
    text = "souris" * 20_000
    trace = bpe.train(text, MergeSettings(unit="bytes", split="gpt2", vocabulary_size=300))
    assert trace.tokens[-1] <= len(text) / 6
    assert len(trace.word_offset) == 2


def test_one_character_and_runs() -> None:
    assert bpe.train("a", MergeSettings()).merges == 0
    trace = bpe.train("aaaaa", MergeSettings(min_count=1))
    assert trace.pair_count[0] == 4 and trace.formed[0] == 2
    assert trace.tokens.tolist() == [5, 3, 2, 1]


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", MergeSettings()),
        (" \n\t", MergeSettings()),
        ("half \ud83d of it", MergeSettings()),
        ("a word</w> marked", MergeSettings(split="words")),
        ("abcdefghij", MergeSettings(vocabulary_size=5)),
        ("abc", MergeSettings(unit="bytes", vocabulary_size=255)),
        ("abc", MergeSettings(vocabulary_size=32_001)),
        ("abc", MergeSettings(vocabulary_size=0)),
        ("abc", MergeSettings(min_count=0)),
        ("a" * 10_500_001, MergeSettings()),
    ],
)
def test_what_cannot_be_trained_on_is_refused(text: str, settings: MergeSettings) -> None:
    with pytest.raises(Refused):
        bpe.train(text, settings)


def test_right_to_left_marks_and_emoji_train() -> None:
    for unit in ("characters", "bytes"):
        for split in ("none", "words", "gpt2"):
            trace = bpe.train(CORPORA["mixed"], MergeSettings(unit=unit, split=split, vocabulary_size=700))
            assert trace.merges > 20


def test_wordpiece_prefers_parts_that_are_seldom_apart() -> None:
    """The Hugging Face course's example: hug x10, pug x5, pun x12, bun x4, hugs x5; first gs, then hu.

    For the third merge the course sees a tie at 1/15; by its own counts hu + g is worth 10 / (15 * 15) only.
    """
    text = "hug " * 10 + "pug " * 5 + "pun " * 12 + "bun " * 4 + "hugs " * 5
    trace = bpe.train(text, MergeSettings(algorithm="wordpiece", split="bert", vocabulary_size=100))
    assert bpe.written_tokens(trace)[len(trace.alphabet) :][:3] == ("##gs", "hu", "hugs")
    assert trace.score[0] == pytest.approx(5 / (20 * 5))
    assert trace.score[1] == pytest.approx(15 / (15 * 36))
    assert trace.score[2] == pytest.approx(5 / (15 * 5))


def test_wordpiece_scores_are_what_a_fresh_count_gives() -> None:
    trace = bpe.train(
        CORPORA["french"], MergeSettings(algorithm="wordpiece", split="bert", vocabulary_size=220)
    )
    for n in range(1, trace.merges + 1):
        step = bpe.step(trace, n)
        assert step.winner is not None
        assert step.before.pairs[0] == step.winner
        counts: dict[int, int] = {}
        for word in range(len(trace.word_count)):
            for token in _tokens(trace, word, n - 1):
                counts[token] = counts.get(token, 0) + int(trace.word_count[word])
        parts = counts[step.winner.left] * counts[step.winner.right]
        assert step.winner.score == pytest.approx(step.winner.count / parts)


def _tokens(trace: MergeTrace, word: int, n: int) -> list[int]:
    from dlviz.language.bpe_moments import word_tokens

    return word_tokens(trace, word, n)


def test_arrays_are_small_and_plain() -> None:
    trace = bpe.train(CORPORA["english"], MergeSettings())
    for name in ("pairs", "symbols", "joined"):
        assert getattr(trace, name).dtype == np.int32
