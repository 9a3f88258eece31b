"""One step of word2vec equals autograd's, and what is drawn for it is drawn as word2vec draws it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gensim.models import Word2Vec

from dlviz.errors import Refused
from dlviz.language import word_step
from dlviz.language.word_corpus import corpus, keep_probability, noise
from dlviz.language.word_step_results import Place, StepSettings, Weights
from dlviz.language.word_training_results import Corpus

TEXT = "the cat saw the dog. the dog saw the bird. a bird sang to the cat and the dog."
WORDS = corpus(TEXT, "en")


def _weights(words: int = 12, dimensions: int = 6, seed: int = 0) -> Weights:
    draw = np.random.default_rng(seed)
    return Weights(draw.standard_normal((words, dimensions)), draw.standard_normal((words, dimensions)))


@pytest.mark.parametrize(
    ("inputs", "targets"),
    [
        ([3], [5, 1, 2, 7]),
        ([3], [3, 1, 1, 1]),  # one negative drawn three times, and a word that foretells itself
        ([1, 2, 4, 8], [5, 0, 9, 11, 10]),
        ([1, 2, 1, 1], [2, 1, 1]),  # a neighbour three times in the window, and drawn as a negative
        ([4], [6]),
    ],
)
def test_gradients_and_update_equal_autograds(inputs: list[int], targets: list[int]) -> None:
    weights, rate = _weights(), 0.3
    v, u = (torch.tensor(w, requires_grad=True) for w in (weights.v, weights.u))
    scores = u[targets] @ v[inputs].mean(0)
    loss = -torch.nn.functional.logsigmoid(scores[0]) - torch.nn.functional.logsigmoid(-scores[1:]).sum()
    loss.backward()
    rows, others = np.array(inputs), np.array(targets)
    found = word_step.step(weights, rows, others, rate, np.zeros(len(targets)), 0)
    assert found.loss == pytest.approx(loss.item(), rel=1e-12)
    for kept, rows_of, gradients in (
        (v, rows, found.input_gradients),
        (u, others, found.target_gradients),
    ):
        dense = np.zeros_like(weights.v)
        np.add.at(dense, rows_of, gradients)
        assert kept.grad is not None
        assert dense == pytest.approx(kept.grad.numpy(), abs=1e-12)
    torch.optim.SGD([v, u], lr=rate).step()
    moved = word_step.moved(weights, rows, others, rate)
    assert moved.v == pytest.approx(v.detach().numpy(), abs=1e-12)
    assert moved.u == pytest.approx(u.detach().numpy(), abs=1e-12)
    assert found.inputs_after == pytest.approx(moved.v[rows]) and found.targets_after == pytest.approx(
        moved.u[others]
    )


def test_the_gradient_by_the_hidden_vector_equals_autograds() -> None:
    weights = _weights()
    hidden = torch.tensor(weights.v[[1, 2]].mean(0), requires_grad=True)
    scores = torch.tensor(weights.u)[[4, 5, 6]] @ hidden
    (torch.nn.functional.softplus(-scores[0]) + torch.nn.functional.softplus(scores[1:]).sum()).backward()
    found = word_step.gradients(weights, np.array([1, 2]), np.array([4, 5, 6]))[0]
    assert hidden.grad is not None and found == pytest.approx(hidden.grad.numpy(), abs=1e-12)


def test_the_first_step_of_all_by_hand() -> None:
    """u is zero: every sigma is 1/2, the loss is (k + 1) ln 2, v stays, and u moves by half the rate along h."""
    weights = word_step.fresh(WORDS, 4, seed=1)
    assert np.abs(weights.v).max() <= 1 / 8 and not weights.u.any()
    found = word_step.step(weights, np.array([2]), np.array([1, 3, 4]), 0.1, np.zeros(3), 0)
    assert found.sigma.tolist() == [0.5] * 3 and found.slopes.tolist() == [-0.5, 0.5, 0.5]
    assert found.loss == pytest.approx(3 * np.log(2))
    assert not found.hidden_gradient.any() and np.array_equal(found.inputs_after, found.inputs_before)
    assert found.targets_after == pytest.approx(np.outer([0.05, -0.05, -0.05], weights.v[2]))
    assert found.softmax.loss == pytest.approx(np.log(len(WORDS.words))) and found.softmax.rank == 1


def test_a_step_lowers_the_loss() -> None:
    weights = _weights()
    for seed in range(20):
        draw = np.random.default_rng(seed)
        inputs, targets = draw.integers(0, 12, draw.integers(1, 5)), draw.integers(0, 12, 6)
        found = word_step.step(weights, inputs, targets, 1e-3, np.zeros(6), 0)
        assert found.loss_after < found.loss


def test_the_full_softmax_equals_torchs() -> None:
    weights = _weights()
    found = word_step.step(weights, np.array([3]), np.array([5, 1]), 0.1, np.zeros(2), 0).softmax
    logs = torch.log_softmax(torch.tensor(weights.u @ weights.v[3]), 0)
    assert found.loss == pytest.approx(-logs[5].item()) and found.probability == pytest.approx(
        logs.exp()[5].item()
    )
    assert found.rank == 1 + int((logs > logs[5]).sum())
    assert found.rows[:7].tolist() == logs.argsort(descending=True)[:7].tolist() and 5 in found.rows
    assert found.before == pytest.approx(logs.exp()[found.rows].numpy())


def test_extreme_scores_stay_finite() -> None:
    weights = Weights(np.full((3, 2), 40.0), np.array([[-40.0, -40.0], [40.0, 40.0], [0.0, 0.0]]))
    found = word_step.step(weights, np.array([0]), np.array([0, 1]), 0.1, np.zeros(2), 0)
    assert found.losses == pytest.approx([3200, 3200]) and found.sigma.tolist() == pytest.approx([0, 1])
    assert np.isfinite(found.softmax.loss)


def test_noise_is_the_course_s_and_gensim_s() -> None:
    assert noise(np.array([16, 1])).tolist() == pytest.approx([8 / 9, 1 / 9])
    counts = np.array([500, 120, 60, 9, 3, 1])
    model = Word2Vec(vector_size=2, min_count=1, negative=5)
    model.build_vocab_from_freq({f"w{i}": int(c) for i, c in enumerate(counts)})
    table = np.diff(np.concatenate([[0], model.cum_table.astype(float)])) / model.cum_table[-1]
    assert noise(counts) == pytest.approx(table, abs=1e-8)


@pytest.mark.parametrize("threshold", [1e-1, 1e-2, 1e-3])
def test_words_stay_as_likely_as_in_gensim(threshold: float) -> None:
    counts = np.array([5000, 120, 60, 9, 3, 1])
    model = Word2Vec(vector_size=2, min_count=1, sample=threshold)
    model.build_vocab_from_freq({f"w{i}": int(c) for i, c in enumerate(counts)})
    kept = [model.wv.get_vecattr(f"w{i}", "sample_int") / (2**32 - 1) for i in range(6)]
    assert keep_probability(counts, threshold) == pytest.approx(kept, abs=1e-6)
    assert keep_probability(counts, 0).tolist() == [1.0] * 6


def test_negatives_follow_the_noise_and_leave_the_right_word_out() -> None:
    drawn = np.concatenate([word_step.negatives(WORDS, 0, 20, seed)[0] for seed in range(400)])
    assert 0 not in drawn
    expected = noise(WORDS.counts)[1:] / noise(WORDS.counts)[1:].sum()
    seen = np.bincount(drawn, minlength=len(WORDS.words))[1:] / len(drawn)
    assert seen == pytest.approx(expected, abs=0.02)
    kept, unused = word_step.negatives(WORDS, 0, 20, 3)
    assert len(kept) + unused == 20 and unused > 0
    assert np.array_equal(kept, word_step.negatives(WORDS, 0, 20, 3)[0])


def test_a_window_reaches_over_the_words_that_are_left_out() -> None:
    words = corpus("a b c d e f g. " + "c " * 400, "en")
    settings = StepSettings(window=2, subsampling=1e-2)
    seen = [word_step.window(words, settings, Place(sentence=0, centre=3, thinning=s)) for s in range(60)]
    names = ["".join(words.words[one.rows[i]] for i in one.context) for one in seen]
    # c is kept one time in eleven; without it, b is the centre's nearest neighbour on the left.
    assert {"be", "abef"} <= set(names) and names.count("be") + names.count("abef") > 40
    assert {one.width for one in seen} == {1, 2} and all(one.stays[3] for one in seen)


def test_at_the_edge_of_a_sentence_the_window_is_cut() -> None:
    settings = StepSettings(window=1, subsampling=0)
    seen = word_step.window(WORDS, settings, Place(sentence=0, centre=0))
    assert seen.context.tolist() == [1] and seen.stays.all()
    assert word_step.window(WORDS, settings, Place(sentence=0, centre=2)).context.tolist() == [1, 3]


def test_skip_gram_foretells_a_neighbour_and_cbow_the_centre() -> None:
    settings = StepSettings(window=1, subsampling=0)
    seen = word_step.window(WORDS, settings, Place(sentence=0, centre=2))  # the cat [saw] the dog
    row = {word: i for i, word in enumerate(WORDS.words)}
    assert word_step.pair(settings, seen, 1) == (np.array([row["saw"]]), row["the"])
    inputs, positive = word_step.pair(StepSettings("cbow", window=1, subsampling=0), seen, 0)
    assert inputs.tolist() == [row["cat"], row["the"]] and positive == row["saw"]


@pytest.mark.parametrize("method", ["skip-gram", "cbow"])
def test_steps_taken_before_are_taken_again(method: str) -> None:
    settings = StepSettings(method, subsampling=0, rate=0.5)  # type: ignore[arg-type]
    weights, place = _weights(len(WORDS.words)), Place(sentence=2, centre=3, neighbour=1)
    first = word_step.explain(WORDS, weights, settings, place)
    second = word_step.explain(WORDS, weights, settings, place, (place, Place(sentence=900)))
    assert second.loss == pytest.approx(first.loss_after) and second.loss_after < second.loss
    assert np.array_equal(second.inputs_before, first.inputs_after)


@pytest.mark.parametrize("place", [Place(sentence=3), Place(sentence=-1), Place(centre=5), Place(centre=-1)])
def test_places_that_are_not_there(place: Place) -> None:
    with pytest.raises(Refused, match="no such"):
        word_step.explain(WORDS, _weights(len(WORDS.words)), StepSettings(), place)


def test_a_word_that_stands_alone_has_no_neighbour() -> None:
    alone = corpus("one. two three. four", "en")
    with pytest.raises(Refused, match="No neighbour"):
        word_step.explain(alone, _weights(4), StepSettings(subsampling=0), Place(sentence=0))
    assert word_step.places(alone, 2).tolist() == [1]


def test_operations() -> None:
    assert word_step.operations(10_000, 100, 5) == (3_000_000, 1_800)


def test_the_plane_shows_what_it_says() -> None:
    weights = _weights(dimensions=2)
    found = word_step.step(weights, np.array([1]), np.array([2, 3]), 0.5, np.zeros(2), 0)
    exact = word_step.plane(found)
    assert exact.kept == pytest.approx(1)
    assert exact.targets @ exact.hidden == pytest.approx(found.scores)
    wide = word_step.step(_weights(), np.array([1]), np.array([2, 3]), 0.5, np.zeros(2), 0)
    own = word_step.plane(wide, (4, 1))
    assert np.array_equal(own.hidden, wide.hidden[[4, 1]]) and 0 < own.kept < word_step.plane(wide).kept < 1


def test_practice_brings_words_of_one_kind_together() -> None:
    words = _two_worlds()
    trained = word_step.practised(words, 8, "skip-gram")
    again = word_step.practised(words, 8, "skip-gram")
    assert np.array_equal(trained.v, again.v) and trained.u.any()
    row = {word: i for i, word in enumerate(words.words)}
    unit = trained.v / np.linalg.norm(trained.v, axis=1, keepdims=True)
    cosine = unit[[row[f"a{c}" if c else "aa"] for c in ("b", "c", "d")]] @ unit.T
    assert cosine[:, row["ae"]].min() > cosine[:, row["be"]].max()


def _two_worlds() -> Corpus:
    draw = np.random.default_rng(0)
    lines = [
        " ".join(f"{world}{letter}" for letter in draw.choice(list("abcdefgh"), 6)) for world in "ab" * 300
    ]
    return corpus("\n".join(lines), "en")
