"""What the tokenisation functions return: frozen arrays and words. No torch here.

The heart is :class:`MergeTrace`. For every symbol of the text it stores *which merge* glued it to its right
neighbour (``joined``). That one array holds the whole film of the training: the tokens after ``n`` merges end
wherever ``joined >= n``, so that any moment is as quick to show as any other, forwards and backwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

Algorithm = Literal["bpe", "wordpiece"]
Unit = Literal["characters", "bytes"]
Split = Literal["none", "words", "gpt2", "bert"]
Normalisation = Literal["none", "NFC", "NFD", "NFKC", "NFKD"]
TieBreak = Literal["first", "ids"]
Kind = Literal["bpe", "wordpiece", "unigram", "other"]

UNITS: tuple[Unit, ...] = ("characters", "bytes")
SPLITS: tuple[Split, ...] = ("none", "words", "gpt2")
NORMALISATIONS: tuple[Normalisation, ...] = ("none", "NFC", "NFD", "NFKC", "NFKD")
TIE_BREAKS: tuple[TieBreak, ...] = ("first", "ids")

NEVER = 2**31 - 1
"""In ``joined``: no merge glues this symbol to its right neighbour."""

END_OF_WORD = "</w>"
"""The mark that the last symbol of a word carries when words are split at white space."""

CONTINUATION = "##"
"""What WordPiece writes before a piece that does not begin a word."""


@dataclass(frozen=True, slots=True)
class MergeSettings:
    """How a merge vocabulary is learnt.

    Attributes
    ----------
    algorithm
        ``"bpe"``: the pair seen most often wins. ``"wordpiece"``: the pair whose parts are seen least without
        each other wins.
    unit
        What a text is made of before the first merge: characters, or the bytes of its UTF-8 form.
    split
        Borders that no token crosses. ``"none"``: the slide's mode, spaces are symbols like any other.
        ``"words"``: words at white space, the last symbol of each marked with ``</w>``. ``"gpt2"``: GPT-2's
        pattern, a word takes the space before it along. ``"bert"``: white space and punctuation (WordPiece).
    normalisation, lower
        Unicode normal form and lower case, before anything else.
    vocabulary_size
        Alphabet and merges together; training stops there or when no pair is seen ``min_count`` times.
    min_count
        How often a pair must be seen to be merged.
    tie_break
        Among pairs that are equally good: ``"first"``, the one that comes first in the text; ``"ids"``, the
        one with the smallest ids, left part first (the rule of Hugging Face's trainer).
    """

    algorithm: Algorithm = "bpe"
    unit: Unit = "characters"
    split: Split = "none"
    normalisation: Normalisation = "none"
    lower: bool = False
    vocabulary_size: int = 1000
    min_count: int = 2
    tie_break: TieBreak = "first"


@dataclass(frozen=True, slots=True, eq=False)
class PairLog:
    """How the number of every pair changed, merge by merge.

    A pair of token ids is known by its place in ``left`` and ``right``. The events
    ``offset[n] : offset[n + 1]`` are those of moment ``n`` (0: the first count; ``n``: merge number ``n``).
    """

    left: Int[np.ndarray, " pair"]
    right: Int[np.ndarray, " pair"]
    event_pair: Int[np.ndarray, " event"]
    event_change: Int[np.ndarray, " event"]
    offset: Int[np.ndarray, " moment_and_one"]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class MergeTrace:
    """The whole training of a merge vocabulary (BPE or WordPiece).

    Moment 0 is before the first merge; merge number ``n`` (from 1) leads from moment ``n - 1`` to moment
    ``n`` and makes the token with id ``len(alphabet) + n - 1``. Arrays over ``merge`` have the entry of
    merge number ``n`` at index ``n - 1``.

    Attributes
    ----------
    settings
        As asked for.
    alphabet
        The symbols that merges start from; the index is the token id. Bytes are written with GPT-2's letters.
    alphabet_count
        How often each occurs in the text.
    pairs
        Ids of the two tokens that each merge glues.
    pair_count
        How often the winning pair was seen. Overlapping places all count: ``aaa`` holds two pairs ``a a``.
    formed
        How many tokens the merge made; less than ``pair_count`` only where places overlapped.
    score
        What won: the count for BPE, ``count(ab) / (count(a) count(b))`` for WordPiece.
    runner_up, runner_up_count, runner_up_score
        The second best pair of the same moment; ids -1 where there was none.
    tokens
        Number of tokens of the whole text at each moment, from 0 to the last.
    symbols, joined, word_offset, word_count
        The text, each different word once, in order of first appearance: its symbols; the index of the
        merge that glues a symbol to the next one (``NEVER`` if none); where each word begins; how often it
        occurs.
    excerpt_words
        The beginning of the text as numbers of words, for display.
    log
        Pair counts of every moment.
    characters, text_bytes, words
        Size of the normalised text; ``words`` are separated by white space.
    stopped
        Why training ended: ``"size"`` (the vocabulary is full), ``"count"`` (no pair is seen ``min_count``
        times).
    """

    settings: MergeSettings
    alphabet: tuple[str, ...]
    alphabet_count: Int[np.ndarray, " letter"]
    pairs: Int[np.ndarray, "merge 2"]
    pair_count: Int[np.ndarray, " merge"]
    formed: Int[np.ndarray, " merge"]
    score: Float[np.ndarray, " merge"]
    runner_up: Int[np.ndarray, "merge 2"]
    runner_up_count: Int[np.ndarray, " merge"]
    runner_up_score: Float[np.ndarray, " merge"]
    tokens: Int[np.ndarray, " moment"]
    symbols: Int[np.ndarray, " symbol"]
    joined: Int[np.ndarray, " symbol"]
    word_offset: Int[np.ndarray, " word_and_one"]
    word_count: Int[np.ndarray, " word"]
    excerpt_words: Int[np.ndarray, " place"]
    log: PairLog
    characters: int
    text_bytes: int
    words: int
    stopped: Literal["size", "count"]

    @property
    def merges(self) -> int:
        """Number of merges learnt."""
        return len(self.pairs)

    @property
    def vocabulary_size(self) -> int:
        """Alphabet and merges."""
        return len(self.alphabet) + len(self.pairs)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two neighbouring tokens, how often they stand side by side, and what that is worth."""

    left: int
    right: int
    left_text: str
    right_text: str
    count: int
    score: float


@dataclass(frozen=True, slots=True)
class PairTable:
    """The best pairs of a moment, best first; ``distinct`` counts all different ones."""

    pairs: tuple[Pair, ...]
    distinct: int
    total: int


@dataclass(frozen=True, slots=True)
class Step:
    """Merge number ``n``: the pairs before and after it, who won, and by how much.

    ``tied`` is the number of pairs that were exactly as good as the winner, itself included: 1 means that
    it won outright, more that the tie-break decided. At ``n = 0`` nothing has been merged: ``winner`` is
    None and ``before`` equals ``after``.
    """

    n: int
    before: PairTable
    after: PairTable
    winner: Pair | None
    runner_up: Pair | None
    tied: int
    new_id: int
    new_text: str
    formed: int
    tokens_before: int
    tokens_after: int


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a text.

    Attributes
    ----------
    id
        Its number in the vocabulary.
    text
        As a reader sees it, marks left out: letters where its bytes are whole characters, ``⟨E2 9C⟩`` where
        they are not.
    written
        As the vocabulary writes it (GPT-2's letters for bytes, ``</w>``, ``##``, ``▁``).
    raw
        Its bytes in UTF-8, marks left out.
    start, end
        The characters of the (normalised) text that it touches.
    merge
        Number of the merge that makes it, from 1; 0 for a symbol of the alphabet and for vocabularies
        without merges.
    known
        Whether the vocabulary has it.
    word
        Number of the word or pre-token that it stands in.
    """

    id: int
    text: str
    written: str
    raw: bytes
    start: int
    end: int
    merge: int
    known: bool
    word: int


def readable(raw: bytes) -> str:
    """Bytes as a reader sees them: letters, or ``⟨E2 9C⟩`` where they end in the middle of a character."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return f"⟨{raw.hex(' ').upper()}⟩"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text in tokens. ``text`` is the normalised text that ``start`` and ``end`` count in."""

    text: str
    tokens: tuple[Token, ...]
    decoded: str

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids alone."""
        return tuple(token.id for token in self.tokens)

    @property
    def round_trip(self) -> bool:
        """Whether decoding the ids gives the (normalised) text back, character by character."""
        return self.decoded == self.text


@dataclass(frozen=True, slots=True)
class Firing:
    """One merge at work on a sentence: its number (from 1), parts, places, and the tokens left after it."""

    merge: int
    left: str
    right: str
    made: str
    made_id: int
    places: int
    tokens_after: int


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Every merge that fires on a sentence, in order.

    ``joined`` holds, for each symbol of ``symbols``, the index of the firing that glues it to the next one
    (``NEVER`` if none), as :class:`MergeTrace` does for the whole text.
    """

    symbols: Tokens
    firings: tuple[Firing, ...]
    joined: Int[np.ndarray, " symbol"]
    result: Tokens

    def stage(self, k: int) -> tuple[Token, ...]:
        """The tokens after the first ``k`` firings, 0 to ``len(firings)``."""
        stage: list[Token] = []
        first = 0
        for last, firing in enumerate(self.joined.tolist()):
            if firing >= k:
                stage.append(self._glued(first, last))
                first = last + 1
        return tuple(stage)

    def _glued(self, first: int, last: int) -> Token:
        """The token made of symbols ``first`` to ``last``: the firing that came last within it made it."""
        parts = self.symbols.tokens[first : last + 1]
        if first == last:
            return parts[0]
        firing = self.firings[int(self.joined[first:last].max())]
        raw = b"".join(part.raw for part in parts)
        start, end = parts[0].start, parts[-1].end
        return Token(
            firing.made_id, readable(raw), firing.made, raw, start, end, firing.merge, True, parts[0].word
        )


@dataclass(frozen=True, slots=True)
class MergeTree:
    """How a token came to be: glued from ``parts`` (two trees; none for a symbol, or where the tree is cut).

    ``count`` says how many were formed when its merge fired (of a symbol: how many there were at first).
    """

    id: int
    text: str
    written: str
    merge: int
    count: int
    parts: tuple[MergeTree, ...]

    @property
    def depth(self) -> int:
        """Number of merges from its farthest symbol up to it."""
        return 1 + max(part.depth for part in self.parts) if self.parts else 0


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What a vocabulary buys, at chosen moments of its training.

    Attributes
    ----------
    moment
        Merges done.
    vocabulary
        Size of the vocabulary then (for Unigram it falls as training goes on).
    tokens
        Tokens of the whole text.
    characters_per_token, bytes_per_token, tokens_per_word
        Ratios of the same.
    used
        How many entries of the vocabulary still occur in the text: a part like ``sou`` may be eaten by
        longer tokens.
    """

    moment: Int[np.ndarray, " moment"]
    vocabulary: Int[np.ndarray, " moment"]
    tokens: Int[np.ndarray, " moment"]
    characters_per_token: Float[np.ndarray, " moment"]
    bytes_per_token: Float[np.ndarray, " moment"]
    tokens_per_word: Float[np.ndarray, " moment"]
    used: Int[np.ndarray, " moment"]


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """Tokens by how often they occur, most frequent first, and the straight line through them.

    Zipf's law says that ``count`` falls as ``rank ** -exponent``; ``exponent`` is fitted by least squares
    on the logarithms over the ranks with at least two occurrences, ``level`` is the fitted count at rank 1.
    """

    ids: Int[np.ndarray, " rank"]
    texts: tuple[str, ...]
    count: Int[np.ndarray, " rank"]
    exponent: float
    level: float


@dataclass(frozen=True, slots=True)
class Match:
    """WordPiece at one place of a word: what it tried, longest first, and what it took (None: nothing)."""

    word: int
    start: int
    tried: tuple[str, ...]
    piece: str | None
    id: int


@dataclass(frozen=True, slots=True)
class LongestMatch:
    """WordPiece's way through a sentence: greedy, longest piece first."""

    matches: tuple[Match, ...]
    result: Tokens


@dataclass(frozen=True, slots=True)
class UnigramSettings:
    """How a Unigram vocabulary is learnt: it starts large and is pruned.

    ``vocabulary_size`` counts pieces; single characters always stay. ``seed_size`` pieces of up to
    ``max_length`` characters are tried at first. Each round runs ``em_steps`` of expectation and
    maximisation, then keeps the share ``keep`` of the pieces that are missed most.
    """

    vocabulary_size: int = 300
    seed_size: int = 3000
    max_length: int = 12
    em_steps: int = 2
    keep: float = 0.75
    normalisation: Normalisation = "none"
    lower: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class UnigramRound:
    """One round: the pieces with their probabilities after EM, and who is pruned at its end.

    Attributes
    ----------
    pieces, log_probability
        The vocabulary of this round, most probable first; natural logarithms.
    expected
        How often each piece is expected to occur in the text, over all segmentations (the E step).
    loss
        How many nats the best segmentation of the text gets worse if the piece is taken away (infinite for
        single characters, which always stay).
    pruned
        Who goes at the end of this round.
    negative_log_likelihood
        Of the whole text, in nats, before each EM step and after the last; it never rises.
    tokens
        Tokens of the whole text by the most probable segmentation.
    """

    pieces: tuple[str, ...]
    log_probability: Float[np.ndarray, " piece"]
    expected: Float[np.ndarray, " piece"]
    loss: Float[np.ndarray, " piece"]
    pruned: Bool[np.ndarray, " piece"]
    negative_log_likelihood: Float[np.ndarray, " em"]
    tokens: int


@dataclass(frozen=True, slots=True, eq=False)
class UnigramTrace:
    """The whole training of a Unigram vocabulary; ``rounds[-1]`` is the finished one and prunes nobody."""

    settings: UnigramSettings
    rounds: tuple[UnigramRound, ...]
    excerpt: str
    characters: int
    text_bytes: int
    words: int
    text_words: tuple[str, ...]
    word_count: Int[np.ndarray, " word"]


@dataclass(frozen=True, slots=True)
class Arc:
    """A piece from character ``start`` to ``end``, and the best way through the text that ends with it.

    ``best`` is the log-probability of the best segmentation of the text up to ``end`` that ends with this
    piece; ``chosen`` says whether it lies on the best way of all.
    """

    start: int
    end: int
    piece: str
    id: int
    log_probability: float
    best: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class Lattice:
    """Every piece that fits into a sentence, and the most probable way through (Viterbi)."""

    arcs: tuple[Arc, ...]
    log_probability: float
    result: Tokens


@dataclass(frozen=True, slots=True)
class VocabularyInfo:
    """A real vocabulary that is on this server.

    ``note`` is a message id about it; ``replays`` says whether its merges can be replayed.
    """

    name: str
    title: str
    kind: Kind
    size: int
    note: str
    replays: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One text in one vocabulary: its tokens and what it costs."""

    name: str
    title: str
    kind: Kind
    size: int
    tokens: Tokens
    characters_per_token: float
    bytes_per_token: float
    tokens_per_word: float
    unknown: int


@dataclass(frozen=True, slots=True, eq=False)
class LanguagePrice:
    """The same sentence in two languages, in several vocabularies: token counts and their ratio.

    ``ratio`` is ``second / first``: 1.4 means that the second language pays 40 % more tokens for the same
    thing.
    """

    titles: tuple[str, ...]
    first: Int[np.ndarray, " vocabulary"]
    second: Int[np.ndarray, " vocabulary"]
    ratio: Float[np.ndarray, " vocabulary"]
