"""What a model card says, and the ``card.json`` that stands beside bundled weights.

A card has two halves. Its words (title, where it fails, how it was measured) are sentences
in ``catalogue.py``, so that they reach the translators. Its facts (sizes, checksums, measured
numbers) are never typed: for a bundled model ``seal.py`` writes them into ``card.json`` from the
files themselves, for a public one they are read from the library that publishes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Source = Literal["bundled", "package", "public", "folder"]
Unit = Literal["share", "nats", "count", "number"]

CARD_FILE = "card.json"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message id of the catalogues with the values of its placeholders; the ui says it."""

    message: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """The sentence in English, for the command line."""
        return self.message.format(**self.values)


@dataclass(frozen=True, slots=True)
class CardFile:
    """One file of a model, and what is known about its content before it is read.

    Parameters
    ----------
    name
        Path below the model's folder; for a Hugging Face file, its path in the repository.
    size
        Bytes: exact where ``sha256`` is given, else the library's rounded figure (0 if unknown).
    sha256
        The whole sum. Bundled files have it, for we made them, and files in packages that are the hub's.
    sha256_prefix
        The first digits that torchvision writes into the name of each of its weight files.
    url, repo
        Where to download it: a web address, or the id of a Hugging Face repository.
    """

    name: str
    size: int = 0
    sha256: str = ""
    sha256_prefix: str = ""
    url: str = ""
    repo: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured number, its name (a message id), how it was measured, and in what unit."""

    name: str
    value: float
    how: Sentence
    unit: Unit = "share"


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Everything dlviz knows about a model without opening its weights.

    Parameters
    ----------
    name
        Key in the zoo, in links and on the command line.
    title
        What visitors read.
    task
        ``"image-classification"``, ...; pages ask for the models of a task.
    architecture
        The network's name in the literature.
    source
        ``"bundled"`` (in this repository), ``"package"`` (in an installed package), ``"public"`` (downloaded by the
        operator), or ``"folder"`` (a folder of the operator's own).
    folder
        Where the files are, or will be.
    files
        What must be there, in the order in which it is downloaded.
    licence, training_data, input, fails
        Sentences: on what terms, learnt from what, what goes in, and where it goes wrong.
    builder, options
        ``"package.module:function"``, called as ``function(folder, **options)``.
    recipe
        ``"package.module:function"`` that trained a bundled model, or the address of a public
        model's recipe.
    recipe_options
        Keyword arguments of the recipe, where one recipe trains several models.
    metrics, per_class
        How good it is, overall and (where measured) for each class.
    parameters
        Number of weights.
    languages
        Codes of the languages it handles; empty for models without words.
    """

    name: str
    title: str
    task: str
    architecture: str
    source: Source
    folder: Path
    files: tuple[CardFile, ...]
    licence: Sentence
    training_data: Sentence
    input: Sentence
    fails: Sentence
    builder: str
    options: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""
    recipe_options: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()
    per_class: Mapping[str, float] = field(default_factory=dict)
    parameters: int = 0
    languages: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Facts:
    """The content of ``card.json``: what is measured about a bundled model, none of it typed.

    ``metrics`` is the recipe's ``metrics.json`` as it stands.
    """

    files: tuple[CardFile, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)


def read_facts(folder: Path) -> Facts:
    """The facts of the bundled model in ``folder``; empty where no model is there yet.

    Raises
    ------
    ValueError, KeyError, TypeError
        ``card.json`` is damaged.
    """
    path = folder / CARD_FILE
    if not path.exists():
        return Facts()
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Facts(tuple(CardFile(**file) for file in stored["files"]), stored["metrics"])


def write_facts(folder: Path, facts: Facts) -> Path:
    """Write ``card.json``; people read it, so it is indented and ends with a newline."""
    files = [{"name": f.name, "size": f.size, "sha256": f.sha256} for f in facts.files]
    path = folder / CARD_FILE
    path.write_text(json.dumps({"files": files, "metrics": facts.metrics}, indent=1) + "\n", encoding="utf-8")
    return path
