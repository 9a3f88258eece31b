"""Texts to learn word vectors from: two small made-up worlds, generated here, and two stories.

Word vectors need tens of thousands of words, and a text of that length would take long to look through. A generated
world is as long as one likes, and one knows what is in it: cats and cows eat, kings and queens wear crowns, every
country has its capital. So one can tell in seconds what the vectors have found out, and what they have not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random

from dlviz.i18n import N_
from dlviz.language import sample_texts
from dlviz.language.word_tokens import Language

SENTENCES = 5000
"""Of a generated world: 40,000 words."""

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """A grammar of whole sentences.

    Attributes
    ----------
    lists
        Names and the words that may stand in their place.
    rows
        Kinds of things that belong together, such as a country and its capital: one row is drawn a sentence.
    templates
        For each kind of row, or ``""`` for none, sentences with names in braces.
    """

    lists: Mapping[str, Sequence[str]]
    rows: Mapping[str, Sequence[Row]]
    templates: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class WordSample:
    """A sample: its name in links, its title (a message id), its language, its text and words worth watching."""

    name: str
    title: str
    language: Language
    make: Callable[[], str]
    watched: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text itself."""
        return self.make()


def _rows(names: str, *rows: str) -> tuple[Row, ...]:
    """Rows of words, written with commas between."""
    keys = names.split()
    return tuple(dict(zip(keys, re.split(r",\s*", row), strict=True)) for row in rows)


_ENGLISH = World(
    lists={
        "day": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        "number": ("two", "three", "four", "five", "six", "seven", "eight", "nine"),
        "colour": ("red", "blue", "green", "yellow", "white", "black", "brown"),
        "thing": ("coat", "hat", "shirt", "dress", "scarf", "shoe"),
        "fruit": ("apple", "pear", "plum", "cherry", "peach", "orange"),
        "dish": ("bread", "cheese", "soup", "rice", "meat", "fish"),
        "drink": ("water", "milk", "tea", "coffee", "wine"),
        "month": ("january", "february", "march", "july", "august", "december"),
        "weather": ("rain", "snow", "wind", "fog", "sunshine"),
        "job": ("doctor", "teacher", "baker", "farmer", "painter", "sailor"),
    },
    rows={
        "animal": _rows(
            "animal food home noise",
            "cat, mice, house, purrs", "dog, bones, house, barks", "cow, grass, field, moos",
            "sheep, grass, field, bleats", "horse, oats, stable, neighs", "donkey, oats, stable, brays",
            "lion, antelopes, savanna, roars", "tiger, antelopes, jungle, roars", "duck, worms, pond, quacks",
            "goose, worms, pond, honks", "owl, mice, forest, hoots", "wolf, rabbits, forest, howls",
        ),
        "country": _rows(
            "country capital tongue",
            "france, paris, french", "italy, rome, italian", "spain, madrid, spanish", "germany, berlin, german",
            "russia, moscow, russian", "japan, tokyo, japanese", "greece, athens, greek", "poland, warsaw, polish",
        ),
        "royal": _rows(
            "who he his", "king, he, his", "queen, she, her", "prince, he, his", "princess, she, her",
        ),
        "grown": _rows(
            "who he his", "man, he, his", "woman, she, her", "husband, he, his", "wife, she, her",
        ),
        "child": _rows("who he his", "boy, he, his", "girl, she, her", "nephew, he, his", "niece, she, her"),
        "parent": _rows(
            "who he his", "father, he, his", "mother, she, her", "uncle, he, his", "aunt, she, her",
        ),
        "verb": _rows(
            "now then how", "walk, walked, slowly", "talk, talked, softly", "dance, danced, gladly",
            "work, worked, hard", "laugh, laughed, loudly", "cook, cooked, well",
        ),
    },
    templates={
        "animal": (
            "the {animal} eats {food} and {noise} in the {home}", "the {animal} {noise} when it finds {food}",
            "in the {home} lives a {animal}", "{number} of them heard how the {animal} {noise}",
        ),
        "country": (
            "{capital} is the capital of {country}", "people in {country} speak {tongue}",
            "she learns {tongue} because she travels to {country}", "the train to {capital} crosses {country}",
            "in {capital} everybody speaks {tongue}",
        ),
        "royal": (
            "the {who} wears {his} golden crown in the palace", "on the throne sits the {who} and {he} rules",
            "the {who} says that {he} saw {his} guards at the palace", "{he} is the {who} and rules the kingdom",
        ),
        "grown": (
            "the {who} says that {he} goes to {his} office", "on {day} the {who} reads {his} newspaper",
            "{he} is a {job} and {he} is also a {who}", "the {who} pays {his} bills because {he} works",
        ),
        "child": (
            "the {who} says that {he} lost {his} toys", "at school the {who} writes in {his} notebook",
            "{he} is a {who} and {he} plays in the yard", "the {who} plays with {his} ball after school",
        ),
        "parent": (
            "the {who} feeds {his} children at home", "{he} is their {who} and {he} loves the baby",
            "the {who} sings to the baby and {he} rocks the cradle", "at home the {who} tells {his} children a story",
        ),
        "verb": (
            "every day they {now} {how}", "yesterday they {then} {how}", "they {then} all last week",
            "we like to {now} and we {now} often",
        ),
        "": (
            "on {day} we eat {dish} and drink {drink}", "on {day} and on {day} the shop is closed",
            "she buys {number} {colour} apples and a {fruit}", "the {colour} {thing} and the {colour} {thing} are clean",
            "in {month} there is {weather} and {weather}", "the {job} and the {job} meet on {day}",
            "a {fruit} and a {fruit} ripen on the tree", "for lunch we cook {dish} with {dish}",
            "he pours {drink} or {drink} into the glass", "she wears a {colour} {thing} in {month}",
            "the {job} counts {number} or {number} coins",
        ),
    },
)  # fmt: skip

