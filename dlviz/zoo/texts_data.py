"""Texts that the bundled word vectors, tokenizers and language models were trained on."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from dlviz.errors import NotAvailable
from dlviz.i18n import N_
from dlviz.zoo.datasets import Split, data_root

_FILES = {"en": "eltec_eng.txt.xz", "fr": "eltec_fra.txt.xz"}


def eltec(language: str, folder: Path | None = None) -> Iterator[str]:
    """The paragraphs of a hundred novels of 1840 to 1920: `"en"` or `"fr"`.

    European Literary Text Collection, ELTeC-eng 1.0.1 (ed. Burnard, doi:10.5281/zenodo.4662490) and
    ELTeC-fra 1.0.1 (ed. Schöch and Burnard, doi:10.5281/zenodo.4662433). The novels are in the public domain,
    their markup under CC BY 4.0. Read below the data folder from `eltec/eltec_eng.txt.xz` and
    `eltec/eltec_fra.txt.xz`: the bodies of the hundred files of a release as plain text, one paragraph a line,
    UTF-8.

    Raises
    ------
    NotAvailable
        The file is not there.
    """
    path = data_root(folder) / "eltec" / _FILES[language]
    if not path.exists():
        raise NotAvailable(
            N_(
                "The novels of ELTeC are not in {folder}: {file} is missing. The recipe says where they come from."
            ),
            folder=str(path.parent),
            file=path.name,
        )
    return _lines(path)


def _lines(path: Path) -> Iterator[str]:
    with lzma.open(path, "rt", encoding="utf-8") as novels:
        yield from novels


def novels(language: str, split: Split, folder: Path | None = None) -> Iterator[list[str]]:
    """The novels of :func:`eltec`, each as its paragraphs; an empty line stands between two of them.

    Every twentieth is held out, from the eleventh on: five novels of each language are ``"test"``.

    Raises
    ------
    NotAvailable
        The file is not there.
    """
    paragraphs = (line.strip() for line in eltec(language, folder))
    books = (list(lines) for whole, lines in groupby(paragraphs, bool) if whole)
    return (book for i, book in enumerate(books) if (i % 20 == 10) == (split == "test"))


def sentence_pairs(split: Split, folder: Path | None = None) -> list[tuple[str, str]]:
    """English sentences with a French translation: Tatoeba's pairs as manythings.org/anki has them, CC BY 2.0.

    Read below the data folder from ``eng-fra/fra-eng.zip`` (https://www.manythings.org/anki/fra-eng.zip). An
    English sentence is held out, with all its translations, where the CRC-32 of its letters in lower case
    is a multiple of fifty; no pair to learn from has a sentence of either language in common with the
    held-out ones.

    Raises
    ------
    NotAvailable
        The file is not there.
    """
    path = data_root(folder) / "eng-fra" / "fra-eng.zip"
    if not path.exists():
        raise NotAvailable(
            N_(
                "The sentence pairs are not in {folder}: {file} is missing. The recipe says where they come from."
            ),
            folder=str(path.parent),
            file=path.name,
        )
    pairs = list(_pairs(path))
    test = [pair for pair in pairs if zlib.crc32(_letters(pair[0]).encode()) % 50 == 0]
    if split == "test":
        return test
    known = {_letters(sentence) for pair in test for sentence in pair}
    return [pair for pair in pairs if known.isdisjoint(map(_letters, pair))]


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    """English and French of each line; later editions of the file add where a pair comes from."""
    with zipfile.ZipFile(path) as archive, archive.open("fra.txt") as file:
        for line in io.TextIOWrapper(file, encoding="utf-8"):
            english, french, *_origin = line.rstrip("\n").split("\t")
            yield " ".join(english.split()), " ".join(french.split())


def _letters(sentence: str) -> str:
    """A sentence by its letters alone: “Go!” and “Go.” are the same to a held-out set."""
    return "".join(filter(str.isalnum, sentence.lower()))
