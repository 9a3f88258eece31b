"""torchvision's blocks with every intermediate value left readable.

torchvision saves memory by computing in place: `nn.ReLU(inplace=True)` overwrites the output of the
normalisation before it, and `out += identity` overwrites the last normalisation of a block. A forward
hook is handed that same tensor, so a page that keeps it to look at would later find another layer's
values in it, and a gradient taken at it would be the wrong one. Here the arithmetic is the same and
every step is a module of its own with an output of its own; the residual sum is a module too, so that
a hook can name it and read its two terms.
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.convnext import CNBlock
from torchvision.models.mobilenetv3 import InvertedResidual
from torchvision.models.resnet import BasicBlock, Bottleneck

from dlviz.vision.residual_cnn import Add

Maps = Float[Tensor, "batch channel height width"]


class ReadableBasicBlock(nn.Module):
    r"""Two 3x3 convolutions and the residual sum (He et al. 2016, figure 5, left): ResNet-18 and 34."""

    def __init__(self, block: BasicBlock) -> None:
        super().__init__()
        self.conv1, self.bn1, self.act1 = block.conv1, block.bn1, nn.ReLU()
        self.conv2, self.bn2 = block.conv2, block.bn2
        self.downsample = block.downsample or nn.Identity()
        self.sum, self.act2 = Add(), nn.ReLU()

    def forward(self, x: Maps) -> Maps:
        r"""$y = \mathrm{ReLU}(F(x) + W_s x)$, with two convolutions in $F$."""
        residual = self.act1(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        return self.act2(self.sum(residual, self.downsample(x)))


class ReadableBottleneck(nn.Module):
    r"""1x1, 3x3 and 1x1 convolutions and the residual sum (He et al. 2016, figure 5, right): ResNet-50."""

    def __init__(self, block: Bottleneck) -> None:
        super().__init__()
        self.conv1, self.bn1, self.act1 = block.conv1, block.bn1, nn.ReLU()
        self.conv2, self.bn2, self.act2 = block.conv2, block.bn2, nn.ReLU()
        self.conv3, self.bn3 = block.conv3, block.bn3
        self.downsample = block.downsample or nn.Identity()
        self.sum, self.act3 = Add(), nn.ReLU()

    def forward(self, x: Maps) -> Maps:
        r"""$y = \mathrm{ReLU}(F(x) + W_s x)$, with three convolutions in $F$."""
        residual = self.act1(self.bn1(self.conv1(x)))
        residual = self.act2(self.bn2(self.conv2(residual)))
        residual = self.bn3(self.conv3(residual))
        return self.act3(self.sum(residual, self.downsample(x)))


class ReadableInvertedResidual(nn.Module):
    """Expand, filter each channel, weigh the channels, project (Howard et al. 2019): MobileNet-V3."""

    def __init__(self, block: InvertedResidual) -> None:
        super().__init__()
        self.block = block.block
        self.sum = Add() if block.use_res_connect else None

    def forward(self, x: Maps) -> Maps:
        """$y = F(x) + x$ where the shapes agree, else $y = F(x)$; no activation follows."""
        projected = self.block(x)
        return projected if self.sum is None else self.sum(projected, x)


class LayerScale(nn.Module):
    r"""$y_c = \gamma_c x_c$: one learnt factor a channel (Touvron et al. 2021, section 2)."""

    def __init__(self, gamma: nn.Parameter) -> None:
        super().__init__()
        self.gamma = gamma

    def forward(self, x: Maps) -> Maps:
        """Multiply each channel by its factor."""
        return self.gamma * x


class ReadableCNBlock(nn.Module):
    """Depthwise 7x7 convolution, normalisation, two linear maps, sum (Liu et al. 2022): ConvNeXt.

    Stochastic depth acts in training only and is left out.
    """

    def __init__(self, block: CNBlock) -> None:
        super().__init__()
        self.block = block.block
        self.scale = LayerScale(block.layer_scale)
        self.sum = Add()

    def forward(self, x: Maps) -> Maps:
        r"""$y = x + \gamma F(x)$."""
        return self.sum(self.scale(self.block(x)), x)


_READABLE: dict[type[nn.Module], Callable[..., nn.Module]] = {
    BasicBlock: ReadableBasicBlock,
    Bottleneck: ReadableBottleneck,
    InvertedResidual: ReadableInvertedResidual,
    CNBlock: ReadableCNBlock,
}


def make_readable(network: nn.Module) -> nn.Module:
    """Replace every in-place step of `network` by one that keeps its input; weights are shared.

    Call it after the weights are loaded: some names change (`layer_scale` becomes `scale.gamma`).
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) in _READABLE:
                setattr(parent, name, _READABLE[type(child)](child))
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False  # type: ignore[assignment]
    return network
