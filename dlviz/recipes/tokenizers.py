"""How the tokenizers of the bundled language models were trained: three families, French and English alike.

The encoder's is a WordPiece as BERT's, the decoder's a byte-level BPE as GPT-2's, both from the novels of ELTeC; the
translator's is a Unigram as that of the opus-mt models, from Tatoeba's sentence pairs. Each has 8,000 entries and
reads as many characters of one language as of the other, so that neither costs more than it must. What is held out
for the models is not read here either.

WordPiece and BPE come out the same each time. The Unigram trainer counts in an order of its own: another run gives a
vocabulary that differs in a few entries, so a model's tokenizer is kept with it.

Run it with `python -m dlviz.recipes.tokenizers NAME RUN_DIR`; it takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from dlviz.zoo.texts_data import novels, sentence_pairs

Report = Callable[[str], None]

ENTRIES = 8_000
FILES = ("tokenizer.json", "tokenizer_config.json")
# The forms of a sign that editions print differently, and what visitors type.
_SIGNS = {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "…": "..."}
_MEASURED = 200_000


def wordpiece() -> tuple[Tokenizer, trainers.Trainer, dict[str, str]]:
    """BERT's rules in lower case, accents kept: `été` and `ete` are different words in French.

    Lower case, because 8,000 entries for two languages have no room for every word in two forms.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFC(),
            *(normalizers.Replace(sign, plain) for sign, plain in _SIGNS.items()),
            normalizers.BertNormalizer(strip_accents=False, lowercase=True),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    trainer = trainers.WordPieceTrainer(
        vocab_size=ENTRIES, special_tokens=list(special.values()), limit_alphabet=150, show_progress=False
    )
    return tokenizer, trainer, special


def byte_bpe() -> tuple[Tokenizer, trainers.Trainer, dict[str, str]]:
    """GPT-2's rules: bytes, spaces kept with the word that follows, nothing unknown and nothing lost."""
    end = "<|endoftext|>"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=ENTRIES,
        special_tokens=[end],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    return tokenizer, trainer, {"bos_token": end, "eos_token": end, "pad_token": end}


