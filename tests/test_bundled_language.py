"""The tokenizers of our language models as they are shipped."""

from __future__ import annotations

import pytest
from transformers import AutoTokenizer

from dlviz import zoo
from dlviz.zoo import language_cards

SENTENCES = (
    "Yesterday the children could not see the lighthouse.",
    "Hier, l'été finissait et les élèves rentraient.",
)


@pytest.mark.parametrize("name", language_cards.NAMES)
def test_it_is_whole_and_small(name: str) -> None:
    card = zoo.card(name)
    assert zoo.status(name) == "ready"
    assert all(len(file.sha256) == 64 for file in card.files)
    assert sum(file.size for file in card.files if file.name.startswith("tokenizer")) < 600_000
    both = [metric.value for metric in card.metrics if metric.name.startswith("Characters a token")]
    assert len(both) == 2 and min(both) > 3.5 and abs(both[0] - both[1]) < 0.05, "neither language costs more"


@pytest.mark.parametrize("name", language_cards.NAMES)
def test_transformers_loads_it_offline_and_gives_the_sentence_back(name: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(zoo.bundled_dir(name), local_files_only=True)
    for sentence in SENTENCES:
        said = tokenizer.decode(tokenizer(sentence)["input_ids"], skip_special_tokens=True)
        if name == "novels-bert":  # it writes in lower case, with spaces around signs
            said, sentence = (one.lower().replace(" ", "") for one in (said, sentence))
        assert said.strip() == sentence
