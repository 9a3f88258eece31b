r"""Words of a text, sentence by sentence: what Word2Vec is trained on.

Word vectors need a decision that byte-pair encoding never has to take: what is *one* word? Lower case, so
that *The* and *the* share a vector; a hyphen inside a word stays (*drawing-room*, *peut-être*); figures and
punctuation go. What French and English glue on with an apostrophe or a hyphen comes off, because it is a word
of its own: *l'homme* is *l'* and *homme*, *dit-il* is *dit* and *il*, *king's* is *king* and *'s*. Without
this, a corpus of novels would give *homme*, *l'homme*, *d'homme* and *qu'homme* a vector each, all of them
poorer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

Language = Literal["en", "fr"]
LANGUAGES: tuple[Language, ...] = ("en", "fr")

# Letters, held together by single hyphens and apostrophes between them.
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
# A full stop behind one of these ends no sentence.
_TITLE = re.compile(r"\b(mr|mrs|messrs|dr|st|rev|hon|esq|m|mm|mme|mmes|mlle|mlles|mgr)\.", re.IGNORECASE)
_END = re.compile(r"[.!?…\n]+")
# Typographic apostrophes and hyphens become the plain ones; soft hyphens go.
_PLAIN = str.maketrans({"’": "'", "´": "'", "ʼ": "'", "‐": "-", "‑": "-", "\xad": None, "_": " "})

_EN_CLITIC = re.compile(r"(.+)('(?:s|ll|ve|re|d|m))")
_FR_ELISION = re.compile(r"((?:[cçdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)')(.+)")
_FR_PRONOUN = re.compile(
    r"(.+?)(?:-t)?-(je|tu|il|elle|on|nous|vous|ils|elles|ce|moi|toi|lui|leur|le|la|les|y|en|là|ci)"
)
# Whole words although they look like a verb and its pronoun, or a noun and its là.
_FR_WHOLE = re.compile(r"(?:celui|celle|ceux|celles|jusque|par|de)-(?:là|ci)|rendez-vous|chez-.+|au-.+")


def sentences(text: str, language: Language = "en") -> Iterator[list[str]]:
    """The words of each sentence that has any.

    Parameters
    ----------
    text
        Any text, line feeds between paragraphs.
    language
        Whose clitics are split off: ``"en"`` or ``"fr"``.

    Examples
    --------
    >>> list(sentences("The King's men don't sleep. To-day, 3 came!"))
    [['the', 'king', "'s", 'men', "don't", 'sleep'], ['to-day', 'came']]
    >>> list(sentences("L'homme, dit-il, qu'on aime. Peut-être aujourd’hui ?", "fr"))
    [["l'", 'homme', 'dit', 'il', "qu'", 'on', 'aime'], ['peut-être', "aujourd'hui"]]
    """
    split = _french if language == "fr" else _english
    plain = unicodedata.normalize("NFC", text).translate(_PLAIN).lower()
    for sentence in _END.split(_TITLE.sub(r"\1", plain)):
        words = [part for word in _WORD.findall(sentence) for part in split(word)]
        if words:
            yield words


def _english(word: str) -> list[str]:
    """A word and its *'s*, *'ll*, *'ve*, *'re*, *'d* or *'m*; *don't* stays whole: its verb is not *don*."""
    clitic = _EN_CLITIC.fullmatch(word) if "'" in word else None
    return [*clitic.groups()] if clitic else [word]


def _french(word: str) -> list[str]:
    """Elided words before (*jusqu'*, *l'*), pronouns and *là* or *ci* behind (*dit-il*, *cet homme-là*)."""
    before: list[str] = []
    behind: list[str] = []
    while "'" in word and (elided := _FR_ELISION.fullmatch(word)):
        before.append(elided[1])
        word = elided[2]
    while "-" in word and not _FR_WHOLE.fullmatch(word) and (glued := _FR_PRONOUN.fullmatch(word)):
        behind.insert(0, glued[2])
        word = glued[1]
    return [*before, word, *behind]
