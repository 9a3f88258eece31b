"""What stays in memory, and the models that come from an operator's folder."""

import gc
import json
import pickle
import weakref
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision import models

from dlviz import zoo
from dlviz.errors import WeightsError
from dlviz.zoo import catalogue

OURS = "caltech-cnn"


@pytest.fixture
def publics(monkeypatch, tmp_path):
    """Two public cards whose files are real checkpoints of small size, as if downloaded."""
    for name in ("mobilenet_v3_large",):
        folder = tmp_path / "home" / "models" / name
        folder.mkdir(parents=True)
        file = catalogue.card(name).files[0]
        torch.save(models.get_model(name, weights=None).state_dict(), folder / file.name)
    real = catalogue._torchvision_card("mobilenet_v3_large", folder)
    card = replace(real, files=(replace(real.files[0], sha256_prefix=""),))
    monkeypatch.setattr(catalogue, "_torchvision_card", lambda name, _: replace(card, name=name))
    return ("mobilenet_v3_large", "resnet18")


def test_the_public_model_used_longest_ago_makes_room_and_the_bundled_stays(bundled, publics, monkeypatch):
    first, second = publics
    monkeypatch.setenv("DLVIZ_MODEL_MEMORY_MB", "30")  # each takes 22 MB
    zoo.load(OURS)
    gone = weakref.ref(zoo.load(first))
    zoo.load(second)
    assert zoo.loaded() == (OURS, second)
    gc.collect()
    assert gone() is None
    zoo.load(first)
    assert zoo.loaded() == (OURS, first)


def test_use_decides_who_is_oldest(publics, monkeypatch):
    first, second = publics
    monkeypatch.setenv("DLVIZ_MODEL_MEMORY_MB", "100")
    zoo.load(first)
    zoo.load(second)
    zoo.load(first)
    assert zoo.loaded() == (second, first)


def folder_model(tmp_path, monkeypatch, config, tensors, weights):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tensors, folder / weights) if weights.endswith("safetensors") else torch.save(
        tensors, folder / weights
    )
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(folder))
    return folder


TORCHVISION = {
    "library": "torchvision",
    "architecture": "mobilenet_v3_small",
    "weights": "mine.pth",
    "classes": ["cat", "dog", "owl"],
    "preprocessing": {"size": 64, "mode": "crop", "resize": 72},
}


def test_a_torchvision_checkpoint_in_a_folder(tmp_path, monkeypatch):
    network = models.mobilenet_v3_small(num_classes=3).eval()
    folder = folder_model(tmp_path, monkeypatch, TORCHVISION, network.state_dict(), "mine.pth")
    assert zoo.status("folder-mine") == "ready"
    model = zoo.load("folder-mine")
    pixels, _ = model.prepare(np.full((80, 100, 3), 200, np.uint8))
    assert model.classes == ("cat", "dog", "owl") and pixels.shape[-1] == 64
    assert torch.allclose(model(pixels), network(pixels), atol=1e-5)
    before = zoo.digest("folder-mine")
    zoo.unload("folder-mine")
    (folder / "config.json").write_text(json.dumps({**TORCHVISION, "classes": ["a", "b", "c"]}))
    assert zoo.digest("folder-mine") != before


def test_a_timm_export_in_a_folder(tmp_path, monkeypatch):
    network = timm.create_model("resnet10t", num_classes=4).eval()
    config = {
        "architecture": "resnet10t",
        "num_classes": 4,
        "label_names": ["a", "b", "c", "d"],
        "pretrained_cfg": {
            "input_size": [3, 64, 64],
            "crop_pct": 0.5,
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
        },
    }
    folder_model(tmp_path, monkeypatch, config, network.state_dict(), "model.safetensors")
    model = zoo.load("folder-mine")
    pixels, _ = model.prepare(np.zeros((200, 100, 3), np.uint8))
    assert pixels.shape == (1, 3, 64, 64) and model.preprocessing.resize == 128
    assert torch.allclose(model(pixels), network(pixels), atol=1e-5)


