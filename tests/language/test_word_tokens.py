"""What one word is, in both languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlviz.language.word_tokens import LANGUAGES, sentences


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The King's men don't sleep.", [["the", "king", "'s", "men", "don't", "sleep"]]),
        ("‘Mother’s drawing‐room,’ he said.", [["mother", "'s", "drawing-room", "he", "said"]]),
        ("Mr. Pip came. He left!", [["mr", "pip", "came"], ["he", "left"]]),
        ("I'll, you've -- 1840 _never_", [["i", "'ll", "you", "'ve", "never"]]),
        ("... 12 ?", []),
    ],
)
def test_english(text: str, words: list[list[str]]) -> None:
    assert list(sentences(text, "en")) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L’homme qu'on aime", [["l'", "homme", "qu'", "on", "aime"]]),
        ("Aujourd'hui, quelqu'un", [["aujourd'hui", "quelqu'un"]]),
        ("Jusqu'à l'aube", [["jusqu'", "à", "l'", "aube"]]),
        ("Y a-t-il, dit-elle ; donnez-le-moi", [["y", "a", "il", "dit", "elle", "donnez", "le", "moi"]]),
        ("Peut-être celui-ci, vis-à-vis", [["peut-être", "celui-ci", "vis-à-vis"]]),
        ("Cet homme-là. Un rendez-vous", [["cet", "homme", "là"], ["un", "rendez-vous"]]),
        ("E\u0301tait-ce M. Œdipe ?", [["était", "ce", "m", "œdipe"]]),
    ],
)
def test_french(text: str, words: list[list[str]]) -> None:
    assert list(sentences(text, "fr")) == words


@given(st.text(alphabet="abé'’-. \n?!«L1_œ", max_size=60), st.sampled_from(LANGUAGES))
def test_words_hold_no_space_and_cutting_again_changes_nothing(text: str, language: str) -> None:
    for words in sentences(text, language):
        assert words
        assert all(
            word and not any(letter.isspace() or letter.isupper() for letter in word) for word in words
        )
