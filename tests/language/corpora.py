"""Texts to train on: sentences, random letters, and novels where the operator's data folder has them."""

from __future__ import annotations

import lzma
import random

from dlviz.settings import settings

FRENCH = (
    "La souris rit sous la pluie. Aujourd'hui l'été s'achève, et les élèves relèvent les tentes. "
    "« Où est-elle ? » demanda-t-il : là-bas, déjà, à 18 h 30, on l'aperçut — 3 kilomètres plus loin…\n\n"
)
ENGLISH = (
    "The mouse laughs in the rain. It's late, they've gone, and we're the last who'll stay: 42 boats, 7 "
    "of them sinking.   Three spaces; a tab\there, and\r\na line break.\n"
)
MIXED = (
    "שלום עולם مرحبا بالعالم e\u0301te\u0301 👩‍👩‍👧‍👦 🇫🇷 日本語 "
    "naïve cafe\u0301 1½ ²³ \u200bzero\u00a0nbsp\u2003em\u3000wide\n"
)


def random_text(seed: int, alphabet: str, length: int) -> str:
    """Letters drawn at random: many ties, runs of one letter, stray spaces."""
    draw = random.Random(seed)
    return "".join(draw.choice(alphabet) for _ in range(length))


CORPORA = {
    "french": FRENCH * 3 + ENGLISH,
    "english": ENGLISH * 3 + FRENCH,
    "mixed": MIXED * 4 + FRENCH,
    "runs": "aaaa aaa aa a aaaaaaa bababab abab aabbaabb " * 3 + "a" * 50,
    "random ab": random_text(0, "ab ", 3000),
    "random letters": random_text(1, "abcdefgh  \n", 4000),
    "random accents": random_text(2, "éèaçœ🙂'. ", 2000),
}


def novels(name: str, characters: int) -> str | None:
    """The beginning of the novels of ``"fra"`` or ``"eng"``; None where they are not at hand."""
    folder = settings().data_dir
    path = folder / "eltec" / f"eltec_{name}.txt.xz" if folder else None
    if path is None or not path.is_file():
        return None
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return file.read(characters)
