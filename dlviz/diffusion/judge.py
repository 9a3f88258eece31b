"""A small classifier that judges the sampler's pictures: is this the digit that was asked for?

It is trained on real pictures only and has no part in the sampling. Its last hidden layer also serves as the space
in which generated and real pictures are compared.
"""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float
from safetensors.torch import load_file
from torch import Tensor, nn

Pictures = Float[Tensor, "batch 1 28 28"]

FEATURES = 64


class Judge(nn.Module):
    """Three convolutions that halve the map, one hidden layer of 64, and ten logits.

    Pictures have grey levels from -1 to 1, as the sampler makes them.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for size_in, size_out in ((1, 16), (16, 32), (32, 64)):
            layers += [
                nn.Conv2d(size_in, size_out, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(size_out),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 4 * 4, FEATURES), nn.ReLU())
        self.head = nn.Linear(FEATURES, classes)

    def features(self, pictures: Pictures) -> Float[Tensor, "batch 64"]:
        """The last hidden layer."""
        features: Tensor = self.body(pictures)
        return features

    def forward(self, pictures: Pictures) -> Float[Tensor, "batch label"]:
        """Logits of the classes."""
        logits: Tensor = self.head(self.features(pictures))
        return logits

    def probabilities(self, pictures: Pictures) -> Float[Tensor, "batch label"]:
        """How sure the judge is of each class."""
        return torch.softmax(self(pictures), dim=1)


def judge(folder: Path) -> Judge:
    """The judge of a bundled card; half-precision weights are brought back to float32."""
    network = Judge()
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return network.eval()
