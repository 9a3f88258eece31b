"""Encoding equals the naive rule, comes back by decoding, and is Hugging Face's through the exported file."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as check
from hypothesis import strategies as st
from tokenizers import Tokenizer

from dlviz.errors import Refused
from dlviz.language import bpe, bpe_export, pretokenise, unigram, wordpiece
from dlviz.language.bpe_encoding import merge_piece
from dlviz.language.results import MergeSettings, MergeTrace, UnigramSettings
from tests.language.corpora import CORPORA, ENGLISH, FRENCH, MIXED

MODES = [(unit, split) for unit in ("characters", "bytes") for split in ("none", "words", "gpt2")]
WILD = [
    FRENCH,
    ENGLISH,
    MIXED,
    "",
    " ",
    "a",
    "  two  spaces ",
    "☃ unknown Ως ΣΑΣ İ ß",
    "e\u0301\u0302\u0327",
    "<unk>",
    "\n\n\t x",
]


@cache
def trained(unit: str, split: str, **choices: object) -> MergeTrace:
    settings = MergeSettings(unit=unit, split=split, vocabulary_size=700, **choices)
    return bpe.train(CORPORA["french"] + CORPORA["english"] + CORPORA["runs"], settings)


def naive_merge(symbols: list[int], merges: dict[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Look for the earliest merge among all neighbours, apply it once, leftmost first, again and again."""
    while True:
        found = [(merges[pair][0], i) for i, pair in enumerate(pairwise(symbols)) if pair in merges]
        if not found:
            return symbols
        _, i = min(found)
        symbols = [*symbols[:i], merges[symbols[i], symbols[i + 1]][1], *symbols[i + 2 :]]


@given(
    st.lists(st.integers(0, 3), max_size=30),
    st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), unique=True, max_size=12),
)
@check(deadline=None, max_examples=300)
def test_merging_a_piece_equals_the_naive_rule(symbols: list[int], pairs: list[tuple[int, int]]) -> None:
    merges = {pair: (i, 4 + i) for i, pair in enumerate(pairs)}
    assert merge_piece(symbols, merges)[1] == naive_merge(symbols, merges)


@pytest.mark.parametrize("split", ["none", "gpt2"])
@given(text=st.text(max_size=80) | st.sampled_from(WILD))
@check(deadline=None, max_examples=200)
def test_bytes_come_back_whatever_the_text(split: str, text: str) -> None:
    trace = trained("bytes", split)
    ids = bpe.encode(trace, text)
    assert bpe.decode(trace, ids) == text
    replayed = bpe.replay(trace, text)
    assert replayed.result.ids == tuple(ids)
    assert replayed.result.round_trip


@given(text=st.text(max_size=80).filter(lambda text: "</w>" not in text) | st.sampled_from(WILD))
@check(deadline=None, max_examples=100)
def test_words_come_back_with_single_spaces(text: str) -> None:
    trace = trained("bytes", "words")
    replayed = bpe.replay(trace, text)
    assert bpe.decode(trace, bpe.encode(trace, text)) == replayed.result.text
    assert replayed.result.text == " ".join(pretokenise.pieces(text, "words"))


@pytest.mark.parametrize("choices", [{}, {"lower": True, "normalisation": "NFKC"}, {"normalisation": "NFD"}])
@pytest.mark.parametrize(("unit", "split"), MODES)
def test_the_exported_file_gives_the_same_ids(unit: str, split: str, choices: dict[str, object]) -> None:
    trace = trained(unit, split, **choices)
    for n in (None, 0, 40):
        theirs = Tokenizer.from_str(bpe_export.tokenizer_json(trace, n=n))
        assert theirs.get_vocab_size() == len(trace.alphabet) + (trace.merges if n is None else n) + (
            unit == "characters"
        )
        for text in WILD:
            ids = bpe.encode(trace, text, n=n)
            assert theirs.encode(text).ids == ids, text
            if unit == "bytes":
                assert theirs.decode(ids) == bpe.decode(trace, ids)


@given(text=st.text(max_size=60))
@check(deadline=None, max_examples=200)
def test_the_exported_file_gives_the_same_ids_on_any_text(text: str) -> None:
    theirs = _exported()
    assert theirs.encode(text).ids == bpe.encode(trained("bytes", "gpt2"), text)


@cache
def _exported() -> Tokenizer:
    return Tokenizer.from_str(bpe_export.tokenizer_json(trained("bytes", "gpt2")))


