"""The novels as long rows of token numbers on disk, cut once, and windows drawn from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt16
from tokenizers import Tokenizer

from dlviz.zoo.datasets import Split
from dlviz.zoo.texts_data import novels

LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Stream:
    """The novels of one language, one after the other: token numbers, and where each paragraph begins."""

    tokens: UInt16[np.ndarray, " token"]
    starts: Int64[np.ndarray, " paragraph"]


def streams(
    tokenizer: Tokenizer,
    end: int,
    folder: Path,
    split: Split,
    data_dir: Path | None = None,
    *,
    line: str = "",
) -> dict[str, Stream]:
    """Both languages' novels, read from `folder` where they were cut before.

    Parameters
    ----------
    tokenizer
        What cuts them, without its special tokens.
    end
        The token between two paragraphs, or, where `line` is given, between two novels.
    folder
        Where the numbers are kept.
    line
        What is written after each paragraph.
    """
    found = {}
    for language in LANGUAGES:
        path = folder / f"{split}_{language}.npy"
        if not path.exists():
            _cut(tokenizer, end, line, novels(language, split, data_dir), path)
        starts = np.load(path.with_suffix(".starts.npy"))
        found[language] = Stream(np.load(path, mmap_mode="r"), starts)
    return found


def _cut(tokenizer: Tokenizer, end: int, line: str, books: Iterator[list[str]], path: Path) -> None:
    """Write the numbers of all books beside their place and move them there."""
    parts: list[np.ndarray] = []
    for book in books:
        cut = tokenizer.encode_batch([paragraph + line for paragraph in book], add_special_tokens=False)
        parts += [np.array(one.ids if line else [*one.ids, end], np.uint16) for one in cut]
        if line:
            parts[-1] = np.append(parts[-1], np.uint16(end))
    lengths = np.array([len(part) for part in parts], np.int64)
    np.save(path.with_suffix(".starts.npy"), np.cumsum(lengths) - lengths)
    part = path.with_suffix(".part.npy")
    np.save(part, np.concatenate(parts))
    part.replace(path)


def number(tokenizer: Tokenizer, mark: str) -> int:
    """The number of a special token.

    Raises
    ------
    ValueError
        The tokenizer is not one of this recipe's.
    """
    found = tokenizer.token_to_id(mark)
    if found is None:
        raise ValueError(f"the tokenizer has no {mark}: delete it to begin again")
    return int(found)


def draw(
    of: Mapping[str, Stream], rows: int, length: int, rng: np.random.Generator
) -> Int64[np.ndarray, "row length"]:
    """Windows of both languages by halves; every other one begins where a paragraph does.

    A visitor's text begins with a beginning, so the networks have to see many of them.
    """
    drawn = []
    for turn, language in enumerate(LANGUAGES):
        stream = of[language]
        count = (rows + turn) // 2
        places = rng.integers(0, max(1, len(stream.tokens) - length), count)
        snapped = stream.starts[np.searchsorted(stream.starts, places, "right") - 1]
        places[::2] = snapped[::2]
        drawn += [stream.tokens[place : place + length] for place in places]
    return np.stack(drawn).astype(np.int64)
