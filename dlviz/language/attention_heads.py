"""What heads do: their statistics, attention followed through the layers, and weights by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
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

HIDDEN = -1e4
"""What a mask adds is below this where a key is hidden, in half precision too."""

_NUMBERS = ("entropy", "share_of_broadest", "distance")
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
    ruler = _ruler(*sides(part, source, written))
    told: list[dict[str, np.ndarray]] = []

    def keep(taped: Taped) -> None:
        if model.places[id(taped.module)].part == part:
            told.append(_layer(taped.weights.float(), taped.mask, ruler))

    run(model, inputs, keep, silenced)
    if not told:
        raise Refused(N_("This network has no attention of that kind."))
    numbers = {name: np.stack([layer[name] for layer in told]) for name in (*_NUMBERS, *_SHARES, "best")}
    pattern = tuple(tuple(str(name) for name in layer["pattern"]) for layer in told)
    return Heads(part=part, pattern=pattern, **numbers)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class _Ruler:
    """What heads are measured by: weights of 1 where a pattern counts, distances, and the rows that count."""

    patterns: Float[Tensor, "pattern query key"]
    distance: Float[Tensor, "query key"]
    rows: Bool[Tensor, " query"]


def _ruler(queries: Sequence[Piece], keys: Sequence[Piece]) -> _Ruler:
    """Patterns of two rows of tokens; only rows of a text's own tokens count, if there are any."""
    rows, columns = len(queries), len(keys)
    at, to = torch.arange(rows)[:, None], torch.arange(columns)
    looking, looked = (torch.tensor([piece.id for piece in some]) for some in (queries, keys))
    # Patches have no number: a patch is the same as itself only.
    same = looking[:, None] == looked if bool((looked >= 0).any()) else at == to
    added = torch.tensor([piece.special for piece in keys])
    first = to == 0
    every = (to == at - 1, to == at + 1, first.expand(rows, columns), same, added.expand(rows, columns))
    own = torch.tensor([not piece.special for piece in queries])
    return _Ruler(torch.stack(every).float(), (at - to).abs().float(), own if bool(own.any()) else ~own)


def _layer(
    weights: Float[Tensor, "head query key"], mask: Float[Tensor, "head query key"] | None, ruler: _Ruler
) -> dict[str, np.ndarray]:
    """The numbers of the heads of one layer, means over the rows that count."""
    weights = weights.cpu()  # a ruler of a few tokens is not worth a device
    rows = ruler.rows
    entropy = torch.special.entr(weights).sum(-1) / np.log(2)
    allowed = torch.tensor(weights.shape[-1]) if mask is None else (mask[0].cpu() > HIDDEN).sum(-1)
    widest = allowed.float().log2().expand(len(rows))
    wide = rows & (widest > 0)  # a row with one key only is neither narrow nor broad
    counted = torch.stack([*ruler.patterns, ruler.distance]) * (rows.float() / rows.sum())[:, None]
    means = (weights.flatten(1) @ counted.flatten(1).T).T.numpy()
    broad = (
        (entropy / widest)[:, wide].mean(-1).clamp(max=1) if bool(wide.any()) else torch.zeros(len(weights))
    )
    found = {
        "entropy": entropy[:, rows].mean(-1).numpy(),
        "share_of_broadest": broad.numpy(),
        "distance": means[-1],
        **dict(zip(_SHARES, means, strict=False)),
    }
    pattern = [
        _name({name: float(values[head]) for name, values in found.items()}) for head in range(len(weights))
    ]
    best = [_best(weights[head] * rows[:, None], pattern[head], ruler) for head in range(len(weights))]
    return found | {"pattern": np.array(pattern), "best": np.array(best)}


def _best(weights: Float[Tensor, "query key"], pattern: Pattern, ruler: _Ruler) -> tuple[int, int]:
    """Where a head's pattern is strongest; its strongest weight, where it has none that is of some tokens."""
    if pattern in _SHARES:
        weights = weights * ruler.patterns[_SHARES.index(pattern)]
    row, column = divmod(int(weights.argmax()), weights.shape[1])
    return row, column


def _name(shares: dict[str, float]) -> Pattern:
    """The pattern that a head shows most clearly, if one takes half of its attention.

    The first token is often an added one: that it is the first says more.
    """
    best = max(_SHARES, key=lambda name: shares[name])
    if best == "separator" and shares["first"] >= CLEAR:
        return "first"
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
