"""Acting on a transformer: hide a token, silence heads, change a word, and see what it would say and look at."""

from __future__ import annotations

import random
from collections.abc import Sequence
from difflib import SequenceMatcher

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.attention import Pixels, layer_weights, prepare, run, sides, translate
from dlviz.language.attention_models import AttentionModel
from dlviz.language.attention_results import Difference, Effect, Guesses, Part, Piece, Site


def guess(
    model: AttentionModel,
    text: str | Pixels,
    *,
    place: int = -1,
    target: str = "",
    masked: Sequence[int] = (),
    silenced: Sequence[Site] = (),
    count: int = 10,
) -> Guesses:
    r"""What a network would say at one place: a hidden token, the next one, or what is in a photo.

    $$ p_k = \frac{e^{y_k}}{\sum_{j} e^{y_j}} $$

    Parameters
    ----------
    place
        For an encoder the token that is asked for, hidden or not. For a decoder, or what an encoder-decoder writes,
        the token after which the next one is asked for; the last, if not given.
    masked, silenced
        Tokens hidden behind the mask token, and heads whose output is zero.
    count
        How many tokens to name.

    Raises
    ------
    Refused
        The network was trained to say nothing of that kind.
    """
    logits, at = _logits(model, text, place, target, masked, silenced)
    return _guesses(model, logits.softmax(-1), at, count)


def effect(
    model: AttentionModel,
    text: str | Pixels,
    *,
    place: int = -1,
    target: str = "",
    masked: Sequence[int] = (),
    silenced: Sequence[Site] = (),
    also_masked: Sequence[int] = (),
    count: int = 10,
) -> Effect:
    r"""How the guesses at one place move when heads are silenced, or another token is hidden.

    $$ D = \sum_k p_k \log_2 \frac{p_k}{p'_k} $$

    A silenced head's output is zero: the residual stream goes on without what it would have added (Michel, Levy and
    Neubig, *Are Sixteen Heads Really Better than One?*, 2019). The layer's bias stays.

    Parameters
    ----------
    silenced
        Heads to silence.
    also_masked
        Tokens hidden in the second pass only.
    """
    if model.family == "encoder-decoder" and not target:
        assert isinstance(text, str)
        target = translate(model, text)  # both passes tell the same words
    both = [
        _logits(model, text, place, target, hidden, silent)
        for hidden, silent in ((masked, ()), ((*masked, *also_masked), silenced))
    ]
    p, changed = (logits.softmax(-1) for logits, _ in both)
    before, after = (_guesses(model, one, both[0][1], count) for one in (p, changed))
    ids = np.array(list(dict.fromkeys([*before.ids.tolist(), *after.ids.tolist()])))
    apart = float((p * (both[0][0].log_softmax(-1) - both[1][0].log_softmax(-1))).sum() / np.log(2))
    return Effect(
        before,
        after,
        ids,
        _texts(model, ids),
        p[ids].cpu().numpy(),
        changed[ids].cpu().numpy(),
        max(0.0, apart),
    )


def compare(
    model: AttentionModel,
    before: str,
    after: str,
    *,
    part: Part,
    layer: int,
    head: int,
    target: str = "",
) -> Difference:
    """The same head on two texts of which one was changed a little: where its weights rose and fell.

    Tokens are paired by the longest common runs (`difflib`); where a word was changed, its tokens have no partner and
    no difference.
    """
    pieces = []
    for text in (before, after):
        source, written, _ = prepare(model, text, target=target)
        pieces.append(sides(part, source, written))
    weights = [
        layer_weights(model, text, part=part, layer=layer, target=target)[head] for text in (before, after)
    ]
    rows, columns = (_partners(pieces[0][side], pieces[1][side]) for side in (0, 1))
    change = np.full((len(rows), len(columns)), np.nan, np.float32)
    paired = np.ix_(rows >= 0, columns >= 0)
    change[paired] = weights[1][paired] - weights[0][np.ix_(rows[rows >= 0], columns[columns >= 0])]
    return Difference(pieces[0][1], pieces[1][1], columns, change, columns < 0)


def shuffled(text: str, *, seed: int) -> str:
    """The words of a text in a drawn order: what a network that cannot tell positions would read as the same."""
    words = text.split()
    random.Random(seed).shuffle(words)
    return " ".join(words)


def _partners(before: Sequence[Piece], after: Sequence[Piece]) -> np.ndarray:
    """For each token of the second text its place in the first, or -1."""
    old, new = ([piece.id for piece in side] for side in (before, after))
    partner = np.full(len(after), -1)
    for a, b, size in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        partner[b : b + size] = np.arange(a, a + size)
    return partner


def _logits(
    model: AttentionModel,
    text: str | Pixels,
    place: int,
    target: str,
    masked: Sequence[int],
    silenced: Sequence[Site],
) -> tuple[Float[Tensor, " entry"], int]:
    if not (model.fills_in or model.tells_next or model.names_photos):
        raise Refused(N_("This network was not trained to name words: it only turns a text into numbers."))
    source, written, inputs = prepare(model, text, target=target, masked=masked)
    said = run(model, inputs, None, silenced).logits[0].float()
    if model.family == "vision":
        return said, 0
    length = len((written or source).pieces)
    at = length - 1 if place < 0 else place
    if at >= length:
        raise Refused(N_("There is no token {place} in this text."), place=place + 1)
    return said[at], at


def _guesses(model: AttentionModel, p: Float[Tensor, " entry"], place: int, count: int) -> Guesses:
    top = p.topk(min(count, len(p)))
    ids = top.indices.cpu().numpy()
    entropy = float(torch.special.entr(p).sum() / np.log(2))
    return Guesses(place, ids, _texts(model, ids), top.values.cpu().numpy(), entropy)


def _texts(model: AttentionModel, ids: np.ndarray) -> tuple[str, ...]:
    """What readers see of tokens; of a vision transformer, the names of its classes."""
    if model.family == "vision":
        return tuple(str(model.network.config.id2label[int(number)]) for number in ids)
    return tuple(
        str(model.tokenizer.decode([int(number)])) or str(model.tokenizer.convert_ids_to_tokens(int(number)))
        for number in ids
    )
