"""The recipe of the tokenizers on made-up texts: three families that transformers loads, the held-out left alone."""

from __future__ import annotations

import json
import lzma
import zipfile
from pathlib import Path

import pytest

from dlviz import zoo
from dlviz.errors import NotAvailable
from dlviz.recipes import tokenizers as recipe
from dlviz.zoo import language_cards
from dlviz.zoo.seal import seal
from dlviz.zoo.texts_data import novels, sentence_pairs

BOOKS = {
    "en": "The king loved the old queen number {n}. She said nothing, and the rain fell on the harbour.",
    "fr": "Le roi aimait la vieille reine numéro {n}. Elle ne disait rien, et l’été la pluie tombait sur le port.",
}
PAIRS = [(f"I have {n} cats.", f"J'ai {n} chats.") for n in range(400)] + [("Go.", "Va !"), ("go!", "Pars.")]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve tiny novels of each language, of which the eleventh is held out, and four hundred sentence pairs."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "eltec").mkdir()
    (folder / "eng-fra").mkdir()
    for language, file in (("en", "eltec_eng.txt.xz"), ("fr", "eltec_fra.txt.xz")):
        books = ["\n".join(BOOKS[language].format(n=n) for _ in range(20)) for n in range(12)]
        with lzma.open(folder / "eltec" / file, "wt", encoding="utf-8") as target:
            target.write("\n\n".join(books) + "\n")
    with zipfile.ZipFile(folder / "eng-fra" / "fra-eng.zip", "w") as archive:
        archive.writestr("fra.txt", "".join(f"{a}\t{b}\tby hand\n" for a, b in PAIRS))
    return folder


@pytest.fixture(scope="module", params=language_cards.NAMES)
def trained(
    data_dir: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[str, Path]:
    run_dir = tmp_path_factory.mktemp("run")
    recipe.train(run_dir, data_dir, name=request.param)
    return request.param, run_dir


def test_transformers_loads_it_and_puts_its_marks_around_a_text(trained: tuple[str, Path]) -> None:
    from transformers import AutoTokenizer

    name, run_dir = trained
    tokenizer = AutoTokenizer.from_pretrained(run_dir, local_files_only=True)
    ids = tokenizer("The king")["input_ids"]
    written = tokenizer.convert_ids_to_tokens(ids)
    if name == "novels-bert":
        assert (written[0], written[-1], tokenizer.mask_token) == ("[CLS]", "[SEP]", "[MASK]")
        assert tokenizer.pad_token_id == 0
    elif name == "tatoeba-marian":
        assert written[-1] == "</s>" and written[0].startswith("▁") and tokenizer.pad_token == "<pad>"
    else:
        assert tokenizer.eos_token not in written
        text = "L’été\t☃ \u200d ok"
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_what_it_measures_is_of_held_out_text(trained: tuple[str, Path]) -> None:
    _name, run_dir = trained
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert metrics["files"] == ["tokenizer.json", "tokenizer_config.json"]
    assert metrics["entries"] <= recipe.ENTRIES
    assert metrics["characters_per_token_en"] > 1 and metrics["characters_per_token_fr"] > 1
    assert 0 <= metrics["unknown"] < 0.2


def test_sealed_alone_it_is_a_vocabulary(
    trained: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, run_dir = trained
    monkeypatch.setenv("DLVIZ_ASSETS_DIR", str(tmp_path))
    assert zoo.status(name) == "broken"
    seal(zoo.bundled_dir(name), run_dir)
    assert zoo.status(name) == "ready"
    card = zoo.card(name)
    assert card.languages == ("en", "fr") and len(card.metrics) == 2
    with pytest.raises(NotAvailable, match="vocabulary"):
        zoo.load(name)


def test_every_twentieth_novel_is_held_out(data_dir: Path) -> None:
    held = list(novels("fr", "test", data_dir))
    learnt = list(novels("fr", "train", data_dir))
    assert (len(held), len(learnt)) == (1, 11)
    assert "numéro 10." in held[0][0] and len(held[0]) == 20
    assert all("numéro 10." not in book[0] for book in learnt)


def test_no_held_out_sentence_is_learnt_from(data_dir: Path) -> None:
    held, learnt = (sentence_pairs(split, data_dir) for split in ("test", "train"))
    assert 0 < len(held) < 40 and len(held) + len(learnt) == len(PAIRS)
    letters = [{"".join(filter(str.isalnum, one[0].lower())) for one in some} for some in (held, learnt)]
    assert not letters[0] & letters[1]
    both = {english for english, _ in held} & {"Go.", "go!"}
    assert len(both) in (0, 2), "one sentence in two spellings is on one side"


def test_missing_pairs_are_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match=r"fra-eng\.zip is missing"):
        sentence_pairs("train", tmp_path)
