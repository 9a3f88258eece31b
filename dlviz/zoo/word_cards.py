"""The cards of word vectors: the bundled ones of two languages, the public ones, and folders of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlviz.i18n import N_
from dlviz.zoo.cards import CardFile, Facts, Metric, ModelCard, Sentence

WORD_VECTORS = "word-vectors"

_SKIP_GRAM = "Word2Vec: skip-gram, negative sampling (Mikolov et al. 2013)"
_FILES_BUILDER = "dlviz.language.vector_files:from_folder"
_VECTORS_INPUT = N_("A word of its list of {words} words.")
_BIAS = N_(
    "Its world is that of novels of 1840 to 1920: it has never read of a computer or a football team, and it "
    "repeats what these novels say of men and women, of trades and of nations. Rare words have poor neighbours."
)
# Title, training data, language.
_BUNDLED = {
    "words-en": (
        N_("English words of a hundred novels"),
        N_("A hundred English novels of 1840 to 1920 (ELTeC-eng 1.0.1): {tokens} words."),
        "en",
    ),
    "words-fr": (
        N_("French words of a hundred novels"),
        N_("A hundred French novels of 1840 to 1920 (ELTeC-fra 1.0.1): {tokens} words."),
        "fr",
    ),
}
NAMES = tuple(_BUNDLED)

# As gensim's downloader has it (gensim.downloader.DOWNLOAD_BASE_URL); importing it here would bring all of gensim
# into every page. Sizes, licences and data are those of its list of models.
GENSIM_DATA = "https://github.com/RaRe-Technologies/gensim-data/releases/download"
_FASTTEXT_DATA = "Wikipedia 2017, UMBC webbase corpus and statmt.org news dataset (16B tokens)"
# Title, architecture, bytes, training data, licence.
_PUBLIC: dict[str, tuple[str, str, int, str, str]] = {
    "glove-wiki-gigaword-100": (
        "GloVe, Wikipedia and Gigaword",
        "GloVe (Pennington et al. 2014)",
        134_300_434,
        "Wikipedia 2014 + Gigaword 5 (6B tokens, uncased)",
        "http://opendatacommons.org/licenses/pddl/",
    ),
    "fasttext-wiki-news-subwords-300": (
        "fastText, Wikipedia and news",
        "fastText with subwords (Bojanowski et al. 2017)",
        1_005_007_116,
        _FASTTEXT_DATA,
        "https://creativecommons.org/licenses/by-sa/3.0/",
    ),
}
PUBLIC = tuple(_PUBLIC)
LIMIT = 50_000


def bundled_card(name: str, folder: Path, facts: Facts) -> ModelCard:
    """The card of one of ``NAMES``; its numbers are those that the recipe has measured."""
    title, data, language = _BUNDLED[name]
    measured = facts.metrics
    return ModelCard(
        name=name,
        title=title,
        task=WORD_VECTORS,
        architecture=_SKIP_GRAM,
        source="bundled",
        folder=folder,
        files=facts.files,
        licence=Sentence(
            N_(
                "Our own vectors, under the MIT licence of dlviz. The novels that they learnt from are in the "
                "public domain."
            )
        ),
        training_data=Sentence(data, {"tokens": measured.get("tokens", 0)}),
        input=Sentence(_VECTORS_INPUT, {"words": measured.get("words", 0)}),
        fails=Sentence(_BIAS),
        builder="dlviz.language.word_vectors:bundled",
        recipe="dlviz.recipes.word_vectors:train",
        recipe_options={"language": language},
        metrics=tuple(_metrics(measured, language)),
        parameters=measured.get("parameters", 0),
        languages=(language,),
    )


def _metrics(measured: Mapping[str, Any], language: str) -> list[Metric]:
    return [
        Metric(
            title,
            measured[key],
            Sentence(how, {"share": round(100 * measured[f"{key}_coverage"]), **_asked(measured, key)}),
            "share" if key in ("analogies", "odd_ones") else "number",
        )
        for key, title, how in _METRICS[language]
        if key in measured
    ]


def _asked(measured: Mapping[str, Any], key: str) -> dict[str, int]:
    return {"questions": measured[f"{key}_asked"]} if f"{key}_asked" in measured else {}


_ANALOGIES = N_("Analogies")
_SPEARMAN = N_(
    "Spearman correlation of cosines with the judgements of people, over the {share}% of the pairs whose words the "
    "novels hold."
)
_METRICS = {
    "en": (
        (
            "analogies",
            _ANALOGIES,
            N_(
                "Share of right first answers to the analogies of Mikolov et al. (2013), over the {share}% of the "
                "{questions} questions whose words the novels hold."
            ),
        ),
        ("wordsim353", N_("Relatedness (WordSim-353)"), _SPEARMAN),
        ("simlex999", N_("Similarity (SimLex-999)"), _SPEARMAN),
    ),
    "fr": (
        (
            "analogies",
            _ANALOGIES,
            N_(
                "Share of right first answers to our own French analogies, over the {share}% of the {questions} "
                "questions whose words the novels hold."
            ),
        ),
        (
            "odd_ones",
            N_("Odd one out"),
            N_(
                "Share of our own {questions} rows of five words whose odd word is found; {share}% of the rows have "
                "only words that the novels hold."
            ),
        ),
    ),
}


def public_card(name: str, folder: Path) -> ModelCard:
    """The card of one of ``PUBLIC``: a file of gensim's downloader, the first 50,000 words of which are read."""
    title, architecture, size, data, licence = _PUBLIC[name]
    file = f"{name}.gz"
    return ModelCard(
        name=name,
        title=title,
        task=WORD_VECTORS,
        architecture=architecture,
        source="public",
        folder=folder,
        files=(CardFile(file, size=size, url=f"{GENSIM_DATA}/{name}/{file}"),),
        licence=Sentence(N_("As gensim's list of models says: {licence}."), {"licence": licence}),
        training_data=Sentence(N_("As gensim's list of models says: {data}."), {"data": data}),
        input=Sentence(_VECTORS_INPUT, {"words": LIMIT}),
        fails=Sentence(
            N_(
                "It repeats what its texts say of men and women, of trades and of nations. A word with several "
                "meanings has one vector for all of them. Only its {words} most frequent words are read."
            ),
            {"words": LIMIT},
        ),
        builder=_FILES_BUILDER,
        options={"file": file, "limit": LIMIT},
        languages=("en",),
    )


def vectors_file(folder: Path) -> Path | None:
    """The file of word vectors in an operator's folder: called ``vectors.`` and anything, without a ``config.json``."""
    if (folder / "config.json").exists():
        return None
    return next((path for path in sorted(folder.glob("vectors.*")) if path.is_file()), None)


def folder_card(name: str, path: Path) -> ModelCard:
    """Vectors of the operator's own (``DLVIZ_MODEL_DIRS``): nothing is known about them but the file."""
    unknown = Sentence(N_("Not stated: this model comes from a folder of the server's operator."))
    beside = [path.parent / "metadata.tsv"] if path.suffix == ".tsv" else []
    return ModelCard(
        name=name,
        title=path.parent.name,
        task=WORD_VECTORS,
        architecture="",
        source="folder",
        folder=path.parent,
        files=tuple(CardFile(one.name, one.stat().st_size) for one in (path, *beside) if one.exists()),
        licence=unknown,
        training_data=unknown,
        input=unknown,
        fails=unknown,
        builder=_FILES_BUILDER,
        options={"file": path.name, "limit": LIMIT},
    )
