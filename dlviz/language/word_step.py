r"""One step of word2vec, by hand: what is drawn, what it costs, and which way the vectors go.

Word2vec has two vectors of every word: :math:`v` and :math:`u`. From a hidden vector :math:`h` (the centre's
:math:`v` in a skip-gram, the mean of the neighbours' :math:`v` in CBOW) the word :math:`o` that was there should be
told from :math:`k` words that were drawn at random,

.. math:: L = -\log \sigma(u_o \cdot h) - \sum_{i=1}^{k} \log \sigma(-u_{n_i} \cdot h),

which is formula 4 of Mikolov et al. (2013b) and the course's formula 10, its sign turned so that less is better. With
:math:`t = 1` for the word that was there and 0 for the others,

.. math:: \frac{\partial L}{\partial u_w} = (\sigma(u_w \cdot h) - t_w)\,h, \qquad
   \frac{\partial L}{\partial h} = \sum_w (\sigma(u_w \cdot h) - t_w)\,u_w

and one step down the slope moves each of them against its gradient, by the learning rate.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.foundations.word2vec import Learner
from dlviz.i18n import N_
from dlviz.language.word_corpus import keep_probability, noise
from dlviz.language.word_step_results import (
    Place,
    Softmax,
    Step,
    StepPlane,
    StepSettings,
    Weights,
    Window,
)
from dlviz.language.word_training_results import Corpus, Method

Vector = Float[np.ndarray, " dim"]
Rows = Int[np.ndarray, " word"]

_PRACTICE = 40_000
"""Running words that vectors are practised on, at most: a part of a second."""


def fresh(corpus: Corpus, dimensions: int, seed: int = 0) -> Weights:
    r"""The vectors before the first step: :math:`v` drawn evenly from :math:`\pm\frac{1}{2d}`, :math:`u` all zero.

    With zeros for :math:`u` every :math:`\sigma` is 1/2, and the very first step moves no :math:`v` at all.
    """
    drawn = np.random.default_rng(seed).random((len(corpus.words), dimensions))
    return Weights((drawn - 0.5) / dimensions, np.zeros((len(corpus.words), dimensions)))


def practised(corpus: Corpus, dimensions: int, method: Method, seed: int = 0) -> Weights:
    """The vectors after some training on the text by gensim: a part of a second of it, up to twenty times the text.

    Of a long text its beginning is read; the counts are those of all of it.
    """
    learner = Learner(
        corpus.counts, dimensions=dimensions, window=5, negatives=5, alpha=0.025, min_alpha=0.001, seed=seed,
        cbow=method == "cbow",
    )  # fmt: skip
    last = int(np.searchsorted(corpus.starts, _PRACTICE))
    names = learner.names
    sentences = [
        [names[row] for row in corpus.sentence(i).tolist()] for i in range(min(last, corpus.sentences))
    ]
    epochs = int(np.clip(_PRACTICE // max(1, sum(map(len, sentences))), 1, 20))
    for epoch in range(epochs):
        learner.read(sentences, epoch / epochs, (epoch + 1) / epochs)
    return Weights(learner.vectors().astype(np.float64), learner.contexts().astype(np.float64))


def window(corpus: Corpus, settings: StepSettings, place: Place) -> Window:
    """A sentence at one of its words: which frequent words are left out this time, and how far the window reaches.

    Raises
    ------
    Refused
        There is no such place in the text.
    """
    if not 0 <= place.sentence < corpus.sentences:
        raise Refused(N_("The text has no such sentence."))
    rows = corpus.sentence(place.sentence)
    if not 0 <= place.centre < len(rows):
        raise Refused(N_("The sentence has no such word."))
    random = np.random.default_rng([place.thinning, place.sentence, place.centre])
    keep = keep_probability(corpus.counts, settings.subsampling)[rows]
    stays = random.random(len(rows)) < keep
    stays[place.centre] = True
    width = int(random.integers(1, settings.window + 1))
    left = np.flatnonzero(stays)
    at = int(np.searchsorted(left, place.centre))
    context = np.concatenate([left[max(0, at - width) : at], left[at + 1 : at + 1 + width]])
    return Window(rows, keep, stays, place.centre, width, context)


def negatives(corpus: Corpus, positive: int, count: int, seed: int = 0) -> tuple[Rows, int]:
    r"""Rows drawn by :math:`P_n(w) \propto U(w)^{3/4}`, the right word left out, and how often that was drawn.

    Word2vec and gensim do the same: a negative that happens to be the right word is not drawn again.
    """
    drawn = np.random.default_rng([seed, positive]).choice(len(corpus.words), count, p=noise(corpus.counts))
    kept = drawn[drawn != positive]
    return kept, count - len(kept)


def pair(settings: StepSettings, seen: Window, neighbour: int) -> tuple[Rows, int]:
    """Rows that give the hidden vector, and the row to be foretold from them.

    Raises
    ------
    Refused
        No neighbour is left in the window.
    """
    if not len(seen.context):
        raise Refused(
            N_(
                "No neighbour is left in the window this time: thin out less, draw again, or pick another word."
            )
        )
    context = seen.rows[seen.context]
    if settings.method == "cbow":
        return context, int(seen.rows[seen.centre])
    return seen.rows[[seen.centre]], int(context[min(max(0, neighbour), len(context) - 1)])


def explain(
    corpus: Corpus, weights: Weights, settings: StepSettings, place: Place, taken: tuple[Place, ...] = ()
) -> Step:
    """One step at a place of a text, after steps taken before.

    Parameters
    ----------
    corpus
        The text.
    weights
        The vectors at the beginning.
    settings, place
        How and where.
    taken
        Steps that come before, one after the other; one that does not fit the text is passed over.

    Raises
    ------
    Refused
        There is no such place, or no neighbour is left in the window.
    """
    inputs, positive = pair(settings, window(corpus, settings, place), place.neighbour)
    for before in taken:
        weights = _after(corpus, weights, settings, before)
    drawn, unused = negatives(corpus, positive, settings.negatives, place.draw)
    targets = np.concatenate([[positive], drawn])
    return step(weights, inputs, targets, settings.rate, noise(corpus.counts)[targets], unused)


def _after(corpus: Corpus, weights: Weights, settings: StepSettings, place: Place) -> Weights:
    try:
        inputs, positive = pair(settings, window(corpus, settings, place), place.neighbour)
    except Refused:
        return weights
    drawn, _ = negatives(corpus, positive, settings.negatives, place.draw)
    return moved(weights, inputs, np.concatenate([[positive], drawn]), settings.rate)


def step(
    weights: Weights,
    inputs: Rows,
    targets: Rows,
    rate: float,
    drawn: Float[np.ndarray, " target"],
    unused: int,
) -> Step:
    r"""Loss, gradients and update for given inputs and targets, the first target being the word that was there.

    .. math:: v \leftarrow v - \eta\,\frac{\partial L}{\partial v}, \qquad
       u \leftarrow u - \eta\,\frac{\partial L}{\partial u}

    all at once, with the gradients of before. A word that comes twice moves by both of its gradients.
    """
    labels = np.zeros(len(targets), np.int64)
    labels[0] = 1
    hidden = weights.v[inputs].mean(0)
    scores, sigma, losses = _costs(weights, hidden, targets, labels)
    after = moved(weights, inputs, targets, rate)
    hidden_after = after.v[inputs].mean(0)
    scores_after, sigma_after, losses_after = _costs(after, hidden_after, targets, labels)
    by_hidden, by_inputs, by_targets = gradients(weights, inputs, targets)
    return Step(
        inputs=inputs,
        targets=targets,
        labels=labels,
        noise=drawn,
        unused=unused,
        hidden=hidden,
        scores=scores,
        sigma=sigma,
        losses=losses,
        slopes=sigma - labels,
        hidden_gradient=by_hidden,
        input_gradients=by_inputs,
        target_gradients=by_targets,
        inputs_before=weights.v[inputs],
        inputs_after=after.v[inputs],
        targets_before=weights.u[targets],
        targets_after=after.u[targets],
        hidden_after=hidden_after,
        scores_after=scores_after,
        sigma_after=sigma_after,
        losses_after=losses_after,
        softmax=_softmax(weights, after, hidden, hidden_after, int(targets[0])),
    )


def gradients(
    weights: Weights, inputs: Rows, targets: Rows
) -> tuple[Vector, Float[np.ndarray, "input dim"], Float[np.ndarray, "target dim"]]:
    r"""The loss's gradients by the hidden vector, by each input's :math:`v` and by each target's :math:`u`.

    An input of CBOW has a share of 1/C in the mean, and so in the gradient. (Word2vec's own code gives each of them
    the whole: its steps on :math:`v` are C times as long, in the same direction.)
    """
    hidden = weights.v[inputs].mean(0)
    slopes = sigmoid(weights.u[targets] @ hidden)
    slopes[0] -= 1
    by_hidden = slopes @ weights.u[targets]
    by_inputs = np.tile(by_hidden / len(inputs), (len(inputs), 1))
    return by_hidden, by_inputs, slopes[:, None] * hidden


def moved(weights: Weights, inputs: Rows, targets: Rows, rate: float) -> Weights:
    """The vectors after a step."""
    _, by_inputs, by_targets = gradients(weights, inputs, targets)
    v, u = weights.v.copy(), weights.u.copy()
    # subtract.at counts a row that comes twice twice; -= would count it once.
    np.subtract.at(v, inputs, rate * by_inputs)
    np.subtract.at(u, targets, rate * by_targets)
    return Weights(v, u)


def sigmoid(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    r""":math:`\sigma(x) = 1 / (1 + e^{-x})`, without overflow."""
    return np.exp(-np.logaddexp(0, -x))


def _costs(
    weights: Weights, hidden: Vector, targets: Rows, labels: Int[np.ndarray, " target"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, their sigmoids, and what each costs."""
    scores = weights.u[targets] @ hidden
    return scores, sigmoid(scores), np.logaddexp(0, np.where(labels == 1, -scores, scores))


