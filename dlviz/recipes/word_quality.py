"""How good word vectors are: judgements of similarity, analogies, odd ones out.

English is measured on the sets that come with gensim: WordSim-353 (Finkelstein et al. 2002; also counts words
that merely belong together), SimLex-999 (Hill et al. 2015; only words of like meaning count) and the
analogies of Mikolov et al. (2013). French is measured on our own, in
:mod:`dlviz.recipes.french_questions`. Half of the words of such sets are of today's world: a question with a
word that the novels do not hold is left out, and the coverage says how many stayed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
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

    The same answers as gensim's ``evaluate_word_analogies``, many questions at a time.

    Parameters
    ----------
    vectors
        The vectors; their words are in lower case.
    questions
        Text in the form of ``questions-words.txt``.
    """
    sections: dict[str, list[list[str]]] = {}
    for line in questions.splitlines():
        if line.startswith(":"):
            rows = sections.setdefault(line[1:].strip(), [])
        elif line.strip():
            rows.append(line.lower().split())
    known = {
        name: [row for row in rows if all(word in vectors for word in row)] for name, rows in sections.items()
    }
    right = {name: _right(vectors, rows) for name, rows in known.items()}
    asked, answered = (sum(len(rows) for rows in some.values()) for some in (sections, known))
    return {
        "analogies": round(sum(right.values()) / max(answered, 1), 4),
        "analogies_asked": asked,
        "analogies_coverage": round(answered / max(asked, 1), 4),
        "analogy_sections": {
            name: {"right": right[name], "of": len(rows)} for name, rows in known.items() if rows
        },
    }


def _right(vectors: KeyedVectors, questions: list[list[str]]) -> int:
    """How many of the questions have their last word as the first answer."""
    unit = vectors.get_normed_vectors()
    right = 0
    for start in range(0, len(questions), 256):
        block = np.array(
            [[vectors.key_to_index[word] for word in row] for row in questions[start : start + 256]]
        )
        a, b, c, expected = block.T
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T
        np.put_along_axis(scores, block[:, :3], -np.inf, axis=1)
        right += int((scores.argmax(axis=1) == expected).sum())
    return right


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
