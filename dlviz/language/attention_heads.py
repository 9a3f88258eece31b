"""What heads do: their statistics, attention followed through the layers, and weights by words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.attention import Pixels, prepare, run, sides
from dlviz.language.attention_models import AttentionModel
from dlviz.language.attention_results import Heads, Part, Pattern, Piece, Rollout, Site, Words
from dlviz.language.attention_tape import Taped

CLEAR = 0.5
"""A head has a pattern where it gives at least this share of its attention to it."""

BROAD = 0.9
"""A head is broad where its rows are at least this near to even ones, by their entropy."""

_SHARES: tuple[Pattern, ...] = ("previous", "next", "first", "same", "separator")


def describe(
    model: AttentionModel,
    text: str | Pixels,
    *,
    part: Part,
    target: str = "",
    masked: Sequence[int] = (),
    silenced: Sequence[Site] = (),
) -> Heads:
    r"""What each head of a part does on a text: entropy, distance, and shares of the patterns that are easily named.

    $$ H_i = -\sum_j a_{ij} \log_2 a_{ij}, \quad d_i = \sum_j a_{ij} \lvert i - j \rvert $$

    The patterns are those of Clark, Khandelwal, Levy and Manning, *What Does BERT Look At?* (2019), section 3; a
    head's name is that of the pattern that takes at least half of its attention, if one does.
    """
    source, written, inputs = prepare(model, text, target=target, masked=masked)
    queries, keys = sides(part, source, written)
    masks = _patterns(queries, keys)
    told: list[dict[str, np.ndarray]] = []

    def keep(taped: Taped) -> None:
        if model.places[id(taped.module)].part == part:
            told.append(_layer(taped.weights.float(), masks, queries, causal=taped.mask is not None))

    run(model, inputs, keep, silenced)
    if not told:
        raise Refused(N_("This network has no attention of that kind."))
    numbers = {name: np.stack([layer[name] for layer in told]) for name in told[0]}
    pattern = tuple(
        tuple(
            _name({name: float(numbers[name][layer, head]) for name in numbers if name != "spots"})
            for head in range(heads)
        )
        for layer, heads in enumerate([layer["entropy"].shape[0] for layer in told])
    )
    best = np.array(
        [
            [numbers["spots"][layer, head, (*_SHARES, "any").index(name if name in _SHARES else "any")]
             for head, name in enumerate(row)]
            for layer, row in enumerate(pattern)
        ]
    )  # fmt: skip
    shares = {name: numbers[name] for name in _SHARES}
    return Heads(
        part,
        numbers["entropy"],
        numbers["share_of_broadest"],
        numbers["distance"],
        **shares,
        pattern=pattern,
        best=best,
    )


def _patterns(queries: Sequence[Piece], keys: Sequence[Piece]) -> Float[Tensor, "pattern query key"]:
    """For each pattern the weights that count: 1 where a query's key belongs to it."""
    rows, columns = len(queries), len(keys)
    at, to = torch.arange(rows)[:, None], torch.arange(columns)
    looking, looked = (torch.tensor([piece.id for piece in some]) for some in (queries, keys))
    added = torch.tensor([piece.special for piece in keys])
    same = (looking[:, None] == looked) & (looked >= 0)
    if bool((looked < 0).all()):
        same = at == to  # patches have no number: a patch is the same as itself
    return torch.stack(
        [to == at - 1, to == at + 1, (to == 0).expand(rows, columns), same, added.expand(rows, columns)]
    ).float()


def _layer(
    weights: Float[Tensor, "head query key"],
    masks: Float[Tensor, "pattern query key"],
    queries: Sequence[Piece],
    *,
    causal: bool,
) -> dict[str, np.ndarray]:
    """The numbers of the heads of one layer, means over the rows of a text's own tokens."""
    rows = torch.tensor([not piece.special for piece in queries])
    rows = rows if bool(rows.any()) else torch.ones_like(rows)
    masks = masks.to(weights.device)
    _heads, _rows, columns = weights.shape
    entropy = torch.special.entr(weights).sum(-1) / np.log(2)
    open_keys = (weights > 0).any(0).sum(-1) if causal else torch.full((len(rows),), columns)
    widest = open_keys.float().log2().clamp(min=1e-9)
    apart = (torch.arange(len(rows))[:, None] - torch.arange(columns)).abs().float()
    shares = torch.einsum("hqk,pqk->phq", weights, masks)[..., rows].mean(-1)
    ratio = (
        (entropy / widest)[:, rows & (open_keys > 1)] if bool((rows & (open_keys > 1)).any()) else entropy * 0
    )
    found = {
        "entropy": entropy[:, rows].mean(-1),
        "share_of_broadest": ratio.mean(-1).clamp(max=1),
        "distance": torch.einsum("hqk,qk->hq", weights, apart)[:, rows].mean(-1),
        **dict(zip(_SHARES, shares, strict=True)),
    }
    return {name: value.cpu().numpy() for name, value in found.items()} | {
        "spots": _spots(weights, masks, rows)
    }


