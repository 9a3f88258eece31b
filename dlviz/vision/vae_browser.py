"""The decoder as plain numbers, for the page that runs it in the browser while a point is dragged.

What the browser computes is a preview: the arithmetic is that of PyTorch in single precision, on weights in half
precision. The bundled networks are stored in half precision, so nothing is lost for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float16
from torch import Tensor, nn

from dlviz.vision.vae import as_network
from dlviz.vision.vae_network import SIDE, ConvVAE
from dlviz.vision.vae_results import TrainedVAE

LayerKind = Literal["linear", "silu", "unflatten", "deconvolution"]

_EMPTY = np.zeros(0, np.float16)


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """One layer of a decoder.

    `weight` is `output input` for a linear layer and `input output row column` for a transposed convolution, as
    PyTorch keeps them; layers without weights hold empty arrays. `shape` is the channels, height and width that
    come out, or one number for a vector. `stride` and `padding` are those of a transposed convolution.
    """

    kind: LayerKind
    shape: tuple[int, ...]
    weight: Float16[np.ndarray, "*size"]
    bias: Float16[np.ndarray, " output"]
    stride: int = 1
    padding: int = 0


@dataclass(frozen=True, slots=True)
class DecoderWeights:
    """A decoder as its layers in order; a sigmoid makes grey levels of what the last one gives."""

    latent: int
    layers: tuple[DecoderLayer, ...]

    @property
    def nbytes(self) -> int:
        """What the weights take."""
        return sum(layer.weight.nbytes + layer.bias.nbytes for layer in self.layers)


def decoder_payload(network: ConvVAE | TrainedVAE) -> DecoderWeights:
    r"""The layers of $p_\theta(x \mid z)$ with their weights in half precision: about 455 kB.

    A linear layer is $y = Wx + b$; the activation is $\mathrm{SiLU}(x) = x\,/\,(1 + e^{-x})$; a transposed
    convolution adds its kernel, times each input, onto the places of a map that is larger by its stride.

    Args:
        network: the autoencoder, or one that was trained live.

    Raises:
        TypeError: the decoder has a layer that the browser does not know.
    """
    decoder = as_network(network).decoder
    layers: list[DecoderLayer] = []
    shape: tuple[int, ...] = (as_network(network).latent,)
    for module in decoder:
        layer = _layer(module, shape)
        shape = layer.shape
        layers.append(layer)
    if shape != (1, SIDE, SIDE):
        raise TypeError(f"The decoder gives {shape}, not a picture.")
    return DecoderWeights(as_network(network).latent, tuple(layers))


def _layer(module: nn.Module, before: tuple[int, ...]) -> DecoderLayer:
    if isinstance(module, nn.Linear):
        return DecoderLayer("linear", (module.out_features,), *_numbers(module))
    if isinstance(module, nn.SiLU):
        return DecoderLayer("silu", before, _EMPTY, _EMPTY)
    if isinstance(module, nn.Unflatten):
        return DecoderLayer("unflatten", tuple(module.unflattened_size), _EMPTY, _EMPTY)
    if isinstance(module, nn.ConvTranspose2d) and module.groups == 1 and module.dilation == (1, 1):
        stride, padding, kernel = module.stride[0], int(module.padding[0]), module.kernel_size[0]
        height, width = ((side - 1) * stride - 2 * padding + kernel for side in before[1:])
        shape = (module.out_channels, height, width)
        return DecoderLayer("deconvolution", shape, *_numbers(module), stride, padding)
    raise TypeError(f"The browser's decoder has no {type(module).__name__}.")


def _numbers(module: nn.Linear | nn.ConvTranspose2d) -> tuple[np.ndarray, np.ndarray]:
    bias = module.bias if module.bias is not None else module.weight.new_zeros(0)
    return _half(module.weight), _half(bias)


def _half(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().astype(np.float16)
