"""A text as a transformer reads it: tokens with their places in the text, cut at the network's limit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import pretokenise
from dlviz.language.attention_models import AttentionModel
from dlviz.language.attention_results import Piece, Reading

MOST_CHARACTERS = 8 * 512
"""Characters that are cut into tokens at most: more than 512 tokens of most texts."""


def read(
    model: AttentionModel,
    text: str,
    *,
    masked: Sequence[int] = (),
    limit: int | None = None,
    written: bool = False,
) -> Reading:
    """Cut a text into the tokens of a network, with those that its own rules put around it.

    Parameters
    ----------
    model
        The network.
    text
        Any text; what is beyond the limit is left out, and `Reading.read` says from where on.
    masked
        Tokens to hide behind the mask token, by their place.
    limit
        Tokens at most, instead of the network's own limit.
    written
        Whether it is what an encoder-decoder writes: OPUS-MT's models cut the two languages by two tables.

    Raises
    ------
    Refused
        The text is empty, holds half a character, or a token cannot be hidden.
    """
    text = pretokenise.normalise(text)
    if not text.strip():
        raise Refused(N_("There is no text yet: type a few words."))
    most = min(limit or model.limit, model.limit)
    shortened = text[:MOST_CHARACTERS]
    pieces = _pieces(model.tokenizer, shortened, written)
    cut = len(pieces) > most
    if cut:
        shortened = shortened[: _fits(pieces, most)]
        pieces = _pieces(model.tokenizer, shortened, written)[:most]
    if not pieces:
        raise Refused(N_("The network's tokenizer drops every character of this text."))
    done = len(shortened) if len(shortened) < len(text) else len(text)
    return Reading(text, tuple(_hidden(model, pieces, masked)), done, most)


def _fits(pieces: Sequence[Piece], most: int) -> int:
    """How many characters of a text fit with the tokens that are added to it."""
    added = sum(piece.special for piece in pieces)
    ordinary = [piece for piece in pieces if not piece.special]
    return max(piece.end for piece in ordinary[: max(1, most - added)])


def _hidden(model: AttentionModel, pieces: list[Piece], masked: Sequence[int]) -> list[Piece]:
    """The tokens with some of them behind the mask token."""
    if not masked:
        return pieces
    mask = model.tokenizer.mask_token_id
    if mask is None:
        raise Refused(N_("This network has no mask token: it cannot be asked to fill in."))
    for place in masked:
        if not 0 <= place < len(pieces) or pieces[place].special:
            raise Refused(N_("There is no token {place} that could be hidden."), place=place + 1)
        pieces[place] = replace(pieces[place], id=mask, masked=True)
    return pieces


def _pieces(tokenizer: Any, text: str, written: bool) -> list[Piece]:
    """Tokens with their places, from a fast tokenizer or, where there is none, from a slow one."""
    if not tokenizer.is_fast:
        return _pieces_of_a_slow_one(tokenizer, text, written)
    encoding = tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)[0]
    numbers = _word_numbers(text)
    return [
        Piece(
            number,
            _shown(tokenizer, number, text[a:b], added),
            a,
            b,
            -1 if added else numbers(a, b),
            bool(added),
        )
        for number, (a, b), added in zip(
            encoding.ids, encoding.offsets, encoding.special_tokens_mask, strict=True
        )
    ]


def _word_numbers(text: str) -> Callable[[int, int], int]:
    """The number of the word at some characters, words being what white space leaves.

    Rules of different tokenizers cut `l'été` differently; by white space, words of two networks are the same.
    """
    begins = [i for i in range(len(text)) if not text[i].isspace() and (i == 0 or text[i - 1].isspace())]

    def number(start: int, end: int) -> int:
        body = next((at for at in range(start, end) if not text[at].isspace()), start)
        return max(0, bisect_right(begins, body) - 1)

    return number


def _shown(tokenizer: Any, number: int, written: str, special: int) -> str:
    """What a reader sees of a token: its characters in the text, or the name of an added one."""
    if special or not written:
        return str(tokenizer.convert_ids_to_tokens(number))
    return written


def _pieces_of_a_slow_one(tokenizer: Any, text: str, written: bool) -> list[Piece]:
    """Tokens of a tokenizer that does not tell their places: each is looked for behind the one before."""
    added = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    numbers = _word_numbers(text)
    pieces: list[Piece] = []
    done = 0
    for number in tokenizer(**{"text_target" if written else "text": text})["input_ids"]:
        said = str(tokenizer.convert_ids_to_tokens(number))
        if number in added:
            pieces.append(Piece(number, said, done, done, -1, True))
            continue
        body = said.replace("▁", "").removeprefix("##")
        at = text.find(body, done)
        start, end = (at, at + len(body)) if body and at >= 0 else (done, done)
        word = numbers(start, end if end > start else len(text))  # a lone ▁ belongs to the word that follows
        pieces.append(Piece(number, body or said, start, end, word, False))
        done = end
    return pieces
