"""The cards of our own language models: a French and English encoder and decoder, and a translator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlviz.i18n import N_
from dlviz.zoo.cards import Facts, Metric, ModelCard, Sentence

VOCABULARY = "vocabulary"

_NOVELS = N_("189 novels of 1840 to 1920, French and English (ELTeC-fra and ELTeC-eng 1.0.1).")
_PAIRS = N_("Tatoeba: English sentences with French translations (manythings.org/anki, CC BY 2.0).")
_NOVEL_WORDS = N_(
    "It knows the words of novels of 1840 to 1920: words of our time, names and other languages come in many pieces."
)
_PAIR_WORDS = N_(
    "It knows the words of short everyday sentences: rare words, names and other languages come in many pieces."
)
# Title, family, training data, where it fails.
_MODELS = {
    "novels-bert": (
        N_("Our encoder (WordPiece)"),
        "WordPiece (Schuster and Nakajima 2012)",
        _NOVELS,
        _NOVEL_WORDS,
    ),
    "novels-gpt2": (
        N_("Our decoder (byte-level BPE)"),
        "Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019)",
        _NOVELS,
        _NOVEL_WORDS,
    ),
    "tatoeba-marian": (N_("Our translator (Unigram)"), "Unigram (Kudo 2018)", _PAIRS, _PAIR_WORDS),
}
NAMES = tuple(_MODELS)


def card(name: str, folder: Path, facts: Facts) -> ModelCard:
    """The card of one of ``NAMES``; its numbers are those that the recipe has measured."""
    title, architecture, data, fails = _MODELS[name]
    return ModelCard(
        name=name,
        title=title,
        task=VOCABULARY,
        architecture=architecture,
        source="bundled",
        folder=folder,
        files=facts.files,
        licence=Sentence(N_("Our own tables, under the MIT licence of dlviz.")),
        training_data=Sentence(data),
        input=Sentence(N_("Text.")),
        fails=Sentence(fails),
        builder="",
        recipe="dlviz.recipes.tokenizers:train",
        recipe_options={"name": name},
        metrics=_metrics(facts.metrics),
        languages=("en", "fr"),
    )


_ENGLISH = N_("Characters a token in English")
_FRENCH = N_("Characters a token in French")
_HELD_OUT = N_("On 200,000 characters of held-out text; the more, the shorter the rows of tokens.")


def _metrics(measured: Mapping[str, Any]) -> tuple[Metric, ...]:
    return tuple(
        Metric(title, measured[key], Sentence(_HELD_OUT), "number")
        for key, title in (("characters_per_token_en", _ENGLISH), ("characters_per_token_fr", _FRENCH))
        if key in measured
    )
