"""The recipes of the language models on a few made-up texts: they run, stop, go on to the same end, and load."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional as F

from dlviz import zoo
from dlviz.language import attention, attention_models
from dlviz.recipes import language_models as recipe
from dlviz.recipes import lm_data, lm_decoder, lm_encoder, lm_translator
from dlviz.recipes.lm_training import Settings, Training, optimisers
from dlviz.zoo.seal import seal
from tests.recipes.test_tokenizers import data_dir  # noqa: F401 - fixture

TINY: dict[str, Any] = {
    "epochs": 2, "steps": 3, "batch_tokens": 128, "width": 16, "heads": 2, "layers": 1, "positions": 32,
    "lengths": (16,), "warmup": 2,
}  # fmt: skip
SETTINGS = {
    "novels-gpt2": Settings(**TINY),
    "novels-bert": Settings(**TINY),
    "tatoeba-marian": Settings(**TINY, dropout=0.1, label_smoothing=0.1),
}


class PowerCutError(Exception):
    """Stands for a closed lid or a power cut."""


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Measure on little."""
    little = {
        lm_decoder: {"_FULL": 2_000},
        lm_encoder: {"_FULL": 8, "_QUICK": 4, "_LENGTH": 16, "_PARAGRAPHS": 3, "_LONGEST": 28},
        lm_translator: {"_QUICK": 4},
    }
    with pytest.MonkeyPatch.context() as patch:
        for module, values in little.items():
            for name, value in values.items():
                patch.setattr(module, name, value)
        yield


