"""A real, small export of the bundled network in a folder of the test's own."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from dlviz import zoo
from dlviz.vision.residual_cnn import ResidualCNN
from dlviz.zoo import catalogue, registry
from dlviz.zoo.seal import seal

ARGUMENTS = {
    "class_count": 5,
    "stem_channels": 8,
    "stem_kernel": 5,
    "stage_channels": [8, 16],
    "stage_blocks": [1, 1],
    "stage_strides": [1, 2],
}
CLASSES = ["accordion", "airplane", "anchor", "ant", "barrel"]


def export_run(folder: Path, seed: int = 0) -> ResidualCNN:
    """What the recipe leaves in its run folder: half-precision weights, classes, metrics."""
    torch.manual_seed(seed)
    network = ResidualCNN(**ARGUMENTS)
    folder.mkdir(parents=True, exist_ok=True)
    half = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
    save_file(half, folder / "weights.safetensors")
    (folder / "classes.json").write_text(json.dumps(CLASSES))
    metrics = {
        "files": ["weights.safetensors", "classes.json"],
        "top1": 0.2,
        "top5": 1.0,
        "mean_class_accuracy": 0.2,
        "per_class": dict.fromkeys(CLASSES, 0.2),
        "test_photos": 5,
        "parameters": sum(p.numel() for p in network.parameters()),
        "model_arguments": ARGUMENTS,
        "input": {"size": 64, "mode": "stretch", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    }
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return network


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    """No test sees the machine's own models, its network or its choice of device."""
    monkeypatch.setenv("DLVIZ_ASSETS_DIR", str(tmp_path / "assets"))
    monkeypatch.setenv("DLVIZ_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DLVIZ_DEVICE", "cpu")
    for name in ("DLVIZ_OFFLINE", "DLVIZ_MODEL_DIRS", "DLVIZ_MODEL_MEMORY_MB"):
        monkeypatch.delenv(name, raising=False)
    kept, registry._loaded = registry._loaded, {}
    yield
    registry._loaded = kept


@pytest.fixture
def bundled(tmp_path):
    """The bundled model's folder, sealed; returns the folder."""
    export_run(tmp_path / "run")
    seal(zoo.bundled_dir("caltech-cnn"), tmp_path / "run")
    return catalogue.bundled_dir("caltech-cnn")
