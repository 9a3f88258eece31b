"""The network that predicts the noise, with everything a sampler has to know about it.

It is a U-Net of the diffusers library (`UNet2DModel`), kept in that library's own files. The bundled ones also
listen to a class, and to the label "no class" that one in ten training pictures had: that makes guidance possible
(Ho and Salimans, *Classifier-Free Diffusion Guidance*, 2022).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import DDPMScheduler, UNet2DModel
from jaxtyping import Float, Int
from torch import Tensor, nn

Noisy = Float[Tensor, "batch channel height width"]
Steps = Int[Tensor, " batch"]
Labels = Int[Tensor, " batch"]

CLASSES_FILE = "classes.json"


class Denoiser(nn.Module):
    r"""$\epsilon_\theta(x_t, t, c)$: a noisy picture, its time step and a class go in, the predicted noise comes out.

    Parameters
    ----------
    network
        The U-Net (`UNet2DModel`). Where it listens to classes, it has one more than `classes`: the last one means "no class".
    scheduler
        The `DDPMScheduler` that it was trained with; other schedulers of diffusers are built from its configuration.
    classes
        Names of the classes, in the order of their labels; empty for a network without classes.
    """

    def __init__(self, network: Any, scheduler: Any, classes: Sequence[str] = ()) -> None:
        super().__init__()
        self.network = network
        self.noise = dict(scheduler.config)
        self.classes = tuple(classes)
        self.betas: Tensor
        self.register_buffer("betas", scheduler.betas.clone(), persistent=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a picture."""
        size = self.network.config.sample_size
        height, width = (size, size) if isinstance(size, int) else size
        return self.network.config.in_channels, height, width

    @property
    def timesteps(self) -> int:
        r"""The number $T$ of steps from a picture to noise."""
        return int(self.noise["num_train_timesteps"])

    @property
    def no_class(self) -> int | None:
        """The label that stands for "no class", or None for a network that knows no classes."""
        count = self.network.config.num_class_embeds
        return None if count is None else count - 1

    def forward(self, noisy: Noisy, steps: Steps, labels: Labels | None = None) -> Noisy:
        """The predicted noise; without `labels`, that of "no class". A network without classes takes no notice of them."""
        given: dict[str, Tensor] = {}
        if self.no_class is not None:
            given["class_labels"] = torch.full_like(steps, self.no_class) if labels is None else labels
        predicted: Tensor = self.network(noisy, steps, return_dict=False, **given)[0]
        return predicted


def new_unet(arguments: dict[str, Any]) -> Any:
    """An untrained U-Net; its last layer starts at zero, so that the first prediction is "no noise at all"."""
    network: Any = UNet2DModel(**arguments)
    nn.init.zeros_(network.conv_out.weight)
    nn.init.zeros_(network.conv_out.bias)
    return network


def denoiser(folder: Path) -> Denoiser:
    """The network of a bundled card; half-precision weights are brought back to float32.

    Both layouts of diffusers are read: all files in one folder, or `unet` and `scheduler` below it, as
    `DDPMPipeline` writes them. Nothing is fetched, and no code of the folder is run.
    """
    parts = {name: folder / name if (folder / name).is_dir() else folder for name in ("unet", "scheduler")}
    network: Any = UNet2DModel.from_pretrained(parts["unet"], local_files_only=True, use_safetensors=True)
    scheduler: Any = DDPMScheduler.from_pretrained(parts["scheduler"], local_files_only=True)
    names = folder / CLASSES_FILE
    classes = json.loads(names.read_text(encoding="utf-8")) if names.exists() else ()
    return Denoiser(network.float(), scheduler, classes)
