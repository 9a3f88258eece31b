r"""Unigram: a vocabulary that starts too large and is pruned (Kudo 2018, the model of SentencePiece).

Every segmentation of a word into pieces has a probability, the product of its pieces':

$$ p(\mathbf{x}) = \prod_i p(x_i) $$

EM raises the probability of the text, summed over all segmentations; then the pieces that are missed least
go. A word begins with "▁", which stands for the space before it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from dlviz.errors import Refused
from dlviz.events import Progress, Result, Work
from dlviz.i18n import N_
from dlviz.language import pretokenise
from dlviz.language.bpe_encoding import check_length
from dlviz.language.results import (
    Arc,
    Curves,
    Lattice,
    Token,
    Tokens,
    UnigramRound,
    UnigramSettings,
    UnigramTrace,
)

SPACE = "▁"
MAX_CHARACTERS = 60_000
"""Unigram looks at every way to cut every word: it is trained on the beginning of a longer text."""

_UNKNOWN_PENALTY = 10.0
_EXCERPT_WORDS = 600

Probabilities = dict[str, float]


def train(text: str, settings: UnigramSettings) -> UnigramTrace:
    """Learn a Unigram vocabulary from (the first 60,000 characters of) a text, and keep every round.

    Raises
    ------
    Refused
        The text is empty, or has more different characters than the vocabulary may have pieces.
    """
    *_, last = train_steps(text, settings)
    assert isinstance(last, Result) and isinstance(last.value, UnigramTrace)
    return last.value


def train_steps(text: str, settings: UnigramSettings) -> Work:
    """The same as :func:`train`, as work for the jobs room."""
    text = pretokenise.normalise(text[:MAX_CHARACTERS], settings.normalisation, lower=settings.lower)
    words = Counter(SPACE + word for word in text.split())
    if not words:
        raise Refused(N_("The text is empty: there is nothing to learn from."))
    letters = {letter for word in words for letter in word}
    if len(letters) > settings.vocabulary_size:
        raise Refused(
            N_("The text's alphabet alone has {count} symbols: a vocabulary of {size} cannot hold it."),
            count=len(letters),
            size=settings.vocabulary_size,
        )
    log_p = seeds(words, settings)
    total = 1 + max(0, math.ceil(math.log(settings.vocabulary_size / len(log_p)) / math.log(settings.keep)))
    rounds: list[UnigramRound] = []
    while not rounds or rounds[-1].pruned.any():
        yield Progress(min(len(rounds), total), total)
        likelihood = []
        for _ in range(settings.em_steps):
            expected, loss = dict.fromkeys(log_p, 0.0), 0.0
            for part in _parts(words):
                loss += expectation(part, log_p, expected)
                yield Progress(min(len(rounds), total), total)
            likelihood.append(loss)
            log_p = maximisation(expected, log_p)
        rounds.append(_round(words, log_p, likelihood, settings))
        kept = [piece for piece, gone in zip(rounds[-1].pieces, rounds[-1].pruned, strict=True) if not gone]
        log_p = _normalised({piece: log_p[piece] for piece in kept})
    yield Result(_trace(text, words, rounds, settings))


def seeds(words: Mapping[str, int], settings: UnigramSettings) -> Probabilities:
    """The first, too large vocabulary: every character, and the substrings that cover most of the text.

    A substring is seen at least twice; it covers its count times its length.
    """
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + settings.max_length) + 1):
                counts[word[start:end]] += count
    letters = [piece for piece in counts if len(piece) == 1]
    longer = [piece for piece, count in counts.items() if len(piece) > 1 and count > 1]
    longer.sort(key=lambda piece: (-counts[piece] * len(piece), piece))
    room = max(0, max(settings.seed_size, settings.vocabulary_size) - len(letters))
    return _normalised({piece: math.log(counts[piece]) for piece in [*sorted(letters), *longer[:room]]})


def _parts(words: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """A few hundred words at a time, so that the jobs room is not kept waiting."""
    entries = list(words.items())
    for start in range(0, len(entries), 300):
        yield dict(entries[start : start + 300])


def expectation(words: Mapping[str, int], log_p: Probabilities, expected: dict[str, float]) -> float:
    r"""The E step: adds to ``expected`` how often each piece is expected to occur in the words.

    Forward and backward sums over all ways to cut a word give each arc its share:

    $$ \exp(\alpha_{start} + \log p + \beta_{end} - \alpha_{n}) $$

    Returns the words' negative log-likelihood in nats.
    """
    loss = 0.0
    longest = max(map(len, log_p))
    for word, count in words.items():
        arcs = _arcs(word, log_p, longest)
        alpha, beta = _forward(arcs, len(word)), _backward(arcs, len(word))
        loss -= count * alpha[-1]
        for start, end, piece, score in arcs:
            expected[piece] += count * math.exp(alpha[start] + score + beta[end] - alpha[-1])
    return loss


def maximisation(expected: Mapping[str, float], log_p: Probabilities) -> Probabilities:
    """The M step: probabilities in proportion to expected counts; what is never expected falls far down."""
    total = sum(expected.values())
    return {piece: math.log(max(expected[piece], 1e-12) / total) for piece in log_p}


def _arcs(word: str, log_p: Mapping[str, float], longest: int) -> list[tuple[int, int, str, float]]:
    """Every known piece in a word: start, end, piece, log-probability; by start."""
    return [
        (start, end, word[start:end], log_p[word[start:end]])
        for start in range(len(word))
        for end in range(start + 1, min(len(word), start + longest) + 1)
        if word[start:end] in log_p
    ]


def _forward(arcs: list[tuple[int, int, str, float]], length: int) -> list[float]:
    incoming: list[list[float]] = [[] for _ in range(length + 1)]
    alpha = [0.0] + [-math.inf] * length
    for start, end, _, score in arcs:  # by start: all that ends here has been seen
        if incoming[start]:
            alpha[start] = _log_sum(incoming[start])
            incoming[start] = []
        incoming[end].append(alpha[start] + score)
    alpha[length] = _log_sum(incoming[length])
    return alpha


def _backward(arcs: list[tuple[int, int, str, float]], length: int) -> list[float]:
    outgoing: list[list[float]] = [[] for _ in range(length + 1)]
    beta = [-math.inf] * length + [0.0]
    for start, end, _, score in sorted(arcs, key=lambda arc: -arc[1]):
        if outgoing[end]:
            beta[end] = _log_sum(outgoing[end])
            outgoing[end] = []
        outgoing[start].append(score + beta[end])
    beta[0] = _log_sum(outgoing[0])
    return beta


def _log_sum(values: list[float]) -> float:
    highest = max(values, default=-math.inf)
    if highest == -math.inf:
        return highest
    return highest + math.log(sum(math.exp(value - highest) for value in values))


def _normalised(log_p: Probabilities) -> Probabilities:
    total = _log_sum(list(log_p.values()))
    return {piece: score - total for piece, score in log_p.items()}


def viterbi(word: str, log_p: Mapping[str, float], longest: int) -> tuple[list[str], float]:
    """The most probable pieces of a word and their log-probability; an unknown character is its own piece."""
    arcs, _ = _with_unknown(word, log_p, longest)
    best, last = _best_way(arcs, len(word))
    pieces: list[str] = []
    end = len(word)
    while end > 0:
        pieces.append(word[last[end] : end])
        end = last[end]
    return pieces[::-1], best[len(word)]


def _with_unknown(
    word: str, log_p: Mapping[str, float], longest: int
) -> tuple[list[tuple[int, int, str, float]], set[int]]:
    """The arcs of a word, and the places of unknown characters, which get arcs of their own."""
    floor = min(log_p.values()) - _UNKNOWN_PENALTY
    unknown = {place for place, letter in enumerate(word) if letter not in log_p}
    arcs = _arcs(word, log_p, longest) + [(place, place + 1, word[place], floor) for place in unknown]
    return sorted(arcs, key=lambda arc: arc[:2]), unknown


def _best_way(arcs: list[tuple[int, int, str, float]], length: int) -> tuple[list[float], list[int]]:
    """For each place, the best log-probability of the text before it, and where the last piece began."""
    best = [0.0] + [-math.inf] * length
    last = [0] * (length + 1)
    for start, end, _, score in arcs:
        if best[start] + score > best[end]:
            best[end] = best[start] + score
            last[end] = start
    return best, last


def _round(
    words: Mapping[str, int], log_p: Probabilities, likelihood: list[float], settings: UnigramSettings
) -> UnigramRound:
    expected = dict.fromkeys(log_p, 0.0)
    final = expectation(words, log_p, expected)
    longest = max(map(len, log_p))
    uses: Counter[str] = Counter()
    for word, count in words.items():
        for piece in viterbi(word, log_p, longest)[0]:
            uses[piece] += count
    losses = removal_losses(log_p, uses)
    pieces = sorted(log_p, key=lambda piece: (-log_p[piece], piece))
    keep = max(settings.vocabulary_size, int(settings.keep * len(pieces)))
    stay = set(sorted(pieces, key=lambda piece: (-losses[piece], -log_p[piece], piece))[:keep])
    return UnigramRound(
        pieces=tuple(pieces),
        log_probability=np.array([log_p[piece] for piece in pieces]),
        expected=np.array([expected[piece] for piece in pieces]),
        loss=np.array([losses[piece] for piece in pieces]),
        pruned=np.array([piece not in stay for piece in pieces]),
        negative_log_likelihood=np.array([*likelihood, final]),
        tokens=sum(uses.values()),
    )


def removal_losses(log_p: Probabilities, uses: Mapping[str, int]) -> dict[str, float]:
    r"""What each piece is worth: how many nats the best segmentation loses if all its uses are cut otherwise.

    $$ \mathrm{loss}(x) = \mathrm{uses}(x) \, (\log p(x) - \log p(\text{second-best way to write } x)) $$

    Single characters cannot be cut: their loss is infinite, and they stay.
    """
    longest = max(map(len, log_p))
    losses = {}
    for piece, score in log_p.items():
        if len(piece) == 1:
            losses[piece] = math.inf
            continue
        others = [arc for arc in _arcs(piece, log_p, longest) if arc[2] != piece]
        losses[piece] = uses.get(piece, 0) * (score - _best_way(others, len(piece))[0][-1])
    return losses


def _trace(
    text: str, words: Counter[str], rounds: list[UnigramRound], settings: UnigramSettings
) -> UnigramTrace:
    return UnigramTrace(
        settings=settings,
        rounds=tuple(rounds),
        excerpt=" ".join(text.split()[:_EXCERPT_WORDS]),
        characters=len(text),
        text_bytes=len(text.encode("utf-8")),
        words=sum(words.values()),
        text_words=tuple(words),
        word_count=np.fromiter(words.values(), np.int64, len(words)),
    )


def tokenise(trace: UnigramTrace, text: str, *, round_number: int = -1) -> Tokens:
    """A text in its most probable pieces, with the vocabulary of one round (the last by default)."""
    settings = trace.settings
    words = pretokenise.normalise(text, settings.normalisation, lower=settings.lower).split()
    table = trace.rounds[round_number]
    log_p = dict(zip(table.pieces, table.log_probability.tolist(), strict=True))
    ids = {piece: i for i, piece in enumerate(table.pieces)}
    longest = max(map(len, ids))
    tokens: list[Token] = []
    place = -1  # the space that "▁" stands for; before the first word there is none
    for number, word in enumerate(words):
        for piece in viterbi(SPACE + word, log_p, longest)[0]:
            tokens.append(_token(piece, ids, place, number))
            place += len(piece)
    whole = " ".join(words)
    decoded = "".join(token.written if token.known else "\ufffd" for token in tokens)
    return Tokens(whole, tuple(tokens), decoded.replace(SPACE, " ").removeprefix(" "))


def _token(piece: str, ids: Mapping[str, int], place: int, word: int) -> Token:
    text = piece.replace(SPACE, " ")
    number = ids.get(piece, len(ids))
    start, end = max(0, place), max(0, place + len(piece))
    return Token(number, text, piece, text.encode(), start, end, 0, piece in ids, word)


def excerpt(trace: UnigramTrace, round_number: int = -1) -> Tokens:
    """The beginning of the training text in the pieces of one round."""
    return tokenise(trace, trace.excerpt, round_number=round_number)


def lattice(trace: UnigramTrace, text: str, *, round_number: int = -1) -> Lattice:
    """Every piece that fits into a sentence, and the most probable way through it (Viterbi).

    Places count characters of "▁la▁souris": each word with the "▁" before it.
    """
    check_length(text)
    result = tokenise(trace, text, round_number=round_number)
    table = trace.rounds[round_number]
    log_p = dict(zip(table.pieces, table.log_probability.tolist(), strict=True))
    ids = {piece: i for i, piece in enumerate(table.pieces)}
    longest = max(map(len, ids))
    arcs: list[Arc] = []
    place, so_far = 0, 0.0
    for word in result.text.split():
        word = SPACE + word
        found, _ = _with_unknown(word, log_p, longest)
        best, _ = _best_way(found, len(word))
        chosen = _spans(viterbi(word, log_p, longest)[0])
        for start, end, piece, score in found:
            number = ids.get(piece, len(ids))
            total = so_far + best[start] + score
            taken = (start, end) in chosen
            arcs.append(Arc(place + start, place + end, piece, number, score, total, taken))
        place += len(word)
        so_far += best[len(word)]
    return Lattice(tuple(arcs), so_far, result)


def _spans(pieces: list[str]) -> set[tuple[int, int]]:
    spans, place = set(), 0
    for piece in pieces:
        spans.add((place, place + len(piece)))
        place += len(piece)
    return spans


def curves(trace: UnigramTrace) -> Curves:
    """Compression and use of the vocabulary, round by round."""
    tokens = np.array([one.tokens for one in trace.rounds])
    used = np.array([int((one.expected >= 0.5).sum()) for one in trace.rounds])
    return Curves(
        moment=np.arange(len(trace.rounds)),
        vocabulary=np.array([len(one.pieces) for one in trace.rounds]),
        tokens=tokens,
        characters_per_token=trace.characters / tokens,
        bytes_per_token=trace.text_bytes / tokens,
        tokens_per_word=tokens / trace.words,
        used=used,
    )