def test_replay_tells_every_merge_in_order() -> None:
    trace = bpe.train("la souris rit sous la pluie", MergeSettings(vocabulary_size=100))
    replay = bpe.replay(trace, "sous la souris")
    assert [(f.merge, f.left, f.right, f.places, f.tokens_after) for f in replay.firings] == [
        (1, "l", "a", 1, 13),
        (2, "la", " ", 1, 12),
        (3, "s", "o", 2, 10),
        (4, "so", "u", 2, 8),
        (5, "r", "i", 1, 7),
        (6, "s", " ", 1, 6),
    ]
    assert [token.text for token in replay.stage(0)] == list("sous la souris")
    assert [token.text for token in replay.stage(4)] == ["sou", "s", " ", "la ", "sou", "r", "i", "s"]
    assert replay.stage(6) == replay.result.tokens
    assert [(token.start, token.end) for token in replay.result.tokens] == [
        (0, 3), (3, 5), (5, 8), (8, 11), (11, 13), (13, 14),
    ]  # fmt: skip


def test_replay_with_the_first_merges_only() -> None:
    trace = trained("bytes", "gpt2")
    for n in (0, 1, 17, trace.merges):
        replay = bpe.replay(trace, FRENCH, n=n)
        assert list(replay.result.ids) == bpe.encode(trace, FRENCH, n=n)
        assert all(firing.merge <= n for firing in replay.firings)
        assert replay.result.round_trip


def test_the_training_text_is_encoded_as_it_was_merged() -> None:
    for unit, split in MODES:
        trace = trained(unit, split)
        text = CORPORA["french"] + CORPORA["english"] + CORPORA["runs"]
        for n in (0, 25, trace.merges):
            shown = bpe.excerpt(trace, n, characters=400)
            assert list(shown.ids) == bpe.encode(trace, text, n=n)[: len(shown.ids)]
            assert shown.tokens[-1].end >= 390
            for token in shown.tokens:
                if unit == "characters":
                    assert shown.text[token.start : token.end].startswith(token.text.removesuffix("…"))


def test_unknown_characters_are_said_to_be() -> None:
    trace = trained("characters", "gpt2")
    replay = bpe.replay(trace, "la ☃ pluie")
    unknown = [token for token in replay.result.tokens if not token.known]
    assert [(token.text, token.id) for token in unknown] == [("☃", trace.vocabulary_size)]
    assert replay.result.decoded == "la \ufffd pluie"
    assert not replay.result.round_trip


def test_bytes_of_one_character_share_its_place() -> None:
    trace = bpe.train("abc", MergeSettings(unit="bytes", vocabulary_size=256))
    tokens = bpe.replay(trace, "a👍b").result.tokens
    assert [(token.text, token.start, token.end) for token in tokens] == [
        ("a", 0, 1), ("⟨F0⟩", 1, 2), ("⟨9F⟩", 1, 2), ("⟨91⟩", 1, 2), ("⟨8D⟩", 1, 2), ("b", 2, 3),
    ]  # fmt: skip


def test_what_cannot_be_replayed_is_refused() -> None:
    trace = trained("bytes", "gpt2")
    with pytest.raises(Refused):
        bpe.replay(trace, "a" * 2001)
    with pytest.raises(Refused):
        bpe.replay(trace, "\ud83d")
    with pytest.raises(Refused):
        bpe.encode(trained("bytes", "words"), "a</w>")
    for n in (-1, trace.merges + 1):
        with pytest.raises(Refused):
            bpe.step(trace, n)
        with pytest.raises(Refused):
            bpe_export.tokenizer_json(trace, n=n)


def test_wordpiece_equals_hugging_face() -> None:
    text = CORPORA["french"] + CORPORA["english"]
    trace = bpe.train(text, MergeSettings(algorithm="wordpiece", split="bert", vocabulary_size=400))
    for n in (None, 10):
        theirs = Tokenizer.from_str(bpe_export.tokenizer_json(trace, n=n))
        for sample in [*WILD, text, "J'adore le traitement automatique du langage", "x" * 101, "x$y^z «w»"]:
            if len(sample) <= 2000:
                ours = wordpiece.longest_match(trace, sample, n=n).result
                assert list(ours.ids) == theirs.encode(sample).ids
                assert [t.written for t in ours.tokens] == theirs.encode(sample).tokens


