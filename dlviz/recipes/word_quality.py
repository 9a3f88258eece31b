"""How good word vectors are: judgements of similarity, analogies, odd ones out.

English is measured on the sets that come with gensim: WordSim-353 (Finkelstein et al. 2002; also counts words
that merely belong together), SimLex-999 (Hill et al. 2015; only words of like meaning count) and the
analogies of Mikolov et al. (2013). French is measured on our own, in
:mod:`dlviz.recipes.french_questions`. Half of the words of such sets are of today's world: a question with a
word that the novels do not hold is left out, and the coverage says how many stayed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from dlviz.language.word_tokens import Language
from dlviz.recipes import french_questions

PAIR_SETS = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}
FIGURES = ("wordsim353", "simlex999", "analogies", "odd_ones")


def quick(vectors: KeyedVectors, language: Language) -> dict[str, float]:
    """The figures that take no more than a moment, for the log of the training."""
    if language == "fr":
        return {"odd_ones": odd_ones(vectors)["odd_ones"]}
    return {name: found[name] for name in PAIR_SETS if name in (found := similarity(vectors, name))}


def full(vectors: KeyedVectors, language: Language) -> dict[str, Any]:
    """All figures of a language, each with the number of questions and the part of them that is covered."""
    if language == "fr":
        return {**analogies(vectors, french_questions.questions()), **odd_ones(vectors)}
    questions = Path(datapath("questions-words.txt")).read_text(encoding="utf-8")
    found = {name: value for each in PAIR_SETS for name, value in similarity(vectors, each).items()}
    return {**found, **analogies(vectors, questions)}


def similarity(vectors: KeyedVectors, name: str) -> dict[str, float]:
    r"""Spearman's rank correlation of cosines with the judgements of people.

    Returns
    -------
    dict
        The correlation under ``name``, from -1 to 1, and the part of the pairs whose two words are known under
        ``name_coverage``; nothing where no pair is known.
    """
    try:
        _pearson, spearman, unknown = vectors.evaluate_word_pairs(datapath(PAIR_SETS[name]))
    except ValueError:  # gensim: "No valid similarity judgements found"
        return {}
    return {name: round(float(spearman[0]), 4), f"{name}_coverage": round(1 - unknown / 100, 4)}


def analogies(vectors: KeyedVectors, questions: str) -> dict[str, Any]:
    """Share of the analogies whose first answer is right (3CosAdd), overall and by section.

    Parameters
    ----------
    vectors
        The vectors.
    questions
        Text in the form of ``questions-words.txt``.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "questions.txt"
        path.write_text(questions, encoding="utf-8")
        score, sections = vectors.evaluate_word_analogies(str(path))
    answered = {s["section"]: (len(s["correct"]), len(s["correct"]) + len(s["incorrect"])) for s in sections}
    asked = sum(1 for line in questions.splitlines() if line and not line.startswith(":"))
    _right, known = answered.pop("Total accuracy")
    return {
        "analogies": round(float(score), 4),
        "analogies_asked": asked,
        "analogies_coverage": round(known / asked, 4),
        "analogy_sections": {
            name: {"right": right, "of": of} for name, (right, of) in answered.items() if of
        },
    }


def odd_ones(vectors: KeyedVectors) -> dict[str, float]:
    """Share of the French rows of five whose odd word is found (gensim's ``doesnt_match``)."""
    rows = [row.split() for row in french_questions.ODD_ONES]
    known = [row for row in rows if all(word in vectors for word in row)]
    hits = sum(vectors.doesnt_match(row) == row[-1] for row in known)
    return {
        "odd_ones": round(hits / max(len(known), 1), 4),
        "odd_ones_asked": len(rows),
        "odd_ones_coverage": round(len(known) / len(rows), 4),
    }
