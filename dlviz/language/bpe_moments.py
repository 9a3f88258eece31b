"""Any moment of a training: pair counts, tokens of the text, merge trees, frequencies, curves.

Nothing is trained again and nothing is stored for every moment: each answer is one pass over the trace's
arrays.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
from jaxtyping import Int, Num

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import pretokenise
from dlviz.language.results import (
    CONTINUATION,
    END_OF_WORD,
    Curves,
    Frequencies,
    MergeSettings,
    MergeTrace,
    MergeTree,
    Pair,
    PairTable,
    Step,
    Token,
    Tokens,
    readable,
)

EXCERPT_CHARACTERS = 3000
LONGEST_SHOWN = 200
LARGEST_TREE = 250
SEARCHED_SYMBOLS = 200_000
"""How far the first place of a pair is searched, so that the answer stays quick for 10 MB."""

LOWERED = 6
"""How often the bar for the best pairs is lowered before all are looked at."""

_WRITTEN: weakref.WeakKeyDictionary[MergeTrace, tuple[str, ...]] = weakref.WeakKeyDictionary()
_SHOWN: weakref.WeakKeyDictionary[MergeTrace, tuple[str, ...]] = weakref.WeakKeyDictionary()
_CONTINUATION_BYTES = bytes(range(0x80, 0xC0))


def written_tokens(trace: MergeTrace) -> tuple[str, ...]:
    """Every token as the vocabulary writes it, by id: the alphabet, then what each merge makes."""
    known = _WRITTEN.get(trace)
    if known is None:
        tokens = list(trace.alphabet)
        wordpiece = trace.settings.algorithm == "wordpiece"
        for left, right in trace.pairs.tolist():
            tokens.append(
                tokens[left] + (tokens[right].removeprefix(CONTINUATION) if wordpiece else tokens[right])
            )
        known = _WRITTEN[trace] = tuple(tokens)
    return known


def raw(written: str, settings: MergeSettings) -> bytes:
    """The bytes of a token, its marks left out."""
    if settings.split == "words":
        written = written.removesuffix(END_OF_WORD)
    if settings.split == "bert":
        written = written.removeprefix(CONTINUATION)
    if settings.unit == "bytes":
        return bytes(pretokenise.letter_bytes()[letter] for letter in written)
    return written.encode("utf-8")


def shown(written: str, settings: MergeSettings) -> str:
    """A token as a reader sees it: letters instead of bytes where they are whole characters; marks stay.

    Merges of a text that repeats itself make tokens as long as the text: beyond 200 characters they are cut.
    """
    if settings.unit == "bytes":
        mark = END_OF_WORD if settings.split == "words" and written.endswith(END_OF_WORD) else ""
        written = readable(raw(written, settings)) + mark
    return written if len(written) <= LONGEST_SHOWN else written[:LONGEST_SHOWN] + "…"


def shown_tokens(trace: MergeTrace) -> tuple[str, ...]:
    """Every token as a reader sees it, by id."""
    known = _SHOWN.get(trace)
    if known is None:
        known = _SHOWN[trace] = tuple(shown(token, trace.settings) for token in written_tokens(trace))
    return known


def step(trace: MergeTrace, n: int, *, top: int = 20) -> Step:
    """Merge number ``n``, with the ``top`` best pairs before and after it.

    Parameters
    ----------
    n
        0 (nothing merged yet) to ``trace.merges``.
    """
    _check_moment(trace, n)
    return next(steps_between(trace, n, n, top=top))


def steps_between(trace: MergeTrace, first: int, last: int, *, top: int = 20) -> Iterator[Step]:
    """The merges ``first`` to ``last`` (0 to ``trace.merges``), each as :func:`step` gives it.

    All changes up to the first are summed once; from there on each moment is the one before and the changes
    of one merge, so that a look at neighbouring moments costs little more than a look at one.
    """
    counts = _counts(trace, max(0, first - 1))
    table = _table(trace, max(0, first - 1), counts, top)
    for n in range(first, last + 1):
        if n == 0:
            tokens = int(trace.tokens[0])
            yield Step(0, table, table, None, None, 0, -1, "", 0, tokens, tokens)
            continue
        before, tied = table, _ties(trace, n, counts)
        changed = slice(*trace.log.offset[n : n + 2].tolist())
        counts[trace.log.event_pair[changed]] += trace.log.event_change[changed]
        table = _table(trace, n, counts, top)
        yield _step(trace, n, before, table, tied)


def _step(trace: MergeTrace, n: int, before: PairTable, after: PairTable, tied: int) -> Step:
    new = len(trace.alphabet) + n - 1
    return Step(
        n,
        before,
        after,
        _winner(trace, n),
        _runner_up(trace, n),
        tied,
        new,
        shown_tokens(trace)[new],
        int(trace.formed[n - 1]),
        int(trace.tokens[n - 1]),
        int(trace.tokens[n]),
    )


def _check_moment(trace: MergeTrace, n: int) -> None:
    if not 0 <= n <= trace.merges:
        raise Refused(N_("There is no merge number {n}: this training has {count}."), n=n, count=trace.merges)


def _counts(trace: MergeTrace, n: int) -> Int[np.ndarray, " pair"]:
    """The count of every pair at moment ``n``: the sum of all its changes so far."""
    end = int(trace.log.offset[n + 1])
    changes = trace.log.event_change[:end]
    counts = np.bincount(trace.log.event_pair[:end], weights=changes, minlength=len(trace.log.left))
    return counts.astype(np.int32)


def _scores(trace: MergeTrace, n: int, counts: np.ndarray) -> Num[np.ndarray, " pair"]:
    if trace.settings.algorithm == "bpe":
        return counts
    seen = token_counts(trace, n)
    room = np.zeros(trace.vocabulary_size)
    room[: len(seen)] = seen
    parts = room[trace.log.left] * room[trace.log.right]
    return np.divide(counts, parts, out=np.zeros(len(counts)), where=(counts > 0) & (parts > 0))


def _order(trace: MergeTrace, n: int, counts: np.ndarray, scores: np.ndarray, top: int) -> list[int]:
    """The best ``top`` pairs, best first; equals in the order of the tie-break."""
    least = trace.settings.min_count if trace.settings.algorithm == "wordpiece" else 1
    fit = _leaders(scores if least == 1 else np.where(counts >= least, scores, 0), top)
    if len(fit) > top:
        fit = fit[scores[fit] >= np.partition(scores[fit], -top)[-top]]
    ids = (trace.log.left[fit].astype(np.int64) << 32) | trace.log.right[fit]
    keys = [ids, -scores[fit]]
    if trace.settings.tie_break == "first":
        keys.insert(1, _first_places(trace, n, ids))
    best: list[int] = fit[np.lexsort(keys)][:top].tolist()
    return best


def _leaders(scores: Num[np.ndarray, " pair"], top: int) -> Int[np.ndarray, " pair"]:
    """At least the ``top`` best pairs: a bar is lowered until enough clear it.

    A training of 10 MB ends with a million pairs, and nearly all of them are seen a few times only: a look at
    the few above the bar takes a tenth of the time of a partition of them all.
    """
    bar = scores.max(initial=0) / 2
    for _ in range(LOWERED):
        clear = np.flatnonzero(scores >= bar)
        if len(clear) >= top and bar > 0:
            return clear
        bar /= 4
    return np.flatnonzero(scores > 0)


def _first_places(trace: MergeTrace, n: int, pairs: Int[np.ndarray, " pair"]) -> Int[np.ndarray, " pair"]:
    """Where each pair (left id in the upper 32 bits, right id in the lower) first stands at moment ``n``.

    Only the beginning of a long text is searched; what does not occur there comes after all that does.
    """
    last = min(len(trace.symbols), SEARCHED_SYMBOLS)
    ids, ends = _spans(trace, 0, last, n)
    border = np.zeros(last + 1, bool)
    border[trace.word_offset[: np.searchsorted(trace.word_offset, last, side="right")]] = True
    inside = ~border[ends[:-1] + 1]
    here = ((ids[:-1] << 32) | ids[1:])[inside]
    # Few pairs are asked for, many stand there: those that are asked for are sorted, not those that stand there.
    asked = np.sort(pairs)
    which = np.searchsorted(asked, here).clip(max=max(0, len(asked) - 1))
    found = np.flatnonzero(asked[which] == here)[::-1] if len(asked) else np.empty(0, np.int64)
    first = np.full(len(asked), last)
    first[which[found]] = found  # backwards, so that the earliest place is written last
    return first[np.searchsorted(asked, pairs)]


def _table(trace: MergeTrace, n: int, counts: np.ndarray, top: int) -> PairTable:
    scores = _scores(trace, n, counts)
    best = _order(trace, n, counts, scores, top)
    if n < trace.merges:
        best = _winner_first(trace, n, best)
    left, right = trace.log.left, trace.log.right
    pairs = tuple(_pair(trace, int(left[i]), int(right[i]), counts[i], scores[i]) for i in best)
    return PairTable(pairs, int(np.count_nonzero(counts > 0)), int(counts.sum()))


def _winner_first(trace: MergeTrace, n: int, best: list[int]) -> list[int]:
    """Put the pair that wins next, and its runner-up, at the head: training knows the full tie-break."""
    heads = [tuple(trace.pairs[n].tolist()), tuple(trace.runner_up[n].tolist())]
    known = {(int(trace.log.left[i]), int(trace.log.right[i])): i for i in best}
    first = [known[head] if head in known else _number(trace, head) for head in heads if head[0] >= 0]
    return (first + [i for i in best if i not in first])[: max(len(best), 1)]


def _number(trace: MergeTrace, pair: tuple[int, int]) -> int:
    return int(np.flatnonzero((trace.log.left == pair[0]) & (trace.log.right == pair[1]))[0])


def _pair(trace: MergeTrace, left: int, right: int, count: float, score: float) -> Pair:
    texts = shown_tokens(trace)
    return Pair(left, right, texts[left], texts[right], int(count), float(score))


def _winner(trace: MergeTrace, n: int) -> Pair:
    left, right = trace.pairs[n - 1].tolist()
    return _pair(trace, left, right, trace.pair_count[n - 1], trace.score[n - 1])


def _runner_up(trace: MergeTrace, n: int) -> Pair | None:
    left, right = trace.runner_up[n - 1].tolist()
    if left < 0:
        return None
    return _pair(trace, left, right, trace.runner_up_count[n - 1], trace.runner_up_score[n - 1])


def _ties(trace: MergeTrace, n: int, counts: np.ndarray) -> int:
    """How many pairs were exactly as good as the winner of merge ``n``; counts are those before it."""
    if trace.settings.algorithm == "bpe":
        return int(np.count_nonzero(counts == trace.pair_count[n - 1]))
    best = _scores(trace, n - 1, counts) == trace.score[n - 1]
    return int((best & (counts >= trace.settings.min_count)).sum())


def excerpt(trace: MergeTrace, n: int, *, characters: int = EXCERPT_CHARACTERS) -> Tokens:
    """The beginning of the training text in tokens, after ``n`` merges.

    Where words are split at white space, one space stands for whatever stood between two words.
    """
    _check_moment(trace, n)
    written = written_tokens(trace)
    gap = " " if trace.settings.split in ("words", "bert") else ""
    tokens: list[Token] = []
    text: list[str] = []
    place = 0
    for number, word in enumerate(trace.excerpt_words.tolist()):
        if place >= characters:
            break
        if number and gap:
            text.append(gap)
            place += 1
        ids = word_tokens(trace, word, n, limit=4 * (characters - place))
        found = placed(ids, written, trace, place, number)
        tokens += [token for token in found if token.start < characters]
        text.append(b"".join(raw(written[i], trace.settings) for i in ids).decode("utf-8", "ignore"))
        place += len(text[-1])
    last = min(max((token.end for token in tokens), default=0), 4 * characters)
    whole = "".join(text)[:last]
    return Tokens(whole, tuple(tokens), whole)


def word_tokens(trace: MergeTrace, word: int, n: int, *, limit: int | None = None) -> list[int]:
    """Ids of the tokens of one word after ``n`` merges (of its first ``limit`` symbols, if given).

    A token is as old as the latest merge inside it, so its id follows from ``joined``.
    """
    start, end = int(trace.word_offset[word]), int(trace.word_offset[word + 1])
    if limit is not None and start + limit < end:
        # To the end of the token that the limit falls into.
        end = start + limit + int(np.argmax(trace.joined[start + limit - 1 : end] >= n))
    ids: list[int] = _spans(trace, start, end, n)[0].tolist()
    return ids


def _spans(trace: MergeTrace, start: int, end: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Ids of the tokens of symbols ``start`` to ``end`` at moment ``n``, and the last symbol of each."""
    joined = trace.joined[start:end]
    ends = np.flatnonzero(joined >= n)
    if not len(ends):
        return ends, ends
    starts = np.concatenate([[0], ends[:-1] + 1])
    latest = np.maximum.reduceat(np.where(joined < n, joined, -1), starts)
    ids = np.where(latest >= 0, len(trace.alphabet) + latest, trace.symbols[start:end][starts])
    return ids.astype(np.int64), ends


