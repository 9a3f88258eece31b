"""The bundled model: sealed by its sums, loaded once, and refused by name when a file is not right."""

import json
import threading
import time

import numpy as np
import pytest
import torch

from dlviz import zoo
from dlviz.errors import NotAvailable, WeightsError
from dlviz.vision import classifier
from dlviz.zoo import files, registry
from dlviz.zoo.seal import seal
from tests.zoo.conftest import CLASSES, export_run

NAME = "caltech-cnn"


def test_the_loaded_model_is_the_exported_network(bundled, tmp_path):
    exported = export_run(tmp_path / "again").eval()
    model = zoo.load(NAME)
    photo = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    pixels, geometry = model.prepare(photo)
    assert pixels.shape == (1, 3, 64, 64) and (geometry.width, geometry.height) == (120, 90)
    half = {k: v.half().float() if v.is_floating_point() else v for k, v in exported.state_dict().items()}
    exported.load_state_dict(half)
    assert torch.equal(model(pixels), exported(pixels))
    assert model.classes == tuple(CLASSES)
    assert not model.training and not any(p.requires_grad for p in model.parameters())
    assert all(p.dtype == torch.float32 for p in model.parameters())


def test_the_card_carries_what_was_measured(bundled):
    card = zoo.card(NAME)
    assert card.source == "bundled"
    assert {m.name: m.value for m in card.metrics}["Top-1 accuracy"] == 0.2
    assert str(card.metrics[0].how).startswith("Share of the 5 Caltech-101 test photos")
    assert set(card.per_class) == set(CLASSES)
    assert card.size == sum((bundled / f).stat().st_size for f in ("weights.safetensors", "classes.json"))
    assert str(card.input) == "An RGB photo, the whole of it squashed to 64 × 64 pixels."
    assert all(len(f.sha256) == 64 for f in card.files)


def test_thirty_cold_visitors_make_one_load(bundled, monkeypatch):
    built = []
    original = classifier.residual_cnn

    def counted(folder, **options):
        built.append(folder)
        time.sleep(0.05)
        return original(folder, **options)

    monkeypatch.setattr(classifier, "residual_cnn", counted)
    got = []
    visitors = [threading.Thread(target=lambda: got.append(zoo.load(NAME))) for _ in range(30)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(built) == 1
    assert len(got) == 30 and all(model is got[0] for model in got)


def test_a_failed_load_reaches_every_waiter_once_and_is_tried_again(bundled, monkeypatch):
    original, attempts = classifier.residual_cnn, []

    def broken(folder, **options):
        attempts.append(1)
        time.sleep(0.1)
        raise RuntimeError("size mismatch for head.weight")

    monkeypatch.setattr(classifier, "residual_cnn", broken)
    errors = []

    def visit():
        try:
            zoo.load(NAME)
        except WeightsError as error:
            errors.append(error)

    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert len(errors) == 8 and len(attempts) == 1
    assert "size mismatch for head.weight" in str(errors[0])
    monkeypatch.setattr(classifier, "residual_cnn", original)
    assert zoo.load(NAME).classes == tuple(CLASSES)


def test_truncated_weights_are_named(bundled):
    weights = bundled / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    assert zoo.status(NAME) == "broken"
    with pytest.raises(WeightsError, match="cut short") as caught:
        zoo.load(NAME)
    assert caught.value.values["file"] == f"{NAME}/weights.safetensors"
    assert caught.value.values["expected"] - caught.value.values["size"] == 7


def test_one_altered_byte_is_found(bundled):
    weights = bundled / "weights.safetensors"
    assert zoo.status(NAME) == "ready"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert zoo.status(NAME) == "broken"
    with pytest.raises(WeightsError, match="SHA-256 differs") as caught:
        zoo.load(NAME)
    assert f"{NAME}/weights.safetensors" in str(caught.value)


def test_a_missing_file_is_named(bundled):
    (bundled / "classes.json").unlink()
    with pytest.raises(WeightsError, match="is missing") as caught:
        zoo.load(NAME)
    assert caught.value.values["file"] == f"{NAME}/classes.json"


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"files": [{"nonsense": 1}], "metrics": {}}'])
def test_without_a_readable_card_the_model_is_broken_and_the_list_still_works(bundled, content):
    (bundled / "card.json").unlink()
    if content is not None:
        (bundled / "card.json").write_text(content)
    assert zoo.status(NAME) == "broken"
    assert NAME in [card.name for card in zoo.cards("image-classification")]
    with pytest.raises(WeightsError, match=r"card\.json"):
        zoo.load(NAME)


def test_unchanged_files_are_read_once(bundled, monkeypatch):
    assert zoo.status(NAME) == "ready"
    monkeypatch.setattr(files.hashlib, "sha256", None)  # reading again would now fail
    assert zoo.status(NAME) == "ready"


def test_the_digest_follows_the_weights(bundled, tmp_path):
    before = zoo.digest(NAME)
    assert len(before) == 16 and zoo.digest(NAME) == before
    zoo.load(NAME)
    assert zoo.digest(NAME) == before
    export_run(tmp_path / "other", seed=1)
    seal(bundled, tmp_path / "other")
    assert zoo.digest(NAME) == before, "cache keys stay those of the model in memory"
    zoo.unload(NAME)
    assert zoo.digest(NAME) != before


def test_sealing_again_keeps_the_measured_numbers(bundled):
    (bundled / "classes.json").write_text(json.dumps([name.upper() for name in CLASSES]))
    assert zoo.status(NAME) == "broken"
    seal(bundled)
    assert zoo.status(NAME) == "ready"
    assert zoo.card(NAME).parameters > 0
    assert zoo.load(NAME).classes[0] == "ACCORDION"


def test_lock_is_one_a_model_and_reentrant(bundled):
    with zoo.lock(NAME), zoo.lock(NAME):
        assert zoo.lock(NAME) is not zoo.lock("resnet18")
        free = []
        other = threading.Thread(target=lambda: free.append(zoo.lock(NAME).acquire(timeout=0.05)))
        other.start()
        other.join()
    assert free == [False]


def test_load_hooks_are_called_after_a_load(bundled, monkeypatch):
    monkeypatch.setattr(registry, "_hooks", [])
    seen = []
    zoo.on_load(seen.append)
    zoo.load(NAME)
    zoo.load(NAME)
    assert seen == [NAME]


def test_a_file_of_the_model_is_given_only_whole(bundled):
    assert zoo.file(NAME, "classes.json") == bundled / "classes.json"
    with pytest.raises(KeyError):
        zoo.file(NAME, "../../secrets")
    (bundled / "classes.json").write_text("[]")
    with pytest.raises(WeightsError):
        zoo.file(NAME, "classes.json")


def test_an_unknown_name_says_which_names_there_are():
    with pytest.raises(NotAvailable, match="caltech-cnn"):
        zoo.load("alexnet")
