"""What the attention explorer's queries return: frozen arrays and words. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8

Family = Literal["encoder", "decoder", "encoder-decoder", "vision"]
"""What kind of network it is: what it can be asked follows from it."""

Part = Literal["self", "encoder", "decoder", "cross"]
"""Whose attention: the only one of a network of one half (`self`), or one of the three of a translator."""

Site = tuple[Part, int, int]
"""One head: its part, its layer, its number, all counted from 0."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One token, or one patch of a picture.

    Attributes
    ----------
    id
        Its number in the vocabulary; -1 for a patch.
    text
        What a reader sees; the space before a word is kept.
    start, end
        Its characters in the text that was typed; equal for a token that the network's own rules add.
    word
        The number of the word that it belongs to; -1 for an added token.
    special
        Whether the network's own rules have added it, as `[CLS]`.
    masked
        Whether it stands hidden behind the mask token.
    """

    id: int
    text: str
    start: int
    end: int
    word: int
    special: bool
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as a network reads it.

    Attributes
    ----------
    text
        What was typed.
    pieces
        Its tokens.
    read
        How many characters of `text` were read: all of them, or up to the network's limit.
    limit
        How many tokens the network reads at most.
    """

    text: str
    pieces: tuple[Piece, ...]
    read: int
    limit: int

    @property
    def cut(self) -> bool:
        """Whether the text was longer than the network can read."""
        return self.read < len(self.text)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The attention of one part of a network, in 8 bits a weight: what travels to a browser.

    Attributes
    ----------
    part
        Whose attention.
    queries, keys
        The tokens that look, and those that are looked at.
    codes
        Weights in steps of their row's largest, from 0 to 255.
    scale
        The largest weight of each row, from 0 to 1; a weight is `code / 255 * scale`, wrong by at most `scale / 510`.
    layers
        The layers that `codes` holds, as rows of its first axis.
    """

    part: Part
    queries: tuple[Piece, ...]
    keys: tuple[Piece, ...]
    codes: UInt8[np.ndarray, "layer head query key"]
    scale: Float[np.ndarray, "layer head query"]
    layers: tuple[int, ...]

    def matrix(self, layer: int, head: int) -> Float[np.ndarray, "query key"]:
        """One head's weights as numbers."""
        at = self.layers.index(layer)
        return self.codes[at, head] * (self.scale[at, head][:, None] / np.float32(255))


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """All the attention of one forward pass, by part.

    Attributes
    ----------
    family
        Kind of network.
    source, target
        The text as it was read; of an encoder-decoder also what it was made to write, else None.
    parts
        One for `self`, three for an encoder-decoder: `encoder`, `decoder`, `cross`.
    """

    family: Family
    source: Reading
    target: Reading | None
    parts: tuple[Weights, ...]

    def part(self, name: Part) -> Weights:
        """The attention of a part."""
        return next(one for one in self.parts if one.part == name)


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One attention weight, taken apart: everything between two hidden states and one number.

    All in the network's own single precision.

    Attributes
    ----------
    part, layer, head, query, key
        Which weight.
    queries, keys
        The tokens.
    q, k
        The two vectors whose dot product is asked for; after the rotation where positions are rotary.
    q_plain, k_plain
        The same before the rotation; None where positions are not rotary.
    product
        `q * k`, dimension by dimension.
    dot
        Their sum, q · k.
    scaling
        What it is multiplied by: 1 / sqrt(d_head).
    mask
        What the mask adds to each score of the row: 0, or a number so low that nothing is left.
    scores
        The whole row of masked, scaled dot products: what goes into the softmax.
    weights
        The row after the softmax: the weight asked for is `weights[key]`.
    values
        Values of the head, one a key.
    output
        What the head passes on at this query: the sum of the values, weighted.
    by_head
        What each head adds to the layer's output at this query, after its slice of the output projection.
    bias
        Bias of the output projection; zeros where there is none.
    layer_output
        The attention layer's output at this query: the sum of `by_head`, and the bias.
    """

    part: Part
    layer: int
    head: int
    query: int
    key: int
    queries: tuple[Piece, ...]
    keys: tuple[Piece, ...]
    q: Float[np.ndarray, " d_head"]
    k: Float[np.ndarray, " d_head"]
    q_plain: Float[np.ndarray, " d_head"] | None
    k_plain: Float[np.ndarray, " d_head"] | None
    product: Float[np.ndarray, " d_head"]
    dot: float
    scaling: float
    mask: Float[np.ndarray, " key"]
    scores: Float[np.ndarray, " key"]
    weights: Float[np.ndarray, " key"]
    values: Float[np.ndarray, "key d_head"]
    output: Float[np.ndarray, " d_head"]
    by_head: Float[np.ndarray, "head channel"]
    bias: Float[np.ndarray, " channel"]
    layer_output: Float[np.ndarray, " channel"]

    @property
    def scaled(self) -> float:
        """The dot product times the scaling, before the mask."""
        return self.dot * self.scaling

    @property
    def weight(self) -> float:
        """The attention weight."""
        return float(self.weights[self.key])


Pattern = Literal["previous", "next", "first", "same", "separator", "broad", "none"]
"""The clear patterns of a head; `none` where nothing stands out."""


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """What each head of a part does on a text, in numbers.

    Attributes
    ----------
    part
        Whose attention.
    entropy
        Mean entropy of a row in bits, from 0 (all on one token) to log2 of the number of keys.
    share_of_broadest
        The same as a share of what an even row of the same length would have, from 0 to 1.
    distance
        Mean distance in tokens to what is looked at.
    previous, next, first, same, separator
        Mean share of a row that goes to the token before, the one after, the first of the row, the same token (itself
        and where it stands again), and the tokens that the network's own rules add. All means are over the rows of
        tokens of the text. Of cross-attention, whose two sides are two texts, `previous`, `next` and `distance` count
        places all the same: a translation often keeps the order.
    pattern
        The clear pattern of each head, by layer and head.
    best
        Query and key where that pattern is strongest in this text.
    """

    part: Part
    entropy: Float[np.ndarray, "layer head"]
    share_of_broadest: Float[np.ndarray, "layer head"]
    distance: Float[np.ndarray, "layer head"]
    previous: Float[np.ndarray, "layer head"]
    next: Float[np.ndarray, "layer head"]
    first: Float[np.ndarray, "layer head"]
    same: Float[np.ndarray, "layer head"]
    separator: Float[np.ndarray, "layer head"]
    pattern: tuple[tuple[Pattern, ...], ...]
    best: Int[np.ndarray, "layer head 2"]


@dataclass(frozen=True, slots=True, eq=False)
class Rollout:
    """Attention followed through the layers (Abnar and Zuidema 2020).

    Attributes
    ----------
    queries, keys
        The tokens.
    weights
        How much of each input token is left in each position after `layer` layers; rows sum to 1.
    """

    queries: tuple[Piece, ...]
    keys: tuple[Piece, ...]
    weights: Float[np.ndarray, "layer query key"]


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """What a network would say at one place.

    Attributes
    ----------
    place
        The token whose place it is; for a decoder the place after the last token.
    ids, texts
        The most probable tokens, the most probable first.
    probabilities
        Theirs.
    entropy
        Of the whole distribution, in bits.
    """

    place: int
    ids: Int[np.ndarray, " guess"]
    texts: tuple[str, ...]
    probabilities: Float[np.ndarray, " guess"]
    entropy: float


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What silencing heads, or hiding a token, does to the network's guesses at one place.

    Attributes
    ----------
    before, after
        The guesses without and with it.
    ids, texts
        The tokens that were among the first of either.
    probabilities_before, probabilities_after
        Their probabilities in both.
    divergence
        Kullback-Leibler divergence of the whole distributions, before from after, in bits.
    """

    before: Guesses
    after: Guesses
    ids: Int[np.ndarray, " guess"]
    texts: tuple[str, ...]
    probabilities_before: Float[np.ndarray, " guess"]
    probabilities_after: Float[np.ndarray, " guess"]
    divergence: float


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A head's weights by words instead of tokens.

    Attributes
    ----------
    queries, keys
        The words.
    weights
        Weights to the tokens of a word are added, and the rows of its tokens averaged: rows still sum to what they
        did (Clark et al. 2019).
    """

    queries: tuple[str, ...]
    keys: tuple[str, ...]
    weights: Float[np.ndarray, "query key"]


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """What tells a network where a token stands.

    Attributes
    ----------
    kind
        Learnt vectors, sines and cosines, or rotations of queries and keys.
    vectors
        One a position; of rotary positions the cosines of the rotations.
    similarity
        Cosines of all pairs of positions.
    """

    kind: Literal["learned", "sinusoidal", "rotary"]
    vectors: Float[np.ndarray, "position channel"]
    similarity: Float[np.ndarray, "position position"]


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """The same head on two texts of which one was changed a little.

    Attributes
    ----------
    before, after
        Tokens of the two texts.
    partner
        For each token of `after` its partner in `before`, or -1 where it is new.
    change
        Weights after less weights before, where both tokens have a partner; NaN elsewhere.
    new
        Whether a token of `after` has no partner.
    """

    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    partner: Int[np.ndarray, " token"]
    change: Float[np.ndarray, "query key"]
    new: Bool[np.ndarray, " token"]