def placed(ids: list[int], written: tuple[str, ...], trace: MergeTrace, place: int, word: int) -> list[Token]:
    """Tokens with the characters they touch, counted from ``place``; bytes of one character share it."""
    tokens = []
    alphabet = len(trace.alphabet)
    for i in ids:
        data = raw(written[i], trace.settings)
        begins = len(data.translate(None, _CONTINUATION_BYTES))
        start = place if data and data[0] & 0xC0 != 0x80 else place - 1
        place += begins
        merge = max(0, i - alphabet + 1)
        text = readable(data)
        text = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…"
        tokens.append(Token(i, text, written[i], data, start, place, merge, True, word))
    return tokens


def tree(trace: MergeTrace, token: int, *, nodes: int = LARGEST_TREE) -> MergeTree:
    """How a token came to be: its two parts, their parts, down to the alphabet.

    At most about ``nodes`` nodes are drawn, the upper ones: a merge of a merge of a merge doubles a tree
    each time. Where it is cut, a tree without parts has a ``merge`` all the same.
    """
    if not 0 <= token < trace.vocabulary_size:
        raise Refused(N_("There is no token number {id} in this vocabulary."), id=token)
    alphabet = len(trace.alphabet)
    ids, parts = [token], [(0, 0)]
    for at, i in enumerate(ids):  # grows while it is read: breadth first
        if i >= alphabet and len(ids) < nodes:
            parts[at] = (len(ids), len(ids) + 1)
            ids += trace.pairs[i - alphabet].tolist()
            parts += [(0, 0), (0, 0)]
    trees: list[MergeTree] = [_node(trace, i, ()) for i in ids]
    for at in reversed(range(len(ids))):
        left, right = parts[at]
        if left:
            trees[at] = _node(trace, ids[at], (trees[left], trees[right]))
    return trees[0]


