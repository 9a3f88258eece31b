"""Every model as an artefact: cards, weights, data sets, device and precision.

>>> from dlviz import zoo
>>> [card.title for card in zoo.cards("image-classification")][0]
'Our residual CNN'

From a notebook, ``zoo.load("caltech-cnn")`` gives the model that the pages use.
"""

from __future__ import annotations

from pathlib import Path

from dlviz.zoo import files
from dlviz.zoo.cards import CardFile, Metric, ModelCard, Sentence
from dlviz.zoo.catalogue import bundled_dir, card, names
from dlviz.zoo.files import Status
from dlviz.zoo.registry import digest, freeze, load, loaded, lock, on_load, unload

__all__ = [
    "CardFile",
    "Metric",
    "ModelCard",
    "Sentence",
    "Status",
    "bundled_dir",
    "card",
    "cards",
    "digest",
    "file",
    "freeze",
    "load",
    "loaded",
    "lock",
    "names",
    "on_load",
    "status",
    "unload",
]


def cards(task: str | None = None) -> tuple[ModelCard, ...]:
    """The cards of all models, or of those for one task, whether their files are there or not."""
    every = (card(name) for name in names())
    return tuple(one for one in every if task in (None, one.task))


def status(name: str) -> Status:
    """``"ready"``, ``"absent"`` (public, not downloaded) or ``"broken"``; cheap once a file has been read."""
    return files.status(card(name))


def file(name: str, file_name: str) -> Path:
    """Path of one file of a model, for instance its training history, found whole.

    Raises
    ------
    WeightsError
        A file of the model is missing, cut short or altered.
    KeyError
        The model has no file of that name.
    """
    one = card(name)
    if file_name not in files.verify(one):
        raise KeyError(file_name)
    return one.folder / file_name
