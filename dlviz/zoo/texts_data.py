"""Texts that the bundled word vectors were trained on."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

from dlviz.errors import NotAvailable
from dlviz.i18n import N_
from dlviz.zoo.datasets import data_root

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