def test_wordpiece_tells_what_it_tried() -> None:
    trace = bpe.train("sous souris", MergeSettings(algorithm="wordpiece", split="bert", vocabulary_size=20))
    pieces = set(bpe.written_tokens(trace))
    found = wordpiece.longest_match(trace, "souris sx")
    for match in found.matches:
        assert not pieces & set(match.tried)
        assert match.piece is None or match.piece in pieces
    assert found.result.tokens[-1].written == "[UNK]"
    assert found.result.tokens[-1].text == "sx"
    assert found.result.decoded == "souris [UNK]"


@cache
def unigram_trace() -> object:
    return unigram.train(CORPORA["french"] + CORPORA["english"], UnigramSettings(vocabulary_size=120))


def test_unigram_equals_hugging_face() -> None:
    trace = unigram_trace()
    for number in range(len(trace.rounds)):
        theirs = Tokenizer.from_str(bpe_export.unigram_json(trace, round_number=number))
        for text in [FRENCH, ENGLISH, "la souris rit", "une seule ☃ inconnue", "", "  deux  mots "]:
            ours = unigram.tokenise(trace, text, round_number=number)
            assert theirs.encode(text).tokens == [token.written for token in ours.tokens]
            assert theirs.encode(text).ids == list(ours.ids)


def test_unigram_em_never_lowers_the_likelihood() -> None:
    trace = unigram_trace()
    for one in trace.rounds:
        losses = one.negative_log_likelihood
        assert (losses[1:] <= losses[:-1] + 1e-6 * abs(losses[0])).all()
        assert sum(map(float, (p for p in map(pow_e, one.log_probability)))) == pytest.approx(1, abs=1e-6)


def pow_e(value: float) -> float:
    return float(2.718281828459045**value)


def test_unigram_prunes_to_size_and_keeps_every_character() -> None:
    trace = unigram_trace()
    sizes = [len(one.pieces) for one in trace.rounds]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] == 120
    assert not trace.rounds[-1].pruned.any()
    assert {letter for word in trace.text_words for letter in word} <= set(trace.rounds[-1].pieces)
    for before, after in pairwise(trace.rounds):
        stay = {p for p, gone in zip(before.pieces, before.pruned, strict=True) if not gone}
        assert set(after.pieces) == stay
        assert before.loss[before.pruned].max() <= before.loss[~before.pruned].min()


def test_unigram_expectation_equals_the_sum_over_all_segmentations() -> None:
    """By hand: "ab" is "ab" with 0.5, or "a" "b" with 0.25 * 0.25."""
    import math

    log_p = {"a": math.log(0.25), "b": math.log(0.25), "ab": math.log(0.5)}
    expected = dict.fromkeys(log_p, 0.0)
    loss = unigram.expectation({"ab": 3}, log_p, expected)
    total = 0.5 + 0.0625
    assert loss == pytest.approx(-3 * math.log(total))
    assert expected == pytest.approx(
        {"a": 3 * 0.0625 / total, "b": 3 * 0.0625 / total, "ab": 3 * 0.5 / total}
    )
    assert unigram.removal_losses(log_p, {"ab": 3})["ab"] == pytest.approx(3 * math.log(0.5 / 0.0625))


def test_the_lattice_holds_the_best_way() -> None:
    trace = unigram_trace()
    lattice = unigram.lattice(trace, "la souris rit")
    chosen = [arc for arc in lattice.arcs if arc.chosen]
    assert [arc.piece for arc in chosen] == [token.written for token in lattice.result.tokens]
    assert sum(arc.log_probability for arc in chosen) == pytest.approx(lattice.log_probability)
    assert chosen[-1].best == pytest.approx(lattice.log_probability)
    assert lattice.result.round_trip


def test_merges_text_and_tables() -> None:
    trace = trained("bytes", "gpt2")
    lines = bpe_export.merges_text(trace).splitlines()
    assert len(lines) == trace.merges + 1
    written = bpe.written_tokens(trace)
    assert lines[1] == " ".join(written[i] for i in trace.pairs[0].tolist())
    rows = bpe_export.vocabulary_rows(trace)
    assert sum(row["count"] for row in rows) == trace.tokens[-1]
    assert len(bpe_export.merge_rows(trace)) == trace.merges
    assert len(bpe_export.unigram_rows(unigram_trace())) == 120