def test_what_timm_itself_saves_is_read(tmp_path, monkeypatch):
    """A transformer's ``model_args`` name the number of classes once more."""
    network = timm.create_model("vit_tiny_patch16_224", num_classes=3, img_size=32, depth=1).eval()
    timm.models.save_for_hf(network, tmp_path / "mine", safe_serialization=True)
    assert "num_classes" in json.loads((tmp_path / "mine" / "config.json").read_text())["model_args"]
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(tmp_path / "mine"))
    model = zoo.load("folder-mine")
    pixels, _ = model.prepare(np.zeros((50, 60, 3), np.uint8))
    assert torch.allclose(model(pixels), network(pixels), atol=1e-5)
    zoo.unload("folder-mine")
    (tmp_path / "mine" / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"mine/model\.safetensors is missing"):
        zoo.load("folder-mine")


class Harmful:
    def __reduce__(self):
        return (print, ("this must never run",))


def test_a_pickle_with_code_is_refused(tmp_path, monkeypatch, capsys):
    folder = folder_model(tmp_path, monkeypatch, TORCHVISION, {}, "mine.pth")
    with (folder / "mine.pth").open("wb") as target:
        pickle.dump(Harmful(), target)
    with pytest.raises(WeightsError, match=r"mine/mine\.pth: it is damaged, or holds something other"):
        zoo.load("folder-mine")
    torch.save(Harmful(), folder / "mine.pth")
    with pytest.raises(WeightsError, match=r"mine/mine\.pth: it is damaged, or holds something other"):
        zoo.load("folder-mine")
    torch.save({"epoch": 3, "state_dict": {}}, folder / "mine.pth")
    with pytest.raises(WeightsError, match=r"mine/mine\.pth: it is damaged, or holds something other"):
        zoo.load("folder-mine")
    assert "never run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("", "config.json is missing or unreadable"),
        ("[]", "config.json is missing or unreadable"),
        ('{"library": "torchvision"}', "does not state 'classes'"),
        ('{"architecture": "no_such_net"}', "does not state 'pretrained_cfg'"),
        ('{"architecture": "no_such_net", "num_classes": 2, "pretrained_cfg": {}}', "no_such_net"),
    ],
)
def test_a_folder_that_cannot_be_read_is_one_clear_error(tmp_path, monkeypatch, config, said):
    folder = folder_model(tmp_path, monkeypatch, {}, {"x": torch.zeros(1)}, "model.safetensors")
    (folder / "config.json").write_text(config)
    with pytest.raises(WeightsError, match=r"mine/config\.json") as told:
        zoo.load("folder-mine")
    assert said in str(told.value)
    assert "folder-mine" in zoo.names()


def test_weights_that_do_not_fit_the_architecture_are_named(tmp_path, monkeypatch):
    network = models.mobilenet_v3_small(num_classes=5)
    weights = network.state_dict()
    del weights["features.0.0.weight"]
    folder_model(tmp_path, monkeypatch, TORCHVISION, {**weights, "mine": torch.zeros(1)}, "mine.pth")
    with pytest.raises(
        WeightsError, match=r"mine/mine\.pth: 1 of its .* 1 are unknown to it, 2 have another"
    ):
        zoo.load("folder-mine")


def test_an_input_that_the_network_does_not_take_is_told_before_a_page_asks(tmp_path, monkeypatch):
    """A transformer of 32 pixels whose description says 64: it loads, and would fail on the first photo."""
    network = timm.create_model("vit_tiny_patch16_224", num_classes=3, img_size=32, depth=1)
    timm.models.save_for_hf(network, tmp_path / "mine", safe_serialization=True)
    description = tmp_path / "mine" / "config.json"
    said = json.loads(description.read_text())
    said["pretrained_cfg"]["input_size"] = [3, 64, 64]
    description.write_text(json.dumps(said))
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(tmp_path / "mine"))
    with pytest.raises(WeightsError, match=r"mine/config\.json: .*64"):
        zoo.load("folder-mine")
    said["pretrained_cfg"]["input_size"] = [3, 32, 32]
    description.write_text(json.dumps({**said, "label_names": ["only", "two"]}))
    with pytest.raises(WeightsError, match="2 classes are named"):
        zoo.load("folder-mine")
