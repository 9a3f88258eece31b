"""How fast a vocabulary is learnt: dlviz, Hugging Face's trainer and minbpe's algorithm, in one run.

Run with ``python -m benchmarks.bpe`` (options: ``--sizes 1 4 10``, ``--seed 0``). The text is taken from
the novels of ``DLVIZ_DATA_DIR`` where they are, else made of pseudo-words whose frequencies follow Zipf's
law. minbpe is not a package, so its ``RegexTokenizer.train`` is restated here, with its way of counting; it
is given few merges, because each of them passes over the whole text, and its time is reported for one
merge.

The GPT-2 pre-tokeniser with bytes throughout; merges of dlviz and Hugging Face are compared one by one.
"""

from __future__ import annotations

import argparse
import json
import lzma
import resource
import time
from collections.abc import Callable
from itertools import pairwise
from typing import TypeVar

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from dlviz.language import bpe, pretokenise
from dlviz.language.results import MergeSettings, MergeTrace
from dlviz.settings import settings

T = TypeVar("T")


def pseudo_text(characters: int, seed: int) -> str:
    """Words of random syllables, each drawn with a probability in proportion to 1 / rank."""
    random = np.random.default_rng(seed)
    syllables = [
        c + v + e for c in "bcdfglmnprstv" for v in ("a", "e", "i", "o", "ou", "é") for e in ("", "r", "s")
    ]
    lengths = random.integers(1, 5, 60_000)
    words = ["".join(random.choice(syllables, n)) for n in lengths]
    chance = 1 / np.arange(1, len(words) + 1)
    count = characters // 4
    ends = random.choice(["", "", "", "", "", ",", ".", ".\n"], count)
    drawn = random.choice(len(words), count, p=chance / chance.sum())
    return " ".join(words[w] + end for w, end in zip(drawn.tolist(), ends.tolist(), strict=True))[:characters]


def corpus(characters: int, seed: int) -> tuple[str, str]:
    """The text and what it is."""
    folder = settings().data_dir
    path = folder / "eltec" / "eltec_fra.txt.xz" if folder else None
    if path is not None and path.is_file():
        with lzma.open(path, "rt", encoding="utf-8") as file:
            return file.read(characters), "French novels"
    return pseudo_text(characters, seed), f"pseudo-words, seed {seed}"


def ours(text: str, merges: int) -> MergeTrace:
    choices = MergeSettings(unit="bytes", split="gpt2", vocabulary_size=256 + merges, tie_break="ids")
    return bpe.train(text, choices)


def huggingface(text: str, merges: int) -> list[list[str]]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=256 + merges,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # In parts, so that its threads can share the work; cut where no token crosses.
    tokenizer.train_from_iterator(pretokenise.chunks(text), trainer)
    learnt: list[list[str]] = json.loads(tokenizer.to_str())["model"]["merges"]
    return learnt


def minbpe(text: str, merges: int) -> list[tuple[int, int]]:
    """minbpe's ``RegexTokenizer.train`` (Karpathy 2024): every merge counts and rebuilds all chunks."""
    chunks = [list(piece.encode("utf-8")) for piece in pretokenise.pieces(text, "gpt2")]
    learnt = []
    for number in range(merges):
        stats: dict[tuple[int, int], int] = {}
        for ids in chunks:
            for pair in pairwise(ids):
                stats[pair] = stats.get(pair, 0) + 1
        best = max(stats, key=stats.__getitem__)
        chunks = [_merge(ids, best, 256 + number) for ids in chunks]
        learnt.append(best)
    return learnt


def _merge(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    merged, i = [], 0
    while i < len(ids):
        if ids[i] == pair[0] and i < len(ids) - 1 and ids[i + 1] == pair[1]:
            merged.append(new)
            i += 2
        else:
            merged.append(ids[i])
            i += 1
    return merged


def timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def timed_on_cpu(work: Callable[[], T]) -> tuple[T, float, float]:
    """The result, seconds by the clock, and seconds of all cores together (steadier on a busy machine)."""
    before = time.process_time()
    result, seconds = timed(work)
    return result, seconds, time.process_time() - before


def same(trace: MergeTrace, theirs: list[list[str]]) -> bool:
    written = bpe.written_tokens(trace)
    return [[written[a], written[b]] for a, b in trace.pairs.tolist()] == theirs


def slowest_answer(trace: MergeTrace) -> float:
    """Milliseconds of the slowest answer while stepping: pairs, tokens of the excerpt, frequencies, tree."""
    slowest = 0.0
    for n in np.linspace(0, trace.merges, 9).astype(int).tolist():
        newest = len(trace.alphabet) + max(0, n - 1)
        for answer in (
            lambda n=n: bpe.step(trace, n),
            lambda n=n: bpe.excerpt(trace, n),
            lambda n=n: bpe.frequencies(trace, n),
            lambda newest=newest: bpe.tree(trace, newest),
        ):
            slowest = max(slowest, timed(answer)[1])
    return slowest * 1000


def train_row(text: str, merges: int) -> str:
    trace, our_time, our_cpu = timed_on_cpu(lambda: ours(text, merges))
    theirs, their_time, their_cpu = timed_on_cpu(lambda: huggingface(text, merges))
    equal = "equal" if same(trace, theirs) else "DIFFERENT"
    return (
        f"{len(text) / 1e6:3.0f} MB {merges:6,} merges: dlviz {our_time:6.2f} s (CPU {our_cpu:6.2f}), "
        f"HF {their_time:6.2f} s (CPU {their_cpu:6.2f}), dlviz/HF {our_time / their_time:5.2f}, "
        f"merges {equal}, slowest answer {slowest_answer(trace):.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 4, 10], help="millions of characters")
    parser.add_argument(
        "--naive-sizes", type=int, nargs="*", default=[1, 4], help="sizes for minbpe's algorithm"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    text, what = corpus(max(options.sizes) * 10**6, options.seed)
    print(f"Text: {what}. Pre-tokeniser of GPT-2, bytes, ties by smallest ids.")
    timed(lambda: ours(text[:100_000], 50))
    for size in options.sizes:
        for merges in (1000, 8000):
            print(train_row(text[: size * 10**6], merges), flush=True)
    print("minbpe's algorithm, 3 merges, seconds a merge (dlviz: all 1,000 merges, divided):")
    for size in options.naive_sizes:
        part = text[: size * 10**6]
        (_, naive_time), (_, our_time) = (
            timed(lambda p=part: minbpe(p, 3)),
            timed(lambda p=part: ours(p, 1000)),
        )
        print(
            f"{size:5d} MB   minbpe {naive_time / 3:6.2f} s   dlviz {our_time / 1000:9.5f} s   "
            f"minbpe/dlviz {naive_time / 3 / (our_time / 1000):8.0f}",
            flush=True,
        )
    one_word = text[: max(options.sizes) * 10**6]
    trace, seconds = timed(lambda: bpe.train(one_word, MergeSettings(vocabulary_size=1000)))
    print(
        f"The slide's mode, {len(one_word) / 1e6:.0f} MB in one word, {trace.merges} merges: {seconds:.1f} s, "
        f"slowest answer {slowest_answer(trace):.0f} ms"
    )
    print(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