def log_softmax(weights: Weights, hidden: Vector) -> Float[np.ndarray, " word"]:
    r"""Logarithm of the course's formulas 8 and 9, :math:`P(o \mid h) = e^{u_o \cdot h} / \sum_w e^{u_w \cdot h}`."""
    scores = weights.u @ hidden
    logs: Float[np.ndarray, " word"] = scores - np.logaddexp.reduce(scores)
    return logs


def _softmax(
    before: Weights, after: Weights, hidden: Vector, hidden_after: Vector, right: int, shown: int = 8
) -> Softmax:
    first, last = log_softmax(before, hidden), log_softmax(after, hidden_after)
    rows = np.argsort(-first, kind="stable")[:shown]
    if right not in rows:
        rows[-1] = right
    return Softmax(
        loss=float(-first[right]),
        loss_after=float(-last[right]),
        probability=float(np.exp(first[right])),
        probability_after=float(np.exp(last[right])),
        rank=1 + int((first > first[right]).sum()),
        rank_after=1 + int((last > last[right]).sum()),
        rows=rows,
        before=np.exp(first[rows]),
        after=np.exp(last[rows]),
    )


def operations(words: int, dimensions: int, negatives: int) -> tuple[int, int]:
    r"""Multiplications of one step: with the full softmax, and with negative sampling.

    Each word that is told apart costs a product :math:`u \cdot h`, its part of the gradient by :math:`h`, and the
    update of its :math:`u`: three times :math:`d`. The softmax tells all :math:`|V|` words apart, negative sampling
    :math:`k + 1`; what is common to both, the update of the inputs, is left out.
    """
    return 3 * dimensions * words, 3 * dimensions * (negatives + 1)