def unigram() -> tuple[Tokenizer, trainers.Trainer, dict[str, str]]:
    """SentencePiece's rules, as Marian's models have them: one vocabulary for both languages, `▁` for a space."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [
            *(normalizers.Replace(sign, plain) for sign, plain in _SIGNS.items()),
            normalizers.NFKC(),
            normalizers.Replace(Regex(r"\s+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    special = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    trainer = trainers.UnigramTrainer(
        vocab_size=ENTRIES, special_tokens=list(special.values()), unk_token="<unk>", show_progress=False
    )
    return tokenizer, trainer, special


FAMILIES: dict[str, Callable[[], tuple[Tokenizer, trainers.Trainer, dict[str, str]]]] = {
    "novels-bert": wordpiece,
    "novels-gpt2": byte_bpe,
    "tatoeba-marian": unigram,
}
POSITIONS = {"novels-bert": 256, "novels-gpt2": 256, "tatoeba-marian": 128}


def train(
    run_dir: Path,
    data_dir: Path | None = None,
    *,
    name: str,
    epochs: int | None = None,
    download: bool = False,
    report: Report = print,
) -> dict[str, Any]:
    """Train the tokenizer of a language model and write it into `run_dir`, as `AutoTokenizer.from_pretrained` reads it.

    Parameters
    ----------
    run_dir
        Where `tokenizer.json`, `tokenizer_config.json` and `metrics.json` go.
    data_dir
        Folder that holds `eltec/` or `eng-fra/`; `DLVIZ_DATA_DIR` where it is None.
    name
        Key of `FAMILIES`.
    epochs, download
        Taken for the sake of the other recipes: the text is read once, and :mod:`dlviz.zoo.texts_data` says where
        it comes from.
    report
        Called with a line a step.

    Returns
    -------
    dict
        The content of `metrics.json`: characters a token in each language, and the share of unknown tokens, on
        held-out text.

    Raises
    ------
    NotAvailable
        The texts are not on this machine.
    """
    tokenizer, trainer, special = FAMILIES[name]()
    tokenizer.train_from_iterator(_in_turns(name, data_dir), trainer)
    report(f"{tokenizer.get_vocab_size()} entries")
    write(tokenizer, special, run_dir, POSITIONS[name])
    metrics = {
        "files": list(FILES),
        "entries": tokenizer.get_vocab_size(),
        **measure(tokenizer, name, data_dir),
    }
    (run_dir / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return metrics


def write(tokenizer: Tokenizer, special: dict[str, str], folder: Path, positions: int) -> None:
    """The folder that transformers loads a tokenizer from, with the marks that each family puts around a text."""
    from transformers import PreTrainedTokenizerFast

    ids = {mark: int(tokenizer.token_to_id(mark) or 0) for mark in special.values()}
    if "cls_token" in special:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    elif special["eos_token"] == "</s>":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="$A </s>", pair="$A $B </s>", special_tokens=[("</s>", ids["</s>"])]
        )
    folder.mkdir(parents=True, exist_ok=True)
    whole = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=positions, clean_up_tokenization_spaces=False, **special
    )
    whole.save_pretrained(folder)


def measure(tokenizer: Tokenizer, name: str, data_dir: Path | None = None) -> dict[str, float]:
    """Characters a token in each language and the share of unknown tokens, on 200,000 held-out characters each."""
    measured: dict[str, float] = {}
    unknown, tokens = 0, 0
    mark = json.loads(tokenizer.to_str())["model"].get("unk_token") or "<unk>"
    for language in ("en", "fr"):
        texts = list(_upto(_texts(name, language, "test", data_dir), _MEASURED))
        pieces = [
            piece for text in texts for piece in tokenizer.encode(text, add_special_tokens=False).tokens
        ]
        measured[f"characters_per_token_{language}"] = round(sum(map(len, texts)) / max(len(pieces), 1), 3)
        known = tokenizer.get_vocab()
        unknown += sum(piece == mark or piece not in known for piece in pieces)
        tokens += len(pieces)
    return measured | {"unknown": round(unknown / max(tokens, 1), 6)}


def _in_turns(name: str, data_dir: Path | None) -> Iterator[str]:
    """Texts of both languages, always of the one that has had fewer characters, until one of them is all read."""
    sources = {language: _texts(name, language, "train", data_dir) for language in ("en", "fr")}
    read = dict.fromkeys(sources, 0)
    while True:
        language = min(read, key=lambda one: read[one])
        text = next(sources[language], None)
        if text is None:
            return
        read[language] += len(text)
        yield text


def _texts(name: str, language: str, split: Any, data_dir: Path | None) -> Iterator[str]:
    """Paragraphs of the novels, the novels in a drawn order; or the sentences of one side of the pairs, each once."""
    if name == "tatoeba-marian":
        side = ("en", "fr").index(language)
        return iter(dict.fromkeys(pair[side] for pair in sentence_pairs(split, data_dir)))
    books = list(novels(language, split, data_dir))
    random.Random(0).shuffle(books)
    return (paragraph for book in books for paragraph in book)


def _upto(texts: Iterable[str], characters: int) -> Iterator[str]:
    """As many whole texts as do not exceed a number of characters, the first in any case."""
    read = 0
    for text in texts:
        read += len(text)
        if read > characters and read > len(text):
            return
        yield text


def main() -> None:
    """The command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=FAMILIES)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--data-dir", type=Path, help="folder of the data sets (default: DLVIZ_DATA_DIR)")
    chosen = parser.parse_args()
    print(json.dumps(train(chosen.run_dir, chosen.data_dir, name=chosen.name), indent=1))


if __name__ == "__main__":
    main()
