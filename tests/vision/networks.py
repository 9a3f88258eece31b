"""Networks of every kind that the lesson offers, small inputs, random weights with lively normalisations."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import nn
from torchvision import models

from dlviz.vision.classifier import Classifier, Preprocessing
from dlviz.vision.readable import make_readable
from dlviz.vision.residual_cnn import ResidualCNN

BUILDERS: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "residual_cnn": (64, lambda: ResidualCNN(10)),
    "resnet18": (64, lambda: make_readable(models.resnet18(num_classes=10))),
    "resnet18_in_place": (64, lambda: models.resnet18(num_classes=10)),
    "resnet50": (64, lambda: make_readable(models.resnet50(num_classes=10))),
    "vgg16": (32, lambda: models.vgg16(num_classes=10, init_weights=False)),
    "mobilenet_v3_small": (64, lambda: make_readable(models.mobilenet_v3_small(num_classes=10))),
    "mobilenet_v3_large": (64, lambda: models.mobilenet_v3_large(num_classes=10)),
    "convnext_tiny": (64, lambda: make_readable(models.convnext_tiny(num_classes=10))),
    "convnext_tiny_in_place": (64, lambda: models.convnext_tiny(num_classes=10)),
    "vit": (
        64,
        lambda: models.VisionTransformer(64, 16, 3, 4, 64, 128, num_classes=10),
    ),
    "grouped": (
        40,
        lambda: nn.Sequential(
            nn.Conv2d(3, 12, 5, stride=2, padding=1, dilation=2, groups=3),
            nn.GroupNorm(3, 12),
            nn.LeakyReLU(0.2),
            nn.AvgPool2d(3, 2, padding=1),
            nn.Conv2d(12, 8, 3, padding="same"),
            nn.SiLU(),
            nn.AdaptiveAvgPool2d(3),
            nn.Flatten(),
            nn.Linear(72, 10),
        ),
    ),
}


@cache
def classifier(name: str) -> Classifier:
    """A classifier with random weights, and random statistics so that no normalisation is the identity."""
    torch.manual_seed(0)
    size, build = BUILDERS[name]
    model = Classifier(build(), tuple(map(str, range(10))), Preprocessing(size))
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
        if isinstance(module, nn.MultiheadAttention):
            nn.init.normal_(module.in_proj_bias, 0, 0.3)
            nn.init.normal_(module.out_proj.bias, 0, 0.3)
    for name, parameter in model.named_parameters():
        if name.endswith(("layer_scale", "gamma")):
            nn.init.uniform_(parameter, 0.5, 1.5)
    return model.eval().requires_grad_(False)


def photo(height: int = 90, width: int = 120) -> np.ndarray:
    """A photo of smooth colours with some noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / 7 + y / 11), np.cos(x / 13), np.sin(y / 5 - x / 17)], axis=-1)
    return np.clip(127 + 90 * waves + rng.normal(0, 20, waves.shape), 0, 255).astype(np.uint8)