@pytest.fixture(scope="module", params=recipe.MODELS)
def finished(
    data_dir: Path,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> tuple[str, Path, list[str]]:
    name, run_dir = request.param, tmp_path_factory.mktemp("run")
    said: list[str] = []
    recipe.train(run_dir, data_dir, name=name, settings=SETTINGS[name], report=said.append)
    return name, run_dir, said


def test_the_folder_is_one_that_transformers_loads(finished: tuple[str, Path, list[str]]) -> None:
    """With its tokenizer, in half precision, ready to be asked for its attention."""
    name, run_dir, _said = finished
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= set(
        metrics["files"]
    )
    assert all((run_dir / file).exists() for file in metrics["files"])
    weights = load_file(run_dir / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    model = attention_models.from_folder(run_dir)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    found = attention.attend(model, "The king loved", target="Le roi" if name == "tatoeba-marian" else "")
    assert found.parts and all(np.isfinite(part.scale).all() for part in found.parts)
    if name == "novels-bert":
        assert model.fills_in
    else:
        assert model.tells_next


def test_the_figures_are_told_for_each_language(finished: tuple[str, Path, list[str]]) -> None:
    name, run_dir, said = finished
    metrics = json.loads((run_dir / "metrics.json").read_text())
    if name == "novels-gpt2":
        for language in ("en", "fr"):
            assert 1 < metrics[f"perplexity_{language}"] < 5_000
            assert 0 < metrics[f"bits_per_character_{language}"] < 20
    elif name == "novels-bert":
        for language in ("en", "fr"):
            assert (
                0 <= metrics[f"masked_accuracy_{language}"] <= metrics[f"masked_among_five_{language}"] <= 1
            )
            assert metrics[f"pseudo_perplexity_{language}"] > 1
    else:
        assert 0 <= metrics["bleu"] <= 100 and 0 <= metrics["chrf"] <= 100 and metrics["test_sentences"] > 0
    assert (metrics["epochs"], metrics["steps"], metrics["schedule"]) == (2, 6, [[0, 2]])
    assert [line.split("  ")[0] for line in said[-2:]] == ["epoch 1/2", "epoch 2/2"]


def test_a_stopped_run_goes_on_to_the_same_weights(
    finished: tuple[str, Path, list[str]],
    data_dir: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    name, whole, _said = finished
    for file in recipe.tokenizers.FILES:
        (tmp_path / file).write_bytes((whole / file).read_bytes())

    def stop(line: str) -> None:
        if line.startswith("epoch 1/"):
            raise PowerCutError

    asked: dict[str, Any] = {"name": name, "settings": SETTINGS[name]}
    with pytest.raises(PowerCutError):
        recipe.train(tmp_path, data_dir, **asked, report=stop)
    assert not (tmp_path / "model.safetensors").exists()
    said: list[str] = []
    recipe.train(tmp_path, data_dir, **asked, report=said.append)
    assert "resumed after epoch 1" in said
    one, other = (load_file(folder / "model.safetensors") for folder in (whole, tmp_path))
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


def test_sealed_it_is_a_model_of_the_zoo(
    finished: tuple[str, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, run_dir, _said = finished
    monkeypatch.setenv("DLVIZ_ASSETS_DIR", str(tmp_path))
    seal(zoo.bundled_dir(name), run_dir)
    card = zoo.card(name)
    assert (zoo.status(name), card.task) == ("ready", "language-model")
    assert len(card.metrics) >= 4 and all("{" not in str(metric.how) for metric in card.metrics)
    zoo.unload(name)
    try:
        model = zoo.load(name)
        assert isinstance(model, attention_models.AttentionModel)
        sines = 2 * 32 * 16 if name == "tatoeba-marian" else 0  # computed, not learnt
        assert card.parameters == sum(p.numel() for p in model.network.parameters()) - sines
    finally:
        zoo.unload(name)


def task_of(name: str, folder: Path, data: Path) -> Any:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return recipe.MODELS[name][0](SETTINGS[name], tokenizer, folder, data)


def test_each_matrix_is_trained_once(
    finished: tuple[str, Path, list[str]],
    data_dir: Path,  # noqa: F811
) -> None:
    """Muon has the matrices of the layers, AdamW the rest; none twice, none left out; sines are not trained."""
    name, run_dir, _said = finished
    network = task_of(name, run_dir, data_dir).network()
    muon, adam = optimisers(network, SETTINGS[name])
    counted = [id(p) for one in (muon, adam) for group in one.param_groups for p in group["params"]]
    assert len(counted) == len(set(counted))
    assert set(counted) == {id(p) for p in network.parameters() if p.requires_grad}
    embedded = {id(m.weight) for m in network.modules() if isinstance(m, torch.nn.Embedding)}
    assert not embedded & {id(p) for group in muon.param_groups for p in group["params"]}


def test_the_loss_falls(
    finished: tuple[str, Path, list[str]],
    data_dir: Path,  # noqa: F811
) -> None:
    name, run_dir, _said = finished
    settings = Settings(**{**TINY, "epochs": 4, "steps": 10, "learning_rate": 1e-2, "decay_share": 0.1})
    training = Training(settings, task_of(name, run_dir, data_dir))
    losses = [training.run_epoch() for _ in range(4)]
    assert losses[-1] < 0.85 * losses[0]


@pytest.fixture
def decoder(data_dir: Path, tmp_path: Path) -> lm_decoder.Decoder:  # noqa: F811
    recipe.tokenizers.train(tmp_path, data_dir, name="novels-gpt2", report=lambda line: None)
    return task_of("novels-gpt2", tmp_path, data_dir)


def test_perplexity_by_hand(decoder: lm_decoder.Decoder) -> None:
    """One token after the other, each told from the tokens of its window before it."""
    torch.manual_seed(0)
    network = decoder.network().eval()
    found = decoder.measure(network, "fr", 10_000)
    (book,) = lm_decoder.books(decoder.test["fr"], decoder.end, 2_000)
    half, nats, said = 16, 0.0, []
    for start in range(0, len(book) - 2 * half + 1, half):
        window = torch.from_numpy(book[start : start + 2 * half].astype(np.int64))
        for place in range(half, 2 * half):
            with torch.no_grad():
                logits = network(input_ids=window[None, :place]).logits[0, -1]
            nats -= float(F.log_softmax(logits, -1)[window[place]])
            said.append(int(window[place]))
    assert found["test_tokens"] == len(said)
    assert found["perplexity"] == pytest.approx(math.exp(nats / len(said)), rel=1e-3)
    letters = len(decoder.tokenizer.decode(said))
    assert found["bits_per_character"] == pytest.approx(nats / math.log(2) / letters, rel=1e-2)


def test_windows_are_of_both_languages_and_many_begin_with_a_beginning(decoder: lm_decoder.Decoder) -> None:
    rng = np.random.default_rng(0)
    rows = lm_data.draw(decoder.train, 8, 12, rng)
    assert rows.shape == (8, 12)
    texts = [decoder.tokenizer.decode(row.tolist()) for row in rows]
    assert sum(text.startswith("The king loved") for text in texts) >= 2
    assert sum(text.startswith("Le roi aimait") for text in texts) >= 2
    held = {decoder.tokenizer.decode(lm_data.draw(decoder.test, 2, 40, rng)[1].tolist())}
    assert all("numéro 10." in text or "10" in text for text in held)


def test_the_learning_rate_rises_stays_and_falls_to_zero() -> None:
    one = Settings(epochs=10, steps=10, warmup=10, decay_share=0.3, learning_rate=1.0)
    assert one.rate(0) == 0.1 and one.rate(9) == one.rate(50) == one.rate(69) == 1.0
    assert one.rate(85) == pytest.approx(0.5) and one.rate(100) == 0


def test_bleu_counts_every_known_translation() -> None:
    known = lm_translator.references([("Hi.", "Salut."), ("Hi.", "Bonjour."), ("Go on.", "Continue.")])
    assert known == [("Hi.", ("Salut.", "Bonjour.")), ("Go on.", ("Continue.",))]
