"""What heads do, and acting on them: by hand on small examples, and against transformers' own arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dlviz.errors import Refused
from dlviz.language import attention, attention_acts, attention_heads, attention_models, positions
from dlviz.language.attention_models import AttentionModel
from dlviz.language.attention_results import Part, Piece
from tests.language.checkpoints import ARCHITECTURES, HEADS, LAYERS, in_folder

TEXT = "La souris rit, et la souris dort."
PHOTO = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)

Maker = Callable[[str], AttentionModel]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    folder: Callable[[str], Path] = in_folder(tmp_path_factory.mktemp("heads"))
    made: dict[str, AttentionModel] = {}

    def make(name: str) -> AttentionModel:
        if name not in made:
            made[name] = attention_models.from_folder(folder(name)).requires_grad_(False)
        return made[name]

    return make


@pytest.mark.parametrize("name", ["bert", "gpt2", "marian", "vit"])
def test_statistics_by_hand(name: str, model: Maker) -> None:
    """Loops over every weight of one layer give what the page shows."""
    one = model(name)
    given = PHOTO if name == "vit" else TEXT
    part: Part = "decoder" if name == "marian" else "self"
    found = attention_heads.describe(one, given, part=part)
    read = attention.attend(one, given)
    pieces = read.part(part).queries
    weights = attention.layer_weights(one, given, part=part, layer=1).astype(float)
    rows = [i for i, piece in enumerate(pieces) if not piece.special]
    for head in range(HEADS):
        a = weights[head]
        entropy = np.mean([-sum(p * np.log2(p) for p in a[i] if p > 0) for i in rows])
        assert found.entropy[1, head] == pytest.approx(entropy, abs=1e-4)
        distance = np.mean([sum(p * abs(i - j) for j, p in enumerate(a[i])) for i in rows])
        assert found.distance[1, head] == pytest.approx(distance, abs=1e-3)
        assert found.previous[1, head] == pytest.approx(
            np.mean([a[i, i - 1] if i else 0 for i in rows]), abs=1e-5
        )
        following = [a[i, i + 1] if i + 1 < len(pieces) else 0 for i in rows]
        assert found.next[1, head] == pytest.approx(np.mean(following), abs=1e-5)
        assert found.first[1, head] == pytest.approx(np.mean([a[i, 0] for i in rows]), abs=1e-5)
        alike = [
            sum(p for j, p in enumerate(a[i]) if (i == j if name == "vit" else pieces[j].id == pieces[i].id))
            for i in rows
        ]
        assert found.same[1, head] == pytest.approx(np.mean(alike), abs=1e-5)
        added = [sum(p for j, p in enumerate(a[i]) if pieces[j].special) for i in rows]
        assert found.separator[1, head] == pytest.approx(np.mean(added), abs=1e-5)
    assert found.entropy.shape == (len(found.pattern), HEADS) and found.best.shape == (
        *found.entropy.shape,
        2,
    )
    assert (found.share_of_broadest >= 0).all() and (found.share_of_broadest <= 1).all()


def test_cross_attention_has_statistics_too(model: Maker) -> None:
    found = attention_heads.describe(
        model("marian"), "The mouse laughs.", part="cross", target="La souris rit."
    )
    assert found.entropy.shape == (LAYERS, HEADS) and np.isfinite(found.distance).all()
    with pytest.raises(Refused):
        attention_heads.describe(model("bert"), TEXT, part="cross")


def sure(pattern: str, size: int = 6) -> torch.Tensor:
    """One head whose rows look at the token before, at the first, or at all alike; 5 % is spread."""
    weights = torch.full((1, size, size), 0.05 / size)
    for i in range(size):
        if pattern == "broad":
            weights[0, i] = 1 / size
        else:
            weights[0, i, max(0, i - 1) if pattern == "previous" else 0] += 0.95
    return weights


@pytest.mark.parametrize("pattern", ["previous", "first", "broad"])
def test_clear_patterns_get_their_names(pattern: str) -> None:
    pieces = [Piece(10 + i, "x", i, i + 1, i, False) for i in range(6)]
    told = attention_heads._layer(sure(pattern), None, attention_heads._ruler(pieces, pieces))
    assert told["pattern"].tolist() == [pattern]
    query, key = told["best"][0]
    assert pattern == "broad" or key == (query - 1 if pattern == "previous" else 0)


def test_rollout_by_hand(model: Maker) -> None:
    one = model("bert")
    found = attention_heads.rollout(one, TEXT)
    expected = np.eye(len(found.queries))
    for layer in range(LAYERS):
        mean = attention.layer_weights(one, TEXT, part="self", layer=layer).mean(0)
        expected = (0.5 * mean + 0.5 * np.eye(len(mean))) @ expected
        np.testing.assert_allclose(found.weights[layer], expected, atol=1e-5)
    np.testing.assert_allclose(found.weights.sum(-1), 1, atol=1e-5)
    with pytest.raises(Refused):
        attention_heads.rollout(model("marian"), TEXT, part="cross")


def test_weights_by_words_still_sum_to_one(model: Maker) -> None:
    one = model("bert")
    text = "extraordinairement, la souris"
    read = attention.attend(one, text)
    weights = attention.layer_weights(one, text, part="self", layer=0)[1]
    words = attention_heads.by_words(weights, read.source.pieces, read.source.pieces, text)
    assert words.queries == words.keys == ("[CLS]", "extraordinairement,", "la", "souris", "[SEP]")
    np.testing.assert_allclose(words.weights.sum(-1), 1, atol=1e-5)
    of_first = [i for i, piece in enumerate(read.source.pieces) if piece.word == 0]
    assert len(of_first) > 2
    by_hand = weights[of_first][:, of_first].sum(1).mean()
    assert words.weights[1, 1] == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "minilm"])
def test_guesses_are_the_networks(name: str, model: Maker) -> None:
    one = model(name)
    given = PHOTO if name == "vit" else TEXT
    place = 2 if name in ("bert", "camembert", "distilbert") else -1
    masked = (2,) if place == 2 else ()
    found = attention_acts.guess(one, given, place=place, masked=masked, count=4)
    inputs = attention.prepare(one, given, masked=masked)[2]
    with torch.no_grad():
        logits = one.network(**inputs).logits[0]
    p = (logits if name == "vit" else logits[place]).softmax(-1).numpy()
    assert found.ids.tolist() == np.argsort(-p)[:4].tolist()
    np.testing.assert_allclose(found.probabilities, np.sort(p)[::-1][:4], atol=1e-6)
    assert found.entropy == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-3)


@pytest.mark.parametrize("name", ["bert", "gpt2", "marian", "vit"])
def test_a_silent_head_is_its_slice_of_the_projection_at_zero(name: str, model: Maker) -> None:
    """Silencing a head is the same as a network whose output projection does not read it."""
    one = model(name)
    given = PHOTO if name == "vit" else TEXT
    part: Part = "cross" if name == "marian" else "self"
    target = "La souris." if name == "marian" else ""
    found = attention_acts.effect(one, given, place=1, target=target, silenced=[(part, 1, 2)], count=5)
    out = one.place(part, 1).out
    kept = out.weight.data.clone()
    d_head = 32 // HEADS
    try:
        slots = slice(2 * d_head, 3 * d_head)
        if isinstance(out, torch.nn.Linear):
            out.weight.data[:, slots] = 0
        else:
            out.weight.data[slots] = 0
        expected = attention_acts.guess(one, given, place=1, target=target, count=5)
    finally:
        out.weight.data.copy_(kept)
    assert found.after.ids.tolist() == expected.ids.tolist()
    np.testing.assert_allclose(found.after.probabilities, expected.probabilities, atol=1e-5)
    assert found.divergence > 0
    assert set(found.before.ids) | set(found.after.ids) == set(found.ids)
    assert attention_acts.effect(one, given, place=1, target=target).divergence == pytest.approx(0, abs=1e-6)


def test_hiding_a_token(model: Maker) -> None:
    one = model("bert")
    found = attention.attend(one, TEXT, masked=[2])
    assert [piece.masked for piece in found.source.pieces].index(True) == 2
    moved = attention_acts.effect(one, TEXT, place=2, masked=[2], also_masked=[3])
    assert moved.divergence > 0
    for wrong in ([0], [99]):
        with pytest.raises(Refused):
            attention.attend(one, TEXT, masked=wrong)
    with pytest.raises(Refused):
        attention.attend(model("gpt2"), TEXT, masked=[1])
    with pytest.raises(Refused):
        attention_acts.guess(model("minilm"), TEXT, place=1)
    with pytest.raises(Refused):
        attention_acts.guess(one, TEXT, place=99)


def test_a_changed_word(model: Maker) -> None:
    one = model("bert")
    found = attention_acts.compare(one, "la souris rit", "la reine rit", part="self", layer=0, head=1)
    assert found.new.any() and not found.new.all()
    kept = np.flatnonzero(~found.new)
    assert np.isfinite(found.change[np.ix_(kept, kept)]).all()
    assert np.isnan(found.change[found.new]).all()
    same = attention_acts.compare(one, TEXT, TEXT, part="self", layer=0, head=1)
    assert not same.new.any() and not same.change.any()


def test_shuffled_words_are_the_same_words() -> None:
    mixed = attention_acts.shuffled(TEXT, seed=1)
    assert sorted(mixed.split()) == sorted(TEXT.split())
    assert mixed == attention_acts.shuffled(TEXT, seed=1) != attention_acts.shuffled(TEXT, seed=4)


def test_sines_and_cosines_by_hand() -> None:
    found = positions.sinusoidal(positions=8, channels=6)
    for pos in range(8):
        for i in range(3):
            angle = pos / 10_000 ** (2 * i / 6)
            assert found.vectors[pos, 2 * i] == pytest.approx(np.sin(angle), abs=1e-6)
            assert found.vectors[pos, 2 * i + 1] == pytest.approx(np.cos(angle), abs=1e-6)
    assert found.similarity[1, 3] == pytest.approx(found.similarity[4, 6], abs=1e-6), "distance alone counts"
    with pytest.raises(Refused):
        positions.sinusoidal(channels=5)


@pytest.mark.parametrize(
    ("name", "kind", "channels"),
    [("bert", "learned", 32), ("gpt2", "learned", 32), ("vit", "learned", 32), ("bart", "learned", 32),
     ("marian", "sinusoidal", 32), ("llama", "rotary", 4), ("distilbert", "learned", 32)],
)  # fmt: skip
def test_the_positions_of_a_network(name: str, kind: str, channels: int, model: Maker) -> None:
    found = positions.of_model(model(name), positions=10)
    assert (found.kind, found.vectors.shape) == (kind, (10, channels))
    np.testing.assert_allclose(np.diag(found.similarity), 1, atol=1e-5)
    if name == "marian":  # its sines stand in one half and its cosines in the other
        ours = positions.sinusoidal(positions=10, channels=32).vectors
        np.testing.assert_allclose(found.vectors, np.concatenate([ours[:, ::2], ours[:, 1::2]], 1), atol=1e-6)
