"""What one step of word2vec returns: frozen arrays. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from dlviz.language.word_training_results import Method


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """The two vectors that word2vec has of every word.

    Attributes
    ----------
    v
        As a centre (skip-gram) or as a neighbour (CBOW): what is kept as the embedding in the end.
    u
        As the word to be foretold.
    """

    v: Float[np.ndarray, "word dim"]
    u: Float[np.ndarray, "word dim"]


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What a step is taken with.

    Attributes
    ----------
    method
        Skip-gram or CBOW.
    window
        The furthest neighbour in words.
    negatives
        Drawn for each pair.
    subsampling
        Threshold of the thinning out; 0 for none.
    rate
        Learning rate.
    """

    method: Method = "skip-gram"
    window: int = 3
    negatives: int = 5
    subsampling: float = 1e-3
    rate: float = 0.1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step is taken, and with which draws.

    Attributes
    ----------
    sentence, centre
        Number of the sentence, and of the word in it.
    neighbour
        Which of the words in the window makes the pair, from the left (skip-gram; CBOW takes all).
    thinning, draw
        Seeds: of the words left out and the window's width, and of the negatives.
    """

    sentence: int = 0
    centre: int = 0
    neighbour: int = 0
    thinning: int = 0
    draw: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A sentence as word2vec sees it at one word.

    Attributes
    ----------
    rows
        Row in the vocabulary of every word of the sentence.
    keep
        How likely each is to stay when frequent words are thinned out.
    stays
        Whether it stayed this time (the centre always does: it was picked).
    centre
        Place of the centre in the sentence.
    width
        Drawn from 1 to the window's size: so near neighbours are used more often than far ones.
    context
        Places of the neighbours in the sentence, from left to right, counted among the words that stayed.
    """

    rows: Int[np.ndarray, " place"]
    keep: Float[np.ndarray, " place"]
    stays: Bool[np.ndarray, " place"]
    centre: int
    width: int
    context: Int[np.ndarray, " neighbour"]


@dataclass(frozen=True, slots=True, eq=False)
class Softmax:
    """The same pair with the full softmax: what negative sampling stands in for.

    Attributes
    ----------
    loss, loss_after
        Negative logarithm of the right word's probability before and after the step.
    probability, probability_after
        The right word's.
    rank, rank_after
        Its rank among all words, from 1.
    rows, before, after
        The likeliest words before the step, the right one at the end if it is none of them, with their probabilities
        before and after.
    """

    loss: float
    loss_after: float
    probability: float
    probability_after: float
    rank: int
    rank_after: int
    rows: Int[np.ndarray, " word"]
    before: Float[np.ndarray, " word"]
    after: Float[np.ndarray, " word"]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of word2vec with negative sampling, before and after.

    Attributes
    ----------
    inputs
        Rows of the words that give the hidden vector: the centre, or all neighbours.
    targets, labels
        Rows of the words to be told apart, the one that was there first; 1 for it and 0 for the negatives.
    noise
        How likely each target is to be drawn as a negative.
    unused
        Negatives that were drawn and left out because they were the right word itself.
    hidden
        The vector of the centre, or the mean of the neighbours'.
    scores, sigma, losses
        u · h, its sigmoid, and what it costs in nats, by target.
    slopes
        sigma - label: the loss's derivative by the score.
    hidden_gradient, input_gradients, target_gradients
        The loss's gradients by the hidden vector, by the vector of each input, and by that of each target.
    inputs_before, inputs_after, targets_before, targets_after, hidden_after
        The vectors before and after.
    scores_after, sigma_after, losses_after
        After the step.
    softmax
        The full softmax beside it.
    """

    inputs: Int[np.ndarray, " input"]
    targets: Int[np.ndarray, " target"]
    labels: Int[np.ndarray, " target"]
    noise: Float[np.ndarray, " target"]
    unused: int
    hidden: Float[np.ndarray, " dim"]
    scores: Float[np.ndarray, " target"]
    sigma: Float[np.ndarray, " target"]
    losses: Float[np.ndarray, " target"]
    slopes: Float[np.ndarray, " target"]
    hidden_gradient: Float[np.ndarray, " dim"]
    input_gradients: Float[np.ndarray, "input dim"]
    target_gradients: Float[np.ndarray, "target dim"]
    inputs_before: Float[np.ndarray, "input dim"]
    inputs_after: Float[np.ndarray, "input dim"]
    targets_before: Float[np.ndarray, "target dim"]
    targets_after: Float[np.ndarray, "target dim"]
    hidden_after: Float[np.ndarray, " dim"]
    scores_after: Float[np.ndarray, " target"]
    sigma_after: Float[np.ndarray, " target"]
    losses_after: Float[np.ndarray, " target"]
    softmax: Softmax

    @property
    def loss(self) -> float:
        """Of the step, in nats."""
        return float(self.losses.sum())

    @property
    def loss_after(self) -> float:
        """Of the same pair and negatives after the step, in nats."""
        return float(self.losses_after.sum())


@dataclass(frozen=True, slots=True, eq=False)
class StepPlane:
    """The vectors of a step in two dimensions.

    Attributes
    ----------
    inputs, targets, hidden
        Before the step.
    inputs_after, targets_after, hidden_after
        After it.
    kept
        Share of the vectors' squared lengths that the two dimensions show.
    """

    inputs: Float[np.ndarray, "input 2"]
    targets: Float[np.ndarray, "target 2"]
    hidden: Float[np.ndarray, " 2"]
    inputs_after: Float[np.ndarray, "input 2"]
    targets_after: Float[np.ndarray, "target 2"]
    hidden_after: Float[np.ndarray, " 2"]
    kept: float
