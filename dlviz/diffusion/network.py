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
        The U-Net. Where it listens to classes, it has one more than `classes`: the last one means "no class".
    scheduler
        Configuration of the noise that it was trained with; diffusers' schedulers are built from it.
    classes
        Names of the classes, in the order of their labels; empty for a network without classes.
    """

    def __init__(self, network: UNet2DModel, scheduler: DDPMScheduler, classes: Sequence[str] = ()) -> None:
        super().__init__()
        self.network = network
        self.noise = dict(scheduler.config)
        self.classes = tuple(classes)
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
        return len(self.betas)

    @property
    def no_class(self) -> int | None:
        """The label that stands for "no class", or None for a network that knows no classes."""
        count = self.network.config.num_class_embeds
        return None if count is None else count - 1

    def forward(self, noisy: Noisy, steps: Steps, labels: Labels | None = None) -> Noisy:
        """The predicted noise; `labels` are needed exactly where the network listens to classes."""
        if self.no_class is None:
            return self.network(noisy, steps, return_dict=False)[0]
        if labels is None:
            labels = torch.full_like(steps, self.no_class)
        return self.network(noisy, steps, class_labels=labels, return_dict=False)[0]


def new_unet(arguments: dict[str, Any]) -> UNet2DModel:
    """An untrained U-Net; its last layer starts at zero, so that the first prediction is "no noise at all"."""
    network = UNet2DModel(**arguments)
    nn.init.zeros_(network.conv_out.weight)
    nn.init.zeros_(network.conv_out.bias)
    return network


def denoiser(folder: Path) -> Denoiser:
    """The network of a bundled card; half-precision weights are brought back to float32.

    Both layouts of diffusers are read: all files in one folder, or `unet` and `scheduler` below it, as
    `DDPMPipeline` writes them. Nothing is fetched, and no code of the folder is run.
    """
    parts = {name: folder / name if (folder / name).is_dir() else folder for name in ("unet", "scheduler")}
    network = UNet2DModel.from_pretrained(parts["unet"], local_files_only=True, use_safetensors=True)
    scheduler = DDPMScheduler.from_pretrained(parts["scheduler"], local_files_only=True)
    names = folder / CLASSES_FILE
    classes = json.loads(names.read_text(encoding="utf-8")) if names.exists() else ()
    return Denoiser(network.float(), scheduler, classes)
