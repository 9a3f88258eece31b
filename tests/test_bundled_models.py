"""The bundled networks as they are shipped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dlviz import zoo
from dlviz.errors import DlvizError
from dlviz.vision.cnn_filters import filter_history
from dlviz.zoo import datasets


def test_the_untrained_network_is_the_start_of_the_trained_ones_history() -> None:
    before = zoo.load("caltech-cnn-untrained")
    history = filter_history(zoo.file("caltech-cnn", "history.safetensors"))
    first = before.network.stem.conv.weight.numpy()
    assert history.epochs[0] == 0
    np.testing.assert_array_equal(first.astype(np.float16).astype(np.float32), history.weights[0])


def test_the_trained_network_is_the_end_of_its_history() -> None:
    after = zoo.load("caltech-cnn").network.stem.conv.weight.numpy()
    history = filter_history(zoo.file("caltech-cnn", "history.safetensors"))
    np.testing.assert_allclose(after, history.weights[-1], atol=2e-3)


def test_the_card_keeps_what_it_promises() -> None:
    card = zoo.card("caltech-cnn")
    assert card.size < 10e6
    assert card.metrics[0].value >= 0.78
    assert len(card.per_class) == 101
    assert card.parameters == sum(p.numel() for p in zoo.load("caltech-cnn").parameters())


def test_accuracy_on_the_test_photos_is_the_cards() -> None:
    """Where the photos are on this machine: a tenth of the test list, answered by the shipped weights."""
    try:
        photos = datasets.caltech101("test")
    except DlvizError as missing:
        pytest.skip(str(missing))
    model = zoo.load("caltech-cnn")
    rows = range(0, len(photos), 10)
    with torch.no_grad():
        hits = sum(
            int(model(model.prepare(photos.image(i))[0]).argmax()) == int(photos.labels[i]) for i in rows
        )
    assert abs(hits / len(rows) - zoo.card("caltech-cnn").metrics[0].value) < 0.06