def _node(trace: MergeTrace, token: int, parts: tuple[MergeTree, ...]) -> MergeTree:
    merge = max(0, token - len(trace.alphabet) + 1)
    count = trace.formed[merge - 1] if merge else trace.alphabet_count[token]
    text, written = shown_tokens(trace)[token], written_tokens(trace)[token]
    return MergeTree(token, text, written, merge, int(count), parts)


def token_counts(trace: MergeTrace, n: int) -> Int[np.ndarray, " token"]:
    """How often each token occurs in the whole text after ``n`` merges.

    What its own merge formed, less what later merges took of it: no pass over the text is needed.
    """
    alphabet = len(trace.alphabet)
    counts = np.concatenate([trace.alphabet_count, trace.formed[:n]])
    taken = np.bincount(
        trace.pairs[:n].ravel(), weights=np.repeat(trace.formed[:n], 2), minlength=alphabet + n
    )
    return counts - taken.astype(np.int64)


def frequencies(trace: MergeTrace, n: int) -> Frequencies:
    """Tokens of the text after ``n`` merges, most frequent first, and Zipf's exponent.

    $$ \\mathrm{count}(r) \\approx \\mathrm{level} \\cdot r^{-\\mathrm{exponent}} $$
    """
    _check_moment(trace, n)
    counts = token_counts(trace, n)
    ids = np.flatnonzero(counts)
    ids = ids[np.argsort(-counts[ids], kind="stable")]
    count = counts[ids]
    fitted = count >= 2
    exponent, level = 0.0, float(count[0])
    if fitted.sum() >= 2:
        slope, height = np.polyfit(np.log(np.arange(1, fitted.sum() + 1)), np.log(count[fitted]), 1)
        exponent, level = float(-slope), float(np.exp(height))
    texts = shown_tokens(trace)
    return Frequencies(ids, tuple(texts[i] for i in ids.tolist()), count, exponent, level)


def curves(trace: MergeTrace, *, points: int = 60) -> Curves:
    """Compression and use of the vocabulary at up to ``points`` moments, close together at the beginning."""
    moments = np.unique(np.geomspace(1, trace.merges + 1, points).round().astype(np.int64)) - 1
    tokens = trace.tokens[moments]
    used = np.array([np.count_nonzero(token_counts(trace, n)) for n in moments.tolist()])
    return Curves(
        moments,
        len(trace.alphabet) + moments,
        tokens,
        trace.characters / tokens,
        trace.text_bytes / tokens,
        tokens / max(1, trace.words),
        used,
    )
