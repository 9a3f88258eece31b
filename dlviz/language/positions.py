"""What tells a transformer where a token stands: sines and cosines, learnt vectors, or rotations."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.attention_models import AttentionModel
from dlviz.language.attention_results import Positions

_LEARNED = ("position_embeddings", "wpe", "embed_positions")


def sinusoidal(*, positions: int = 64, channels: int = 128) -> Positions:
    r"""The encoding of *Attention Is All You Need* (Vaswani et al. 2017, section 3.5).

    $$ PE_{(pos, 2i)} = \sin\left(\frac{pos}{10000^{2i/d}}\right), \quad
       PE_{(pos, 2i+1)} = \cos\left(\frac{pos}{10000^{2i/d}}\right) $$

    The dot product of two positions depends on their distance alone:
    $PE_p \cdot PE_{p+k} = \sum_i \cos(k / 10000^{2i/d})$.

    Parameters
    ----------
    positions
        How many.
    channels
        d, an even number.

    Raises
    ------
    Refused
        `channels` is odd.
    """
    if channels % 2:
        raise Refused(
            N_("Sines and cosines come in pairs: {channels} channels are an odd number."), channels=channels
        )
    angle = np.arange(positions)[:, None] / 10_000 ** (np.arange(0, channels, 2) / channels)
    vectors = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(positions, channels)
    return _positions("sinusoidal", vectors)


def of_model(model: AttentionModel, *, positions: int = 64) -> Positions:
    """The positions of a network, as it has them: learnt, computed, or, where it rotates, the cosines of its angles.

    Of an encoder-decoder those of the encoder.

    Raises
    ------
    Refused
        Nothing in the network says where a token stands.
    """
    if model.rotary:
        rotation = next(m for m in model.network.modules() if "rotary" in type(m).__name__.lower())
        cosines, _ = rotation(torch.zeros(1, 1, 1), torch.arange(min(positions, model.limit))[None])
        return _positions("rotary", cosines[0, :, : cosines.shape[-1] // 2].numpy())
    table = _table(model.network)
    if table is None:
        raise Refused(N_("This network does not say where a token stands."))
    rows = table.detach().float().cpu().numpy()[:positions]
    fixed = any("sinusoidal" in type(m).__name__.lower() for m in model.network.modules())
    return _positions("sinusoidal" if fixed else "learned", rows)


def _table(network: nn.Module) -> Float[Tensor, "position channel"] | None:
    """The table of positions: a layer of embeddings, or a vision transformer's parameter, which has a batch axis."""
    for name, parameter in (*network.named_parameters(), *network.named_buffers()):
        words = name.split(".")
        if any(word in _LEARNED for word in words[-2:]):
            return parameter[0] if parameter.ndim == 3 else parameter
    return None


def _positions(kind: str, vectors: np.ndarray) -> Positions:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(length, 1e-12)
    return Positions(kind, vectors.astype(np.float32), (unit @ unit.T).astype(np.float32))  # type: ignore[arg-type]