_FRENCH = World(
    lists={
        "jour": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
        "nombre": ("deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
        "couleur": ("rouge", "jaune", "rose", "orange", "mauve", "beige"),
        "habit": ("manteau", "chapeau", "pantalon", "foulard", "gilet"),
        "fruit": ("une pomme", "une poire", "une prune", "une cerise", "une pêche"),
        "plat": ("du pain", "du fromage", "du riz", "du poisson", "du jambon"),
        "boisson": ("du lait", "du thé", "du café", "du vin", "du cidre"),
        "mois": ("janvier", "février", "mars", "juillet", "août", "décembre"),
        "temps": ("la pluie", "la neige", "la brume", "la grêle"),
        "métier": ("médecin", "boulanger", "fermier", "peintre", "marin", "facteur"),
    },
    rows={
        "animal": _rows(
            "animal repas lieu cri",
            "le chat, des souris, la maison, ronronne", "le chien, des os, la maison, aboie",
            "la vache, de l'herbe, le pré, meugle", "le mouton, de l'herbe, le pré, bêle",
            "le cheval, de l'avoine, la grange, hennit", "la jument, de l'avoine, la grange, hennit",
            "le lion, des gazelles, la savane, rugit", "le tigre, des gazelles, la jungle, rugit",
            "le canard, des vers, la mare, cancane", "la grenouille, des vers, la mare, coasse",
            "la chouette, des souris, la forêt, hulule", "le loup, des lapins, la forêt, hurle",
        ),
        "pays": _rows(
            "pays capitale langue",
            "la france, paris, français", "l'italie, rome, italien", "l'espagne, madrid, espagnol",
            "l'allemagne, berlin, allemand", "la russie, moscou, russe", "la grèce, athènes, grec",
            "la pologne, varsovie, polonais", "la hongrie, budapest, hongrois",
        ),
        "royal": _rows(
            "qui il un", "le roi, il, un", "la reine, elle, une", "le prince, il, un", "la princesse, elle, une",
        ),
        "adulte": _rows(
            "qui il un", "le monsieur, il, un", "la dame, elle, une", "l'homme, il, un", "la femme, elle, une",
        ),
        "enfant": _rows(
            "qui il un", "le garçon, il, un", "la fille, elle, une", "le neveu, il, un", "la nièce, elle, une",
        ),
        "parent": _rows(
            "qui il un", "le père, il, un", "la mère, elle, une", "l'oncle, il, un", "la tante, elle, une",
        ),
        "verbe": _rows(
            "ici avant manière", "marchent, marchaient, lentement", "parlent, parlaient, doucement",
            "dansent, dansaient, gaiement", "travaillent, travaillaient, durement", "chantent, chantaient, fort",
            "cuisinent, cuisinaient, bien",
        ),
    },
    templates={
        "animal": (
            "{animal} mange {repas} et {cri} dans {lieu}", "{animal} {cri} en trouvant {repas}",
            "dans {lieu} vit {animal}", "on entend de loin comme {animal} {cri}",
        ),
        "pays": (
            "{capitale} est la capitale de {pays}", "les gens de {pays} parlent {langue}",
            "on apprend le {langue} pour visiter {pays}", "le train pour {capitale} traverse {pays}",
            "tout le monde parle {langue} à {capitale}",
        ),
        "royal": (
            "{qui} porte la couronne au palais car {il} règne", "sur le trône {qui} gouverne et {il} règne",
            "{qui} dit qu'{il} a vu les gardes du palais", "{il} est {qui} et gouverne le royaume",
        ),
        "adulte": (
            "{qui} dit qu'{il} va au bureau", "le {jour} {qui} lit le journal et {il} fume",
            "{il} reste calme et {qui} le sait", "{qui} paie les factures car {il} travaille",
        ),
        "enfant": (
            "{qui} dit qu'{il} a perdu les jouets", "à l'école {qui} écrit dans le cahier",
            "{il} est jeune et {qui} joue dans la cour", "{qui} joue au ballon et {il} court après l'école",
        ),
        "parent": (
            "{qui} nourrit les enfants à la maison", "{il} aime le bébé et {qui} le berce",
            "{qui} chante pour le bébé et {il} pousse le berceau", "à la maison {qui} raconte une histoire aux enfants",
        ),
        "verbe": (
            "chaque jour les voisins {ici} {manière}", "hier encore les voisins {avant} {manière}",
            "autrefois ils {avant} souvent", "aujourd'hui ils {ici} souvent",
        ),
        "": (
            "le {jour} on mange {plat} et on boit {boisson}", "le {jour} et le {jour} la boutique est fermée",
            "on achète {nombre} kilos et {fruit}", "le {habit} {couleur} et le {habit} {couleur} sont propres",
            "en {mois} viennent {temps} et {temps}", "le {métier} et le {métier} se voient {jour}",
            "{fruit} et {fruit} mûrissent au verger", "pour midi on prépare {plat} avec {plat}",
            "on verse {boisson} ou {boisson} dans le verre", "en {mois} on met un {habit} {couleur}",
            "le {métier} compte {nombre} ou {nombre} pièces",
        ),
    },
)  # fmt: skip


def generated(world: World, sentences: int = SENTENCES, seed: int = 0) -> str:
    """Sentences of a world, one a line: the same seed writes the same text."""
    random = Random(seed)
    return "\n".join(_sentence(world, random) for _ in range(sentences))


def _sentence(world: World, random: Random) -> str:
    kind = random.choice(list(world.templates))
    row = random.choice(world.rows[kind]) if kind else {}
    template = random.choice(world.templates[kind])

    used: list[str] = []

    def word(name: re.Match[str]) -> str:
        if name[1] in row:
            return row[name[1]]
        used.append(random.choice([one for one in world.lists[name[1]] if one not in used]))
        return used[-1]

    written = re.sub(r"\{(\w+)\}", word, template)
    return written.replace(" de le ", " du ") + "."


@cache
def english_world() -> str:
    """A made-up world in English."""
    return generated(_ENGLISH)


@cache
def french_world() -> str:
    """A made-up world in French."""
    return generated(_FRENCH)


def _story(name: str) -> Callable[[], str]:
    return lambda: sample_texts.sample(name).text


SAMPLES: tuple[WordSample, ...] = (
    WordSample(
        "world",
        N_("A made-up world in English"),
        "en",
        english_world,
        ("king", "cat", "paris", "monday", "red", "walked"),
    ),
    WordSample(
        "monde",
        N_("A made-up world in French"),
        "fr",
        french_world,
        ("roi", "chat", "paris", "lundi", "rouge", "marchaient"),
    ),
    WordSample("lighthouse", sample_texts.sample("lighthouse").title, "en", _story("lighthouse"), ()),
    WordSample("marche", sample_texts.sample("marche").title, "fr", _story("marche"), ()),
)


def sample(name: str) -> WordSample:
    """The sample of a name.

    Raises
    ------
    KeyError
        There is none.
    """
    return {one.name: one for one in SAMPLES}[name]
