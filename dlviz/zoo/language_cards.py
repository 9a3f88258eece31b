"""The cards of our own language models: a French and English encoder and decoder, and a translator.

A folder that holds a tokenizer but no weights yet is offered as a vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlviz.i18n import N_
from dlviz.zoo.cards import Facts, Metric, ModelCard, Sentence, Unit
from dlviz.zoo.transformer_cards import BUILDER, LANGUAGE_MODEL

VOCABULARY = "vocabulary"
_WEIGHTS = "model.safetensors"

_NOVELS = N_("189 novels of 1840 to 1920, French and English (ELTeC-fra and ELTeC-eng 1.0.1).")
_PAIRS = N_("Tatoeba: English sentences with French translations (manythings.org/anki, CC BY 2.0).")
_NOVEL_WORDS = N_(
    "It knows the words of novels of 1840 to 1920: words of our time, names and other languages come in many pieces."
)
_PAIR_WORDS = N_(
    "It knows the words of short everyday sentences: rare words, names and other languages come in many pieces."
)
_NOVEL_MODEL = N_(
    "It is a few million weights small, and has read nothing but novels of 1840 to 1920: it writes and guesses in their "
    "manner, knows nothing of our time, and repeats what they say of men and women, of trades and of nations."
)
_PAIR_MODEL = N_(
    "It is a few million weights small, and has seen short everyday sentences only: long ones, rare words and names go "
    "wrong, and it chooses between “tu” and “vous” as it likes."
)
# Title of the vocabulary, its family, title of the model, its architecture, training data, where each fails.
_MODELS = {
    "novels-bert": (
        N_("Our encoder (WordPiece)"),
        "WordPiece (Schuster and Nakajima 2012)",
        N_("Our encoder, French and English"),
        "BERT (Devlin et al. 2019)",
        _NOVELS,
        (_NOVEL_WORDS, _NOVEL_MODEL),
    ),
    "novels-gpt2": (
        N_("Our decoder (byte-level BPE)"),
        "Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019)",
        N_("Our decoder, French and English"),
        "GPT-2 (Radford et al. 2019)",
        _NOVELS,
        (_NOVEL_WORDS, _NOVEL_MODEL),
    ),
    "tatoeba-marian": (
        N_("Our translator (Unigram)"),
        "Unigram (Kudo 2018)",
        N_("Our translator, English to French"),
        "Transformer (Vaswani et al. 2017), as Marian has it",
        _PAIRS,
        (_PAIR_WORDS, _PAIR_MODEL),
    ),
}
NAMES = tuple(_MODELS)


def card(name: str, folder: Path, facts: Facts) -> ModelCard:
    """The card of one of ``NAMES``; its numbers are those that the recipe has measured."""
    vocabulary, family, title, architecture, data, fails = _MODELS[name]
    trained = any(file.name == _WEIGHTS for file in facts.files)
    return ModelCard(
        name=name,
        title=title if trained else vocabulary,
        task=LANGUAGE_MODEL if trained else VOCABULARY,
        architecture=architecture if trained else family,
        source="bundled",
        folder=folder,
        files=facts.files,
        licence=Sentence(
            N_("Our own weights, under the MIT licence of dlviz.")
            if trained
            else N_("Our own tables, under the MIT licence of dlviz.")
        ),
        training_data=Sentence(data),
        input=Sentence(N_("Text.")),
        fails=Sentence(fails[trained]),
        builder=BUILDER if trained else "",
        recipe="dlviz.recipes.language_models:train",
        recipe_options={"name": name},
        metrics=_metrics(facts.metrics),
        parameters=facts.metrics.get("parameters", 0),
        languages=("en", "fr"),
    )


def _metrics(measured: Mapping[str, Any]) -> tuple[Metric, ...]:
    return tuple(
        Metric(
            title,
            measured[key],
            Sentence(how, {name.removesuffix("_en").removesuffix("_fr"): measured[name] for name in values}),
            unit,
        )
        for key, title, how, unit, values in _METRICS
        if key in measured
    )


_PERPLEXITY = N_(
    "Perplexity a token over {test_tokens} tokens of five held-out novels; each is told from 128 to 255 tokens before it."
)
_BITS = N_("What the same tokens cost, by character: it can be compared between tokenizers.")
_FILL_IN = N_("Of 15% hidden tokens of five held-out novels: the share whose first guess is right.")
_PSEUDO = N_(
    "Each token of short paragraphs of held-out novels hidden alone (Salazar et al. 2020); the lower the better."
)
_BLEU = N_(
    "By sacrebleu, against all known translations of {test_sentences} held-out sentences, with four beams."
)
_HELD_OUT = N_("On 200,000 characters of held-out text; the more, the shorter the rows of tokens.")

_METRICS: tuple[tuple[str, str, str, Unit, tuple[str, ...]], ...] = (
    ("perplexity_en", N_("Perplexity in English"), _PERPLEXITY, "number", ("test_tokens_en",)),
    ("perplexity_fr", N_("Perplexity in French"), _PERPLEXITY, "number", ("test_tokens_fr",)),
    ("bits_per_character_en", N_("Bits a character in English"), _BITS, "number", ()),
    ("bits_per_character_fr", N_("Bits a character in French"), _BITS, "number", ()),
    ("masked_accuracy_en", N_("Hidden words found in English"), _FILL_IN, "share", ()),
    ("masked_accuracy_fr", N_("Hidden words found in French"), _FILL_IN, "share", ()),
    ("pseudo_perplexity_en", N_("Pseudo-perplexity in English"), _PSEUDO, "number", ()),
    ("pseudo_perplexity_fr", N_("Pseudo-perplexity in French"), _PSEUDO, "number", ()),
    ("bleu", "BLEU", _BLEU, "number", ("test_sentences",)),
    ("chrf", "chrF", _BLEU, "number", ("test_sentences",)),
    ("characters_per_token_en", N_("Characters a token in English"), _HELD_OUT, "number", ()),
    ("characters_per_token_fr", N_("Characters a token in French"), _HELD_OUT, "number", ()),
)
