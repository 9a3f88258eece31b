"""The encoder: BERT's architecture, learning to fill in the words that were hidden from it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.recipes.lm_data import LANGUAGES, Stream, draw, number, streams
from dlviz.recipes.lm_training import Settings, eager

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_HIDDEN = 0.15
_QUICK, _FULL, _PARAGRAPHS = 64, 1_000, 150
_LENGTH = 128
_LONGEST = 48


class Encoder:
    """The task of `BertForMaskedLM`; a batch is windows of the novels behind a `[CLS]`, paragraphs ended by `[SEP]`."""

    def __init__(self, settings: Settings, tokenizer: Tokenizer, folder: Path, data_dir: Path | None) -> None:
        self.settings, self.tokenizer = settings, tokenizer
        self.first, self.end, self.mask = (number(tokenizer, mark) for mark in ("[CLS]", "[SEP]", "[MASK]"))
        self.ordinary = 1 + max(number(tokenizer, mark) for mark in MARKS)
        self.train = streams(tokenizer, self.end, folder, "train", data_dir)
        self.test = streams(tokenizer, self.end, folder, "test", data_dir)

    def network(self) -> nn.Module:
        """A new network, its output tied to its embeddings."""
        from transformers import BertConfig, BertForMaskedLM

        one = self.settings
        config = BertConfig(
            vocab_size=self.tokenizer.get_vocab_size(),
            hidden_size=one.width,
            num_hidden_layers=one.layers,
            num_attention_heads=one.heads,
            intermediate_size=4 * one.width,
            hidden_dropout_prob=one.dropout,
            attention_probs_dropout_prob=one.dropout,
            max_position_embeddings=one.positions,
            type_vocab_size=1,
            pad_token_id=number(self.tokenizer, "[PAD]"),
        )
        return eager(BertForMaskedLM(config))

    def loss(self, network: Any, step: int) -> tuple[Float[Tensor, ""], int]:
        """Mean of $-\\log p(x_t \\mid \\text{what is left})$ over the chosen places, in nats.

        Of these, 80 % are hidden behind `[MASK]`, 10 % are replaced by any other token, and 10 % are left as they
        are (Devlin et al. 2019): the network cannot know which tokens it may trust.
        """
        one = self.settings
        rng = np.random.default_rng([one.seed, step])
        length = int(rng.choice(one.lengths))
        rows = self._framed(draw(self.train, one.batch_tokens // length, length - 1, rng))
        chosen = (rng.random(rows.shape) < one.masked_share) & (rows >= self.ordinary)
        fate = rng.random(rows.shape)
        shown = np.where(chosen & (fate < 0.8), self.mask, rows)
        strangers = rng.integers(self.ordinary, self.tokenizer.get_vocab_size(), rows.shape)
        shown = np.where(chosen & (fate >= 0.9), strangers, shown)
        logits = self._logits(network, torch.from_numpy(shown), torch.from_numpy(chosen))
        return F.cross_entropy(logits.float(), torch.from_numpy(rows[chosen])), rows.size

    def _framed(self, windows: Int64[np.ndarray, "row length"]) -> Int64[np.ndarray, "row length+1"]:
        return np.pad(windows, ((0, 0), (1, 0)), constant_values=self.first)

    @staticmethod
    def _logits(
        network: Any, shown: Int64[Tensor, "row place"], chosen: Bool[Tensor, "row place"]
    ) -> Float[Tensor, "chosen entry"]:
        """The output layer at the chosen places only: most of the network's work would be lost at the others."""
        hidden = network.bert(input_ids=shown).last_hidden_state
        return network.cls(hidden[chosen])

    def quick(self, network: Any) -> dict[str, float]:
        """Share of hidden tokens that are named rightly, in each language."""
        return {
            f"masked_accuracy_{language}": self.fill_in(network, language, _QUICK)["masked_accuracy"]
            for language in LANGUAGES
        }

    def full(self, network: Any) -> dict[str, Any]:
        """Fill-in accuracy and pseudo-perplexity in each language, on the held-out novels."""
        measured: dict[str, Any] = {}
        for language in LANGUAGES:
            found = {**self.fill_in(network, language, _FULL), **self.pseudo_perplexity(network, language)}
            measured |= {f"{name}_{language}": value for name, value in found.items()}
        return measured

    @torch.no_grad()
    def fill_in(self, network: Any, language: str, count: int) -> dict[str, float]:
        """Of 15 % hidden tokens, all behind `[MASK]`: how many are the first answer, or among the first five."""
        rng = np.random.default_rng(self.settings.seed)
        rows = self._framed(_spread(self.test[language], count, _LENGTH - 1))
        hidden = (rng.random(rows.shape) < _HIDDEN) & (rows >= self.ordinary)
        first, five, asked = 0, 0, 0
        for start in range(0, len(rows), 32):
            part, gone = rows[start : start + 32], hidden[start : start + 32]
            shown = torch.from_numpy(np.where(gone, self.mask, part))
            best = self._logits(network, shown, torch.from_numpy(gone)).topk(5).indices
            right = best == torch.from_numpy(part[gone])[:, None]
            first += int(right[:, 0].sum())
            five += int(right.any(1).sum())
            asked += len(right)
        return {
            "masked_accuracy": round(first / max(asked, 1), 4),
            "masked_among_five": round(five / max(asked, 1), 4),
            "masked_tokens": asked,
        }

    @torch.no_grad()
    def pseudo_perplexity(self, network: Any, language: str) -> dict[str, float]:
        r"""Each token hidden alone: $\exp(-\frac{1}{T} \sum_t \log p(x_t \mid x_{\setminus t}))$ (Salazar et al. 2020)."""
        nats, count = 0.0, 0
        for text in self._paragraphs(self.test[language]):
            whole = torch.from_numpy(np.array([self.first, *text, self.end], np.int64))
            places = torch.arange(1, len(whole) - 1)
            rows = whole.repeat(len(places), 1)
            chosen = F.one_hot(places, len(whole)).bool()
            rows[chosen] = self.mask
            logits = self._logits(network, rows, chosen)
            nats += float(F.cross_entropy(logits.float(), whole[places], reduction="sum"))
            count += len(places)
        return {"pseudo_perplexity": round(math.exp(nats / max(count, 1)), 3), "pseudo_tokens": count}

    def _paragraphs(self, stream: Stream) -> list[np.ndarray]:
        """Short paragraphs spread over the held-out novels."""
        ends = np.append(stream.starts[1:], len(stream.tokens)) - 1
        lengths = ends - stream.starts
        fitting = np.flatnonzero((lengths >= 8) & (lengths <= _LONGEST))
        chosen = fitting[np.linspace(0, len(fitting) - 1, min(_PARAGRAPHS, len(fitting))).astype(int)]
        return [np.asarray(stream.tokens[stream.starts[i] : ends[i]]) for i in chosen]


def _spread(stream: Stream, count: int, length: int) -> Int64[np.ndarray, "row length"]:
    """Windows at equal distances through a stream."""
    places = np.linspace(0, max(0, len(stream.tokens) - length - 1), count).astype(int)
    return np.stack([stream.tokens[place : place + length] for place in places]).astype(np.int64)
