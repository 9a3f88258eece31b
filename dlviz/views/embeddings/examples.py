"""Words to begin with, by the language of the vectors; where they are not known, frequent words take their place."""

from __future__ import annotations

from dataclasses import dataclass

from dlviz.errors import Refused
from dlviz.views.embeddings.common import Chosen


@dataclass(frozen=True, slots=True)
class Axis:
    """Two poles and words to place between them; the code stands for its title."""

    code: str
    low: str
    high: str
    on: str


WORDS = {
    "en": ("horse", "king", "sea", "sadness", "monday", "paris", "seven"),
    "fr": ("cheval", "roi", "mer", "tristesse", "lundi", "londres", "sept"),
}

# a is to b as c is to ...: the first is the course's.
ANALOGIES = {
    "en": (
        ("man", "king", "woman"),
        ("walk", "walked", "talk"),
        ("good", "better", "bad"),
        ("brother", "sister", "uncle"),
        ("london", "england", "paris"),
        ("dog", "dogs", "horse"),
    ),
    "fr": (
        ("homme", "roi", "femme"),
        ("père", "mère", "oncle"),
        ("parle", "parlait", "chante"),
        ("cheval", "chevaux", "oiseau"),
        ("paris", "france", "londres"),
        ("utile", "inutile", "possible"),
    ),
}

AXES = {
    "en": (
        Axis(
            "gender",
            "she, her, woman, girl",
            "he, his, man, boy",
            "nurse, doctor, soldier, servant, judge, dancer, teacher, sailor, cook, painter",
        ),
        Axis(
            "wealth",
            "poor, poverty, beggar",
            "rich, wealth, fortune",
            "cottage, castle, carriage, rags, silk, bread, jewels, farmer, duke, workhouse",
        ),
        Axis(
            "feeling",
            "sad, sorrow, misery",
            "happy, joy, delight",
            "wedding, funeral, music, rain, spring, prison, tears, laughter, holiday, illness",
        ),
    ),
    "fr": (
        Axis(
            "gender",
            "elle, femme, fille",
            "il, homme, garçon",
            "infirmière, médecin, soldat, domestique, juge, danseuse, couturière, marin, notaire, peintre",
        ),
        Axis(
            "wealth",
            "pauvre, misère, mendiant",
            "riche, richesse, fortune",
            "chaumière, château, carrosse, haillons, soie, pain, bijoux, paysan, duc, hôpital",
        ),
        Axis(
            "feeling",
            "triste, chagrin, douleur",
            "heureux, joie, bonheur",
            "noces, enterrement, musique, pluie, printemps, prison, larmes, rires, fête, maladie",
        ),
    ),
}

ODD = {
    "en": (
        "father, mother, brother, sister, window",
        "monday, friday, sunday, tuesday, horse",
        "red, blue, green, yellow, thursday",
        "bread, cheese, meat, butter, pistol",
    ),
    "fr": (
        "père, mère, frère, sœur, fenêtre",
        "lundi, mardi, jeudi, dimanche, cheval",
        "rouge, bleu, vert, jaune, vendredi",
        "pain, vin, viande, fromage, colère",
    ),
}


def known(chosen: Chosen, text: str) -> bool:
    """Whether all words of an example are known."""
    try:
        chosen.store.rows([word.strip() for word in text.split(",")])
    except Refused:
        return False
    return True


def words(chosen: Chosen) -> list[str]:
    """Single words worth looking up."""
    return [word for word in WORDS.get(chosen.language, ()) if known(chosen, word)] or frequent(chosen, 6)


def analogies(chosen: Chosen) -> list[tuple[str, str, str]]:
    """Questions worth asking; the first one is asked on a first visit."""
    found = [three for three in ANALOGIES.get(chosen.language, ()) if known(chosen, ", ".join(three))]
    if found:
        return found
    some = (frequent(chosen, 3) * 3)[:3]
    return [(some[0], some[1], some[2])]


def axes(chosen: Chosen) -> list[Axis]:
    """Axes worth looking at."""
    found = [
        axis
        for axis in AXES.get(chosen.language, ())
        if known(chosen, ", ".join((axis.low, axis.high, axis.on)))
    ]
    if found:
        return found
    some = frequent(chosen, 12)
    return [Axis("own", some[0], some[-1], ", ".join(some[1:-1] or some))]


def odd(chosen: Chosen) -> list[str]:
    """Rows of words in which one is odd."""
    return [row for row in ODD.get(chosen.language, ()) if known(chosen, row)] or [
        ", ".join(frequent(chosen, 5))
    ]


def frequent(chosen: Chosen, count: int) -> list[str]:
    """The most frequent words of four letters and more, or, of very few words, all."""
    long = [word for word in chosen.store.words[:2000] if len(word) > 3 and "," not in word]
    return (long if len(long) >= count else list(chosen.store.words))[:count]
