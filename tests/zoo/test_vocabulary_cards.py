"""Public vocabularies are cards like any other: listed, downloaded, and never loaded as a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlviz import zoo
from dlviz.errors import NotAvailable
from dlviz.zoo import catalogue


def test_every_vocabulary_comes_from_the_hub_which_tells_its_sum() -> None:
    cards = [card for card in zoo.cards(catalogue.VOCABULARY) if card.source == "public"]
    assert {card.name for card in cards} == {"gpt2", "cl100k", "camembert", "llama"}
    for card in cards:
        (file,) = card.files
        assert (file.name, file.sha256, file.sha256_prefix) == ("tokenizer.json", "", "")
        assert "/" in file.repo


def test_a_vocabulary_is_ready_when_its_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLVIZ_HOME", str(tmp_path))
    assert zoo.status("gpt2") == "absent"
    (tmp_path / "models" / "gpt2").mkdir(parents=True)
    (tmp_path / "models" / "gpt2" / "tokenizer.json").write_text("{}")
    assert zoo.status("gpt2") == "ready"
    with pytest.raises(NotAvailable, match="vocabulary"):
        zoo.load("gpt2")
