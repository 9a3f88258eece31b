"""Watching attention while it happens, in every architecture of transformers alike.

transformers calls one function, `attention(module, query, key, value, mask, scaling=...)`, in all of its models, and
lets anyone register another one under a name of its own (`AttentionInterface`). Ours computes the same, step by
step in plain sight, tells who listens, and can silence heads. Queries and keys arrive in it as the dot product takes
them: cut into heads, and turned where positions are rotary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

NAME = "dlviz"
"""Under this name transformers finds the attention function of this module."""


@dataclass(frozen=True, slots=True, eq=False)
class Taped:
    """One attention layer in the middle of a forward pass; the first axis (the batch) is gone."""

    module: nn.Module
    query: Float[Tensor, "head query d_head"]
    key: Float[Tensor, "head key d_head"]
    value: Float[Tensor, "head key d_head"]
    mask: Float[Tensor, "head query key"] | None
    scaling: float
    scores: Float[Tensor, "head query key"]
    weights: Float[Tensor, "head query key"]
    output: Float[Tensor, "head query d_head"]


Listener = Callable[[Taped], None]


@dataclass(slots=True)
class Tape:
    """Who listens, and which heads of which module are silent."""

    listener: Listener | None = None
    silent: dict[int, tuple[int, ...]] = field(default_factory=dict)


_tape: ContextVar[Tape | None] = ContextVar("tape", default=None)


@contextmanager
def taping(
    listener: Listener | None = None, silent: dict[int, tuple[int, ...]] | None = None
) -> Iterator[None]:
    """Have `listener` called after each attention layer of this thread's forward passes.

    Parameters
    ----------
    listener
        Takes a :class:`Taped`; what it does not keep is gone after the layer, so that long texts need little memory.
    silent
        Heads to be silenced, by `id(module)`: their output is zero, whatever they look at.
    """
    token = _tape.set(Tape(listener, silent or {}))
    try:
        yield
    finally:
        _tape.reset(token)


def attention(
    module: nn.Module,
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch group key d_head"],
    value: Float[Tensor, "batch group key d_head"],
    attention_mask: Float[Tensor, "batch one query key"] | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_options: Any,
) -> tuple[Float[Tensor, "batch query head d_head"], Float[Tensor, "batch head query key"]]:
    r"""Scaled dot-product attention (Vaswani et al. 2017, equation 1), as transformers' eager functions compute it.

    $$ \mathrm{Attention}(Q, K, V) = \mathrm{softmax}\left(\frac{Q K^\top}{\sqrt{d}} + M\right) V $$
    """
    if (
        groups := query.shape[1] // key.shape[1]
    ) > 1:  # several query heads share a key and a value head (Llama)
        key, value = (one.repeat_interleave(groups, dim=1) for one in (key, value))
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = query @ key.transpose(2, 3) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    output = nn.functional.dropout(weights, dropout, module.training) @ value
    tape = _tape.get()
    if tape is not None:
        for head in tape.silent.get(id(module), ()):
            output[:, head] = 0
        if tape.listener is not None:
            whole = None if attention_mask is None else attention_mask.expand_as(scores)[0]
            tape.listener(
                Taped(module, query[0], key[0], value[0], whole, scaling, scores[0], weights[0], output[0])
            )
    return output.transpose(1, 2).contiguous(), weights


@cache
def register() -> str:
    """Make the function known to transformers, with the masks of its eager mode; returns its name."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, eager_mask)
    return NAME
