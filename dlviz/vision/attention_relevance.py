"""A heat map for vision transformers: which patches the class token's answer came from."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.errors import Refused
from dlviz.i18n import N_


def attention_layers(model: nn.Module) -> list[nn.MultiheadAttention]:
    """The network's self-attention layers, first block first."""
    return [
        module
        for module in model.modules()
        if isinstance(module, nn.MultiheadAttention) and module.batch_first
    ]


def self_attention(
    layer: nn.MultiheadAttention, x: Float[Tensor, "batch token d_model"]
) -> tuple[Float[Tensor, "batch token d_model"], Float[Tensor, "batch head query key"]]:
    r"""Multi-head self-attention step by step, with its weights kept.

    $$ A_h = \mathrm{softmax}\Bigl(\frac{Q_h K_h^\top}{\sqrt{d_\text{head}}}\Bigr), \qquad
       \mathrm{out} = \mathrm{concat}_h(A_h V_h)\, W_O + b_O $$

    Vaswani et al., *Attention Is All You Need* (2017), eq. 1. PyTorch's fused kernel never forms $A$; the
    heat map needs $A$ and its gradient, so it is computed here from the layer's own weights.
    """
    batch, token, d_model = x.shape
    d_head = d_model // layer.num_heads
    qkv = F.linear(x, layer.in_proj_weight, layer.in_proj_bias)
    query, key, value = qkv.view(batch, token, 3, layer.num_heads, d_head).permute(2, 0, 3, 1, 4)
    weights = (query @ key.transpose(-2, -1) / math.sqrt(d_head)).softmax(dim=-1)
    mixed = (weights @ value).transpose(1, 2).reshape(batch, token, d_model)
    return layer.out_proj(mixed), weights


@contextmanager
def kept_attention(layers: list[nn.MultiheadAttention]) -> Iterator[list[Tensor]]:
    """Within this block each layer runs step by step, and its weights are kept in the list, in order."""
    kept: list[Tensor] = []
    thread = threading.get_ident()

    def step_by_step(layer: nn.Module, inputs: tuple[Tensor, ...], _output: object) -> object:
        if threading.get_ident() != thread:
            return None
        assert isinstance(layer, nn.MultiheadAttention)
        out, weights = self_attention(layer, inputs[0])
        kept.append(weights)
        return out, None

    handles = [layer.register_forward_hook(step_by_step) for layer in layers]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def attention_relevance(
    model: nn.Module, pixels: Float[Tensor, "1 3 height_in width_in"], target: int | None
) -> tuple[Float[Tensor, "height width"], Float[Tensor, " label"]]:
    r"""Follow the class token's answer back to the patches, through every block.

    $$ \bar A = \mathbb{E}_h\bigl[(\nabla_A\, y^c \odot A)^+\bigr], \qquad R \leftarrow R + \bar A R,
       \qquad R_0 = I $$

    Chefer, Gur, Wolf, *Generic Attention-model Explainability for Interpreting Bi-Modal and
    Encoder-Decoder Transformers* (ICCV 2021), eq. 5 and 6. An attention weight counts where raising it
    would raise the class's logit; the identity stands for the residual path. The class token's row of
    $R$, without the class token itself, is the map. Unlike plain attention rollout it depends on the
    class, and unlike Grad-CAM it asks for no layer whose cells are places.

    Returns:
        The map on the patch grid, values at least zero, and the logits.

    Raises:
        Refused: the network has no self-attention with a class token in front.
    """
    layers = attention_layers(model)
    if not layers:
        raise Refused(N_("This network has no attention layers: choose another method."))
    start = pixels.detach().requires_grad_()
    with torch.enable_grad(), kept_attention(layers) as attention:
        logits = model(start)[0]
        chosen = logits.max() if target is None else logits[target]
        gradients = torch.autograd.grad(chosen, attention)
    relevance = torch.eye(attention[0].shape[-1], dtype=attention[0].dtype, device=pixels.device)
    for weights, gradient in zip(attention, gradients, strict=True):
        useful = (gradient * weights).detach().relu().mean(dim=1)[0]  # (query, key)
        relevance = relevance + useful @ relevance
    return _patch_grid(relevance[0, 1:], pixels), logits.detach()


def _patch_grid(
    patches: Float[Tensor, " patch"], pixels: Float[Tensor, "1 3 height_in width_in"]
) -> Float[Tensor, "height width"]:
    height_in, width_in = pixels.shape[-2:]
    height = round(math.sqrt(patches.numel() * height_in / width_in))
    if not height or patches.numel() % height:
        raise Refused(
            N_("The tokens of this network do not form a grid over the photo: choose another method.")
        )
    return patches.view(height, -1)
