"""A tiny untrained denoiser whose answers are far from zero."""

import torch
from diffusers import DDPMScheduler, UNet2DModel

from dlviz.diffusion.network import Denoiser


def tiny(classes: int = 10, size: int = 8) -> Denoiser:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = UNet2DModel(
            sample_size=size,
            in_channels=1,
            out_channels=1,
            block_out_channels=(8, 8),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "UpBlock2D"),
            norm_num_groups=4,
            num_class_embeds=classes + 1 if classes else None,
            add_attention=False,
        )
    model = Denoiser(network, DDPMScheduler(1000), [str(i) for i in range(classes)])
    return model.eval().requires_grad_(False)
