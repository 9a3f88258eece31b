"""Take a vocabulary along: a ``tokenizer.json`` for Hugging Face's library, its merges, and tables.

The file is built with that library's own classes, and the tests hold that it gives the same ids as our own
code.
"""

from __future__ import annotations

import json
from typing import Any

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import pretokenise
from dlviz.language.bpe_moments import shown, token_counts, written_tokens
from dlviz.language.results import CONTINUATION, END_OF_WORD, MergeSettings, MergeTrace, UnigramTrace
from dlviz.language.unigram import SPACE
from dlviz.language.wordpiece import UNKNOWN


def tokenizer_json(trace: MergeTrace, *, n: int | None = None) -> str:
    """The vocabulary after ``n`` merges (all by default) as a ``tokenizer.json``.

    ``tokenizers.Tokenizer.from_str`` reads it; its ids equal those of :func:`dlviz.language.bpe.encode`. A
    vocabulary of characters has one entry more, for what it does not know: it comes last.
    """
    from tokenizers import Tokenizer

    merges = trace.merges if n is None else n
    if not 0 <= merges <= trace.merges:
        raise Refused(
            N_("There is no merge number {n}: this training has {count}."), n=merges, count=trace.merges
        )
    tokenizer = Tokenizer(_wordpiece(trace, merges) if _is_wordpiece(trace) else _bpe(trace, merges))
    tokenizer.normalizer = _normalizer(trace.settings)
    rules = _rules(trace.settings)
    if rules is not None:
        tokenizer.pre_tokenizer = rules
    tokenizer.decoder = _decoder(trace.settings)
    return str(tokenizer.to_str(pretty=True))


def _is_wordpiece(trace: MergeTrace) -> bool:
    return trace.settings.algorithm == "wordpiece"


def _bpe(trace: MergeTrace, merges: int) -> Any:
    from tokenizers import models

    written = written_tokens(trace)
    size = len(trace.alphabet) + merges
    ids = {token: i for i, token in enumerate(written[:size])}
    options: dict[str, Any] = {}
    if trace.settings.unit == "characters":
        options["unk_token"] = _unused("<unk>", ids)
        ids[options["unk_token"]] = size
    if trace.settings.split == "words":
        options["end_of_word_suffix"] = END_OF_WORD
    pairs = [(written[a], written[b]) for a, b in trace.pairs[:merges].tolist()]
    return models.BPE(ids, pairs, **options)


def _wordpiece(trace: MergeTrace, merges: int) -> Any:
    from tokenizers import models

    size = len(trace.alphabet) + merges
    ids = {token: i for i, token in enumerate(written_tokens(trace)[:size])}
    ids[UNKNOWN] = size
    return models.WordPiece(ids, unk_token=UNKNOWN, continuing_subword_prefix=CONTINUATION)


def _unused(name: str, ids: dict[str, int]) -> str:
    """A name for the unknown that no learnt token has."""
    while name in ids:
        name = f"<{name}>"
    return name


def _normalizer(settings: MergeSettings) -> Any:
    from tokenizers import normalizers

    steps: list[Any] = []
    if settings.normalisation != "none":
        steps.append(getattr(normalizers, settings.normalisation)())
    if settings.lower:
        steps.append(normalizers.Lowercase())
    return normalizers.Sequence(steps)


def _rules(settings: MergeSettings) -> Any:
    from tokenizers import Regex, pre_tokenizers

    steps: list[Any] = []
    if settings.split == "words":
        steps.append(pre_tokenizers.WhitespaceSplit())
    elif settings.split == "gpt2":
        steps.append(pre_tokenizers.Split(Regex(pretokenise.GPT2_PLAIN), "isolated"))
    elif settings.split == "bert":
        steps.append(pre_tokenizers.BertPreTokenizer())
    if settings.unit == "bytes":
        steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    return pre_tokenizers.Sequence(steps) if steps else None


