"""The messages of the source and of the catalogues; ``python -m tests.messages`` adds what is missing.

A message of ``pages/<stem>.py`` goes to ``<stem>.po``, every other one to ``dlviz.po``, unless a catalogue
has it already.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from dlviz.i18n import LOCALE_DIR
from dlviz.settings import ROOT

KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
FOLDER = LOCALE_DIR / "fr" / "LC_MESSAGES"


def source_messages() -> Iterator[tuple[str | tuple[str, ...], Path, int]]:
    """Every message id of the project, with where it stands."""
    for folder in ("dlviz", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for line, message, _comments, _context in extract_from_file("python", path, keywords=KEYWORDS):
                if message:
                    yield message, path, line


def catalogues() -> dict[str, Catalog]:
    """The French catalogues by name."""
    found = {}
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            found[path.stem] = read_po(file, locale="fr")
    return found


def entries() -> Iterator[tuple[str, Message]]:
    """Every entry of every catalogue, its header left out."""
    for name, catalogue in catalogues().items():
        for message in catalogue:
            if message.id:
                yield name, message


def key(message_id: str | tuple[str, ...] | list[str]) -> str:
    """A plural message is known by its singular."""
    return message_id if isinstance(message_id, str) else message_id[0]


def main() -> None:
    """Add missing messages to their catalogues (untranslated) and name the unused ones."""
    books = catalogues()
    known = {key(message.id) for _, message in entries()}
    used = set()
    for message, path, _line in source_messages():
        used.add(key(message))
        if key(message) in known:
            continue
        name = path.stem if path.parent.name == "pages" else "dlviz"
        books.setdefault(name, Catalog(locale="fr")).add(message)
        known.add(key(message))
        print(f"added to {name}.po: {key(message)}")
    for name, book in books.items():
        for message in [m for m in book if m.id and key(m.id) not in used]:
            print(f"no longer used, taken out of {name}.po: {key(message.id)}")
            book.delete(message.id)
        with (FOLDER / f"{name}.po").open("wb") as file:
            write_po(file, book, width=110, sort_output=True, no_location=True, omit_header=False)


if __name__ == "__main__":
    main()