def plane(found: Step, axes: tuple[int, int] | None = None) -> StepPlane:
    """The vectors of a step in two of their dimensions, or in the two directions that show most of their lengths.

    The directions go through the origin, unlike those of a map: here lengths and angles from the origin matter,
    because the loss knows products alone.
    """
    every = np.concatenate(
        [found.inputs_before, found.targets_before, found.inputs_after, found.targets_after]
    )
    dimensions = every.shape[1]
    if axes is not None:
        basis = np.eye(dimensions)[:, list(axes)]
    else:
        basis = np.linalg.svd(every, full_matrices=True)[2][:2].T
        basis = basis * np.where((found.hidden @ basis) < 0, -1.0, 1.0)
    squares = float((every**2).sum())
    return StepPlane(
        inputs=found.inputs_before @ basis,
        targets=found.targets_before @ basis,
        hidden=found.hidden @ basis,
        inputs_after=found.inputs_after @ basis,
        targets_after=found.targets_after @ basis,
        hidden_after=found.hidden_after @ basis,
        kept=float(((every @ basis) ** 2).sum()) / squares if squares else 1.0,
    )


def places(corpus: Corpus, least: int = 3) -> Int[np.ndarray, " sentence"]:
    """Numbers of the sentences with at least ``least`` words, where there is something to foretell."""
    return np.flatnonzero(np.diff(corpus.starts) >= least)