def _decoder(settings: MergeSettings) -> Any:
    from tokenizers import decoders

    if settings.split == "bert":
        return decoders.WordPiece(prefix=CONTINUATION, cleanup=False)
    steps: list[Any] = []
    if settings.split == "words":
        steps.append(decoders.BPEDecoder(suffix=END_OF_WORD))
        if settings.unit == "bytes":  # among GPT-2's letters for bytes the space is Ġ
            steps.append(decoders.Replace(" ", "Ġ"))
    steps.append(decoders.ByteLevel() if settings.unit == "bytes" else decoders.Fuse())
    return decoders.Sequence(steps)


def unigram_json(trace: UnigramTrace, *, round_number: int = -1) -> str:
    """The vocabulary of one Unigram round as a ``tokenizer.json``; the unknown comes last."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    table = trace.rounds[round_number]
    pieces = list(zip(table.pieces, table.log_probability.tolist(), strict=True))
    pieces.append((_unused("<unk>", dict.fromkeys(table.pieces, 0)), 0.0))
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=len(pieces) - 1))
    steps: list[Any] = []
    if trace.settings.normalisation != "none":
        steps.append(getattr(normalizers, trace.settings.normalisation)())
    if trace.settings.lower:
        steps.append(normalizers.Lowercase())
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(SPACE, "always")]
    )
    tokenizer.decoder = decoders.Metaspace(SPACE, "always")
    return str(tokenizer.to_str(pretty=True))


def merges_text(trace: MergeTrace, *, n: int | None = None) -> str:
    """The merges in the format of GPT-2's ``merges.txt``: one a line, in the order of learning.

    A token that holds a space or a line break, as the slide's mode has them, is written as a JSON string.
    """
    written = written_tokens(trace)
    rows = trace.pairs[: trace.merges if n is None else n].tolist()
    lines = [f"{_plain(written[a])} {_plain(written[b])}" for a, b in rows]
    return "\n".join(["#version: 0.2", *lines]) + "\n"


def _plain(token: str) -> str:
    return token if token.isprintable() and " " not in token else json.dumps(token, ensure_ascii=False)


def merge_rows(trace: MergeTrace) -> list[dict[str, object]]:
    """One row a merge: what was glued, how often it was seen, who came second, how many tokens were left."""
    settings = trace.settings
    texts = [shown(token, settings) for token in written_tokens(trace)]
    size = len(trace.alphabet)
    rows: list[dict[str, object]] = []
    for i, (left, right) in enumerate(trace.pairs.tolist()):
        second = trace.runner_up[i].tolist()
        rows.append(
            {
                "merge": i + 1,
                "left": texts[left],
                "right": texts[right],
                "token": texts[size + i],
                "id": size + i,
                "count": int(trace.pair_count[i]),
                "score": float(trace.score[i]),
                "runner_up": texts[second[0]] + " + " + texts[second[1]] if second[0] >= 0 else "",
                "runner_up_count": int(trace.runner_up_count[i]),
                "tokens_after": int(trace.tokens[i + 1]),
            }
        )
    return rows


def vocabulary_rows(trace: MergeTrace, *, n: int | None = None) -> list[dict[str, object]]:
    """One row a token after ``n`` merges: id, text, as written, merge, occurrences in the training text."""
    n = trace.merges if n is None else n
    counts = token_counts(trace, n).tolist()
    size = len(trace.alphabet)
    return [
        {
            "id": i,
            "token": shown(token, trace.settings),
            "written": token,
            "merge": max(0, i - size + 1),
            "count": counts[i],
        }
        for i, token in enumerate(written_tokens(trace)[: size + n])
    ]


def unigram_rows(trace: UnigramTrace, *, round_number: int = -1) -> list[dict[str, object]]:
    """One row a piece of one Unigram round."""
    table = trace.rounds[round_number]
    return [
        {
            "id": i,
            "piece": piece,
            "log_probability": float(table.log_probability[i]),
            "expected_count": float(table.expected[i]),
            "loss": float(table.loss[i]),
            "pruned": bool(table.pruned[i]),
        }
        for i, piece in enumerate(table.pieces)
    ]