def _spots(
    weights: Float[Tensor, "head query key"], masks: Float[Tensor, "pattern query key"], rows: Tensor
) -> np.ndarray:
    """Where each pattern is strongest in each head, `(head, pattern, 2)`; the last is the strongest weight of all."""
    some = weights * rows[:, None]
    every = [
        some.flatten(1).argmax(-1) if mask is None else (some * mask).flatten(1).argmax(-1)
        for mask in (*masks, None)
    ]
    flat = torch.stack(every, 1).cpu().numpy()
    return np.stack(np.divmod(flat, weights.shape[-1]), -1)


def _name(shares: dict[str, float]) -> Pattern:
    """The pattern that a head shows most clearly, if one takes half of its attention."""
    best = max(_SHARES, key=lambda name: shares[name])
    if shares[best] >= CLEAR:
        return best
    return "broad" if shares["share_of_broadest"] >= BROAD else "none"


def rollout(
    model: AttentionModel,
    text: str | Pixels,
    *,
    part: Part = "self",
    target: str = "",
    masked: Sequence[int] = (),
) -> Rollout:
    r"""Attention followed through the layers, as Abnar and Zuidema (2020), *Quantifying Attention Flow in Transformers*.

    $$ \tilde A_l = \tfrac{1}{2} \left( \bar A_l + I \right), \quad R_l = \tilde A_l R_{l-1}, \quad R_0 = I $$

    $\bar A_l$ is the mean over the heads of layer $l$; the identity stands for the residual connection, which keeps
    half. What the heads do to the values, and the feed-forward layers, are left out: it tells where a path exists
    and how wide it is, not what went along it.
    """
    source, written, inputs = prepare(model, text, target=target, masked=masked)
    queries, keys = sides(part, source, written)
    if part == "cross":
        raise Refused(N_("Cross-attention has two sides: it cannot be followed through the layers."))
    eye = torch.eye(len(queries))
    steps: list[Tensor] = []

    def keep(taped: Taped) -> None:
        if model.places[id(taped.module)].part == part:
            mixed = 0.5 * (taped.weights.float().mean(0).cpu() + eye)
            steps.append(mixed @ (steps[-1] if steps else eye))

    run(model, inputs, keep)
    return Rollout(queries, keys, torch.stack(steps).numpy())


def by_words(
    weights: Float[np.ndarray, "query key"],
    queries: Sequence[Piece],
    keys: Sequence[Piece],
    text: str,
    key_text: str = "",
) -> Words:
    """A head's weights by words: weights to a word's tokens are added, the rows of its tokens averaged.

    As Clark et al. (2019), section 4.1: so each row still sums to 1. Tokens that the network's own rules add count as
    words of their own.

    Parameters
    ----------
    weights
        One head's.
    queries, keys
        The tokens of both sides.
    text, key_text
        The texts that they are of; `key_text` only where it is another one.
    """
    rows, row_names = _groups(queries, text)
    columns, column_names = _groups(keys, key_text or text)
    added = np.stack([weights[:, group].sum(1) for group in columns], 1)
    return Words(
        row_names, column_names, np.stack([added[group].mean(0) for group in rows]).astype(np.float32)
    )


def _groups(pieces: Sequence[Piece], text: str) -> tuple[list[list[int]], tuple[str, ...]]:
    """The places of each word's tokens, and the word itself."""
    groups: dict[tuple[int, int], list[int]] = {}
    for place, piece in enumerate(pieces):
        groups.setdefault((piece.word, -1 if piece.word >= 0 else place), []).append(place)
    names = []
    for group in groups.values():
        first, last = pieces[group[0]], pieces[group[-1]]
        names.append(first.text if first.special else text[first.start : last.end].strip() or first.text)
    return list(groups.values()), tuple(names)
