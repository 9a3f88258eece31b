"""A small residual network whose every step can be looked at.

He, Zhang, Ren, Sun, *Deep Residual Learning for Image Recognition* (CVPR 2016). The arithmetic is
theirs; the writing is ours: each activation and each residual sum is a module of its own, so a
forward hook can name it and read it.
"""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn


class Add(nn.Module):
    """The residual sum `y = F(x) + shortcut(x)`, as a module so that a hook can read both terms."""

    def forward(
        self,
        residual: Float[Tensor, "batch channel height width"],
        shortcut: Float[Tensor, "batch channel height width"],
    ) -> Float[Tensor, "batch channel height width"]:
        """Cell by cell, both terms of one shape."""
        return residual + shortcut


class ResidualBlock(nn.Module):
    r"""Two 3x3 convolutions that learn a correction to their own input (He et al. 2016, eq. 1 and 2).

    $$ y = \mathrm{ReLU}\bigl(F(x) + W_s x\bigr), \qquad
       F(x) = \mathrm{BN}_2(W_2 * \mathrm{ReLU}(\mathrm{BN}_1(W_1 * x))) $$

    $W_s$ is the identity where the shapes agree; where the block halves the map or widens it, it is a
    1x1 convolution followed by its own normalisation. `norm2` starts with zero gain, so that at the
    first step every block is its shortcut and a deep network trains as easily as a shallow one
    (Goyal et al. 2017, section 5.1).

    Shapes: `(batch, in_channels, height, width)` to
    `(batch, out_channels, ceil(height / stride), ceil(width / stride))`.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut = self._shortcut(in_channels, out_channels, stride)
        self.sum = Add()
        self.act2 = nn.ReLU()
        nn.init.zeros_(self.norm2.weight)

    @staticmethod
    def _shortcut(in_channels: int, out_channels: int, stride: int) -> nn.Module:
        if in_channels == out_channels and stride == 1:
            return nn.Identity()
        return nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(
        self, x: Float[Tensor, "batch in_channel height_in width_in"]
    ) -> Float[Tensor, "batch channel height width"]:
        """The correction, then its sum with the block's input, then the last ReLU."""
        residual = self.act1(self.norm1(self.conv1(x)))
        residual = self.norm2(self.conv2(residual))
        return self.act2(self.sum(residual, self.shortcut(x)))


class Stem(nn.Module):
    """One wide convolution that sees the photo itself, then a pool that halves the map.

    Its kernels have three input channels, so each can be shown as a small colour picture; that is why
    they are wide (7x7 by default) and not the cheaper stack of 3x3 ones.

    Shapes: `(batch, 3, height, width)` to `(batch, out_channels, height / 4, width / 4)`.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        padding = kernel_size // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, 2, padding, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = nn.ReLU()
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(
        self, image: Float[Tensor, "batch in_channel height_in width_in"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Convolution, normalisation, ReLU, pool."""
        return self.pool(self.act(self.norm(self.conv(image))))


class ResidualCNN(nn.Module):
    r"""Stem, stages of residual blocks, global average pool, linear head (He et al. 2016, table 1).

    The modules stand in the order of the forward pass: `stem.conv`, `stem.norm`, `stem.act`,
    `stem.pool`, then `stages.S.B.conv1` ... `stages.S.B.act2`, then `pool`, `flatten`, `head`. The head
    reads only the mean of each last map, which is what makes class activation maps meaningful:

    $$ \mathrm{logit}_k = b_k + \sum_c w_{kc}\,\frac{1}{HW}\sum_{i,j} A_{cij} $$

    The network is fully convolutional up to `pool`: any image of at least 32x32 goes in.

    Parameters
    ----------
    class_count
        Number of classes, the width of `head`.
    stem_channels
        Number of first-layer kernels.
    stem_kernel
        Their side in pixels, odd.
    stage_channels, stage_blocks, stage_strides
        Channels and residual blocks of each stage, and the stride of its first block. A stride of 1 in the
        last stage keeps its maps finer, and with them the heat maps drawn from them.
    in_channels
        3 for colour.

    Raises
    ------
    ValueError
        The three stage arguments differ in length, or `stem_kernel` is even.

    Examples
    --------
    >>> import torch
    >>> model = ResidualCNN(class_count=101)
    >>> model(torch.zeros(2, 3, 128, 128)).shape
    torch.Size([2, 101])
    """

    def __init__(
        self,
        class_count: int,
        stem_channels: int = 48,
        stem_kernel: int = 7,
        stage_channels: Sequence[int] = (48, 96, 192, 256),
        stage_blocks: Sequence[int] = (2, 2, 2, 2),
        stage_strides: Sequence[int] = (1, 2, 2, 1),
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if not len(stage_channels) == len(stage_blocks) == len(stage_strides):
            raise ValueError("stage_channels, stage_blocks and stage_strides must have one length")
        if stem_kernel % 2 == 0:
            raise ValueError("stem_kernel must be odd, so that a kernel has a centre")
        self.stem = Stem(in_channels, stem_channels, stem_kernel)
        self.stages = nn.Sequential()
        width = stem_channels
        for channels, blocks, stride in zip(stage_channels, stage_blocks, stage_strides, strict=True):
            stage = [ResidualBlock(width, channels, stride)]
            stage += [ResidualBlock(channels, channels) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(*stage))
            width = channels
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.head = nn.Linear(width, class_count)
        self._initialise()

    def _initialise(self) -> None:
        """Kernels from He et al. 2015: variance 2 / fan_out keeps the gradient's size through ReLUs."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Float[Tensor, "batch in_channel height width"]) -> Float[Tensor, "batch label"]:
        """Logits of a batch of images that were brought to the training colours."""
        return self.head(self.flatten(self.pool(self.stages(self.stem(image)))))
