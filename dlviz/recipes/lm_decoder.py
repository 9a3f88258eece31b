"""The decoder: GPT-2's architecture, learning to name the next token of the novels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.language.pretokenise import letter_bytes
from dlviz.recipes.lm_data import LANGUAGES, Stream, draw, number, streams
from dlviz.recipes.lm_training import Settings, eager

END = "<|endoftext|>"
_QUICK, _FULL = 8_000, 400_000


class Decoder:
    """The task of `GPT2LMHeadModel`; its batches are windows of the novels, half of each language."""

    def __init__(self, settings: Settings, tokenizer: Tokenizer, folder: Path, data_dir: Path | None) -> None:
        self.settings, self.tokenizer = settings, tokenizer
        self.end = number(tokenizer, END)
        self.train = streams(tokenizer, self.end, folder, "train", data_dir, line="\n")
        self.test = streams(tokenizer, self.end, folder, "test", data_dir, line="\n")

    def network(self) -> nn.Module:
        """A new network, its output tied to its embeddings."""
        from transformers import GPT2Config, GPT2LMHeadModel

        one = self.settings
        config = GPT2Config(
            vocab_size=self.tokenizer.get_vocab_size(),
            n_positions=one.positions,
            n_embd=one.width,
            n_layer=one.layers,
            n_head=one.heads,
            resid_pdrop=one.dropout,
            embd_pdrop=one.dropout,
            attn_pdrop=one.dropout,
            bos_token_id=self.end,
            eos_token_id=self.end,
            activation_function="gelu_pytorch_tanh",  # GPT-2's, in one kernel
            use_cache=False,
        )
        return eager(GPT2LMHeadModel(config))

    def loss(self, network: Any, step: int) -> tuple[Float[Tensor, ""], int]:
        """Mean of $-\\log p(x_t \\mid x_{<t})$ in nats, over windows of a drawn length."""
        rng = np.random.default_rng([self.settings.seed, step])
        length = int(rng.choice(self.settings.lengths))
        tokens = torch.from_numpy(draw(self.train, self.settings.batch_tokens // length, length + 1, rng))
        logits = network(input_ids=tokens[:, :-1]).logits
        return F.cross_entropy(logits.flatten(0, 1).float(), tokens[:, 1:].flatten()), tokens[:, 1:].numel()

    def quick(self, network: Any) -> dict[str, float]:
        """Perplexity a token in each language."""
        found = {language: self.measure(network, language, _QUICK) for language in LANGUAGES}
        return {f"perplexity_{language}": values["perplexity"] for language, values in found.items()}

    def full(self, network: Any) -> dict[str, Any]:
        """Perplexity a token and bits a character in each language, on the held-out novels."""
        measured: dict[str, Any] = {}
        for language in LANGUAGES:
            for name, value in self.measure(network, language, _FULL).items():
                measured[f"{name}_{language}"] = value
        return measured

    @torch.no_grad()
    def measure(self, network: Any, language: str, limit: int) -> dict[str, float]:
        r"""How well held-out novels are told ahead; of each novel as much as of the others, from its beginning.

        Each token is told from at least half as many as the network reads at most. Perplexity is
        $\exp(\frac{1}{T} \sum_t -\log p(x_t \mid x_{<t}))$; bits a character is the same sum in bits, over the
        characters of these tokens, and can be compared between tokenizers.
        """
        characters = torch.from_numpy(character_counts(self.tokenizer))
        nats, letters, count = 0.0, 0, 0
        half = self.settings.positions // 2
        for windows in _windows(books(self.test[language], self.end, limit // 5), half):
            logits = network(input_ids=windows[:, :-1]).logits[:, half - 1 :]
            told = windows[:, half:]
            nats += float(F.cross_entropy(logits.flatten(0, 1).float(), told.flatten(), reduction="sum"))
            letters += int(characters[told].sum())
            count += told.numel()
        return {
            "perplexity": round(math.exp(nats / max(count, 1)), 3),
            "bits_per_character": round(nats / math.log(2) / max(letters, 1), 4),
            "test_tokens": count,
        }


def books(stream: Stream, end: int, limit: int) -> Iterator[np.ndarray]:
    """The first tokens of each novel of a stream."""
    last = -1
    for place in np.flatnonzero(np.asarray(stream.tokens) == end):
        yield np.asarray(stream.tokens[last + 1 : min(place, last + 1 + limit)])
        last = int(place)


def _windows(texts: Iterator[np.ndarray], half: int, rows: int = 16) -> Iterator[Int64[Tensor, "row window"]]:
    """Windows of twice `half` tokens, each shifted by `half` against the one before."""
    for text in texts:
        places = range(0, len(text) - 2 * half + 1, half)
        cut = [torch.from_numpy(text[place : place + 2 * half].astype(np.int64)) for place in places]
        for first in range(0, len(cut), rows):
            yield torch.stack(cut[first : first + rows])


def character_counts(tokenizer: Tokenizer) -> Int64[np.ndarray, " entry"]:
    """How many characters begin in each entry of a byte-level vocabulary: its bytes that continue none."""
    table = letter_bytes()
    counts = np.zeros(tokenizer.get_vocab_size(), np.int64)
    for written, place in tokenizer.get_vocab().items():
        if written != END:
            counts[place] = sum(table[letter] & 0xC0 != 0x80 for letter in written)
    return counts
