"""Word vectors trained on a text: what they learn, what is seen of it, and what is refused."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from dlviz import jobs
from dlviz.errors import Refused
from dlviz.events import Frame, Progress, Result
from dlviz.language import vector_files, word_corpus, word_samples, word_training
from dlviz.language.word_corpus import corpus
from dlviz.language.word_training_results import TrainedWords, WordFrame, WordSettings
from dlviz.language.word_vectors import neighbours

QUICK = WordSettings(dimensions=12, window=3, epochs=5, min_count=1, subsampling=0, seed=1)


def _text(lines: int = 600) -> str:
    """Two worlds of twelve words each that never meet, and *the* in both."""
    draw = np.random.default_rng(0)
    rows = []
    for line in range(lines):
        world = "sea" if line % 2 else "farm"
        rows.append(" ".join(f"{world}{letter} the" for letter in draw.choice(list("abcdefghijkl"), 5)) + ".")
    return "\n".join(rows)


def _train(
    text: str, settings: WordSettings, **more: object
) -> tuple[list[WordFrame], TrainedWords, list[Progress]]:
    events = list(word_training.train(text, settings, **more))  # type: ignore[arg-type]
    frames = [event.value for event in events if isinstance(event, Frame)]
    assert isinstance(events[-1], Result)
    return frames, events[-1].value, [event for event in events if isinstance(event, Progress)]  # type: ignore[return-value]


@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
def test_words_of_one_world_come_together(method: str) -> None:
    settings = replace(QUICK, method=method, epochs=10, alpha=0.1)
    frames, trained, progress = _train(_text(), settings, watched=("seaa", "Farmb", "nowhere"), near=5)
    assert frames[0].done == 0 and not len(frames[0].losses)
    assert frames[-1].losses[-1] < min(frames[-1].losses[0] - 0.2, 0.6 * 6 * np.log(2))
    assert frames[-1].done == frames[-1].total and frames[-1].epochs[-1] == 10
    assert trained.unknown == ("nowhere",) and frames[-1].watched == ("seaa", "farmb")
    assert all(word.startswith("sea") for word in frames[-1].near[0])
    assert all(word.startswith("farm") for word in frames[-1].near[1])
    assert frames[-1].cosine.shape == (2, 5) and (np.diff(frames[-1].cosine, axis=1) <= 1e-6).all()
    assert progress[-1].done == progress[-1].total
    assert [one.done for one in progress] == sorted(one.done for one in progress)
    found = neighbours(word_training.store(trained), "seaa", count=5)
    assert found.words == frames[-1].near[0]


def test_the_loss_before_anything_is_learnt() -> None:
    """(k + 1) ln 2 a pair; about that, since gensim draws windows and reads its logarithms off a table."""
    for method in ("skip-gram", "cbow"):
        slow = replace(QUICK, method=method, alpha=1e-5, min_alpha=1e-6, window=2)
        losses = _train(_text(), slow, frames=4)[0][-1].losses
        # A negative that is the right word is left out: of 25 words one in 25, and one in six for "the".
        assert losses.mean() == pytest.approx(6 * np.log(2), rel=0.15)


def test_the_same_seed_gives_the_same_vectors() -> None:
    settings = replace(QUICK, subsampling=0.02)
    one, again = (_train(_text(200), settings)[1] for _ in range(2))
    other = _train(_text(200), replace(settings, seed=2))[1]
    assert np.array_equal(one.matrix, again.matrix) and np.array_equal(
        one.frame.positions, again.frame.positions
    )
    assert not np.array_equal(one.matrix, other.matrix)


def test_the_map_does_not_spin() -> None:
    """From one frame to the next, the picture is as near to the last one as any turn of it could be."""
    frames = _train(_text(), QUICK, frames=20)[0]
    for before, after in pairwise(frames):
        product = after.positions.T @ before.positions
        assert np.trace(product) == pytest.approx(np.linalg.svd(product)[1].sum(), rel=1e-3)
        assert after.words == before.words


def test_without_watched_words_some_are_found() -> None:
    frames, trained, _ = _train(_text(200).replace("sea", "ocean"), QUICK)
    assert len(frames[-1].watched) == 5 and all(len(word) > 5 for word in frames[-1].watched)
    assert not trained.unknown


def test_words_that_stand_everywhere_are_not_on_the_map_of_a_large_vocabulary() -> None:
    draw = np.random.default_rng(0)
    names = ["".join(letters) for letters in draw.choice(list("abcdefghij"), (600, 6))]
    text = ".\n".join(f"the {draw.choice(names)} and the {draw.choice(names)}" for _ in range(3000))
    words = _train(text, replace(QUICK, epochs=1), shown=100)[0][-1].words
    assert len(words) >= 100 and not {"the", "and"} & set(words)
    assert "the" in _train(text, replace(QUICK, epochs=1), shown=1000)[0][-1].words


SMALL = {
    "ten words": "one two three four five six seven eight nine ten",
    "one word": "encore " * 5000,
    "two words": "encore toujours " * 5000,
    "nineteen words": (" ".join("abcdefghijklmnopqrs") + " ") * 30,
}


@pytest.mark.parametrize("name", SMALL)
def test_too_little_text_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="too short to learn from"):
        _train(SMALL[name], QUICK)


@pytest.mark.parametrize("text", ["", " \n", "12 34 !? 56", "?" * 1000, "\U0001f600" * 50])
def test_texts_without_words_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="no words"):
        _train(text, QUICK)


def test_rare_words_alone_are_refused_with_advice() -> None:
    with pytest.raises(Refused, match="Lower the minimum count"):
        _train(SMALL["ten words"], replace(QUICK, min_count=5))


def test_thinning_out_everything_is_refused() -> None:
    with pytest.raises(Refused, match="weaker subsampling"):
        _train(_text(), replace(QUICK, subsampling=1e-7))


@pytest.mark.parametrize(
    "bad",
    [
        {"dimensions": 1}, {"dimensions": 301}, {"window": 0}, {"negatives": 0}, {"epochs": 0}, {"epochs": 51},
        {"min_count": 0}, {"alpha": 0.0}, {"alpha": float("nan")}, {"subsampling": -1.0}, {"seed": -1},
        {"method": "glove"},
    ],
)  # fmt: skip
def test_settings_out_of_bounds(bad: dict[str, object]) -> None:
    with pytest.raises(Refused, match="out of its bounds"):
        _train(_text(), replace(QUICK, **bad))  # type: ignore[arg-type]


def test_hostile_texts_are_learnt_from_or_refused() -> None:
    draw = np.random.default_rng(0)
    letters = [chr(c) for c in draw.integers(32, 0x2FFF, 30_000)]
    for text in ("".join(letters), "a" * 100_000, "'-'" * 10_000, "x\u200d" * 5000, "\u0301a " * 3000):
        try:
            trained = _train(text, replace(QUICK, epochs=1, min_count=1))[1]
        except Refused:
            continue
        assert np.isfinite(trained.matrix).all()


def test_everything_travels_between_processes() -> None:
    frames, trained, _ = _train(_text(100), QUICK)
    for value in (frames[-1], trained, QUICK):
        assert type(pickle.loads(pickle.dumps(value))) is type(value)


def test_it_runs_in_the_process_lane_and_can_be_stopped() -> None:
    call = jobs.Call(
        "dlviz.language.word_training:train",
        {"text": _text(6000), "settings": replace(QUICK, epochs=50, dimensions=300)},
    )
    job = jobs.submit(call, visitor="word-training", lane="process")
    for event in job.events():
        if isinstance(event, Frame) and event.value.done:  # type: ignore[attr-defined]
            break
    job.cancel()
    assert job.wait(5)


def test_the_vectors_are_exported_and_read_back() -> None:
    store = word_training.store(_train(_text(100), QUICK)[1])
    for form in ("word2vec-text", "npz"):
        (data,) = vector_files.write(store, form).values()  # type: ignore[arg-type]
        again = vector_files.read(data)
        assert again.words == store.words and again.matrix == pytest.approx(store.matrix, abs=1e-5)


def test_a_corpus_by_hand() -> None:
    found = corpus("The cat, the dog. A dog saw the cat!\n\nYes", "en", 2)
    assert found.words == ("the", "cat", "dog") and found.counts.tolist() == [3, 2, 2]
    assert [[found.words[i] for i in found.sentence(n)] for n in range(found.sentences)] == [
        ["the", "cat", "the", "dog"],
        ["dog", "the", "cat"],
    ]
    assert (found.read, found.distinct) == (10, 6)


def test_a_long_text_is_read_in_stretches_to_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _text(300)
    whole = corpus(text, "en")
    monkeypatch.setattr(word_corpus, "_STRETCH", 500)
    parts = corpus(text, "en")
    assert parts.words == whole.words and np.array_equal(parts.tokens, whole.tokens)
    assert np.array_equal(parts.starts, whole.starts)
    one_line = corpus(text.replace("\n", " ").replace(".", ""), "en")
    assert np.array_equal(np.sort(one_line.counts), np.sort(whole.counts))
    assert np.diff(one_line.starts).max() <= 1000


def test_of_very_many_words_the_most_frequent_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_training, "MAX_NUMBERS", 21 * QUICK.dimensions)
    trained = _train(_text(), QUICK)[1]
    assert len(trained.words) == 21 and trained.cut == 25 - 21
    monkeypatch.setattr(word_corpus, "MAX_WORDS", 5)
    found = corpus(_text(100), "en")
    assert len(found.words) == 5 and found.cut == 20 and found.counts[-1] >= 1


def test_the_language_of_a_text_is_guessed() -> None:
    for one in word_samples.SAMPLES:
        assert word_corpus.guess(one.text) == one.language
    assert word_corpus.guess("") == "en"


def test_too_long_a_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_corpus, "MAX_CHARACTERS", 100)
    with pytest.raises(Refused, match="at most 100"):
        corpus("word " * 30, "en")


@pytest.mark.parametrize("name", ["world", "monde"])
def test_a_made_up_world_is_learnt(name: str) -> None:
    """Watched words find their own kind with the page's settings, and the same seed writes the same world."""
    sample = word_samples.sample(name)
    settings = replace(WordSettings(), dimensions=20, epochs=6)
    trained = _train(sample.text, settings, language=sample.language, watched=sample.watched, near=5)[1]
    assert not trained.unknown and len(trained.words) > 200 and "{" not in sample.text
    royal, cat, city, day, colour, past = trained.frame.near
    assert set(royal) & {"queen", "prince", "princess", "reine", "princesse"}
    assert set(cat) & {"dog", "mice", "purrs", "owl", "chien", "souris", "ronronne"}
    assert len(set(city) & {"rome", "madrid", "berlin", "moscow", "moscou", "athens", "athènes", "warsaw", "varsovie",
                            "tokyo", "budapest"}) >= 2  # fmt: skip
    assert all(word.endswith(("day", "di", "dimanche", "closed", "fermée")) for word in day[:4])
    assert set(colour[:3]) <= {
        "blue",
        "green",
        "yellow",
        "white",
        "black",
        "brown",
        "jaune",
        "rose",
        "orange",
        "mauve",
        "beige",
    }
    assert sum(word.endswith(("ed", "aient")) for word in past) >= 3
    assert sample.text == word_samples.generated(*_WORLDS[name])


_WORLDS = {"world": (word_samples._ENGLISH,), "monde": (word_samples._FRENCH,)}


def test_another_seed_writes_another_world() -> None:
    one, other = (word_samples.generated(word_samples._ENGLISH, 50, seed) for seed in (0, 1))
    assert one != other and one.count("\n") == other.count("\n") == 49
