"""Texts to learn a vocabulary from: the course's sentences, and two stories written for this laboratory."""

from __future__ import annotations

from dataclasses import dataclass

from dlviz.i18n import N_
from dlviz.settings import ASSETS

COURSE_BPE = "la souris rit sous la pluie"
"""The mini-corpus of the slide on byte-pair encoding."""

COURSE_WORDPIECE = "J'adore le traitement automatique du langage"
"""The sentence of the slide on WordPiece."""

PRICE_PAIRS: tuple[tuple[str, str], ...] = (
    ("The mouse laughs in the rain.", "La souris rit sous la pluie."),
    ("I love natural language processing.", "J'adore le traitement automatique du langage."),
    (
        "Yesterday the children noticed that the lighthouse was no longer lit.",
        "Hier, les enfants se sont aperçus que le phare n'était plus allumé.",
    ),
)
"""The same sentence in English and in French."""


@dataclass(frozen=True, slots=True)
class SampleText:
    """A sample: its name in links, its title (a message id), its language and where the text stands."""

    name: str
    title: str
    language: str
    file: str = ""
    words: str = ""

    @property
    def text(self) -> str:
        """The text itself."""
        return self.words or (ASSETS / "texts" / self.file).read_text("utf-8")


SAMPLE_TEXTS: tuple[SampleText, ...] = (
    SampleText("souris", N_("The course's sentence"), "fr", words=COURSE_BPE),
    SampleText("marche", N_("A story in French: the market"), "fr", "le_marche.txt"),
    SampleText("lighthouse", N_("A story in English: the lighthouse"), "en", "the_lighthouse.txt"),
)


def sample(name: str) -> SampleText:
    """The sample of a name.

    Raises
    ------
    KeyError
        There is none.
    """
    return {one.name: one for one in SAMPLE_TEXTS}[name]
