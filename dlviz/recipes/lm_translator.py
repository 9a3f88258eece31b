"""The translator: Marian's encoder and decoder, from English to French."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F

from dlviz.recipes.lm_data import number
from dlviz.recipes.lm_training import Settings, eager
from dlviz.zoo.texts_data import sentence_pairs

_QUICK = 200
_BEAMS = 4
_LONGEST = 60
_IGNORED = -100


class Translator:
    """The task of `MarianMTModel` on Tatoeba's pairs; an epoch is a number of steps, not a pass over all pairs."""

    def __init__(self, settings: Settings, tokenizer: Tokenizer, folder: Path, data_dir: Path | None) -> None:
        self.settings, self.tokenizer = settings, tokenizer
        self.pad, self.end = number(tokenizer, "<pad>"), number(tokenizer, "</s>")
        pairs = sentence_pairs("train", data_dir)
        sides = [[one.ids for one in tokenizer.encode_batch(list(side))] for side in zip(*pairs, strict=True)]
        fitting = [(a, b) for a, b in zip(*sides, strict=True) if max(len(a), len(b)) <= _LONGEST]
        # Pairs of like length make batches with little padding; the file's own order would put like sentences together.
        random.Random(settings.seed).shuffle(fitting)
        self.pairs = sorted(fitting, key=lambda pair: (len(pair[1]), len(pair[0])))
        self.sizes = np.array([max(len(a), len(b)) for a, b in self.pairs])
        self.test = references(sentence_pairs("test", data_dir))

    def network(self) -> nn.Module:
        """A new network; one table of embeddings for both languages and for the output."""
        from transformers import MarianConfig, MarianMTModel

        one = self.settings
        config = MarianConfig(
            vocab_size=self.tokenizer.get_vocab_size(),
            d_model=one.width,
            encoder_layers=one.layers,
            decoder_layers=one.layers,
            encoder_attention_heads=one.heads,
            decoder_attention_heads=one.heads,
            encoder_ffn_dim=4 * one.width,
            decoder_ffn_dim=4 * one.width,
            activation_function="swish",
            dropout=one.dropout,
            max_position_embeddings=one.positions,
            scale_embedding=True,
            pad_token_id=self.pad,
            eos_token_id=self.end,
            forced_eos_token_id=None,
            decoder_start_token_id=self.pad,
        )
        return eager(MarianMTModel(config))

    def loss(self, network: Any, step: int) -> tuple[Float[Tensor, ""], int]:
        """Mean of $-\\log p(y_t \\mid y_{<t}, x)$ in nats, the target smoothed (Vaswani et al. 2017, section 5.4)."""
        one = self.settings
        chosen = self._batch(np.random.default_rng([one.seed, step]))
        source, target = (padded([pair[side] for pair in chosen], self.pad) for side in (0, 1))
        labels = target.masked_fill(target == self.pad, _IGNORED)
        shifted = F.pad(target[:, :-1], (1, 0), value=self.pad)
        logits = network(
            input_ids=source,
            attention_mask=(source != self.pad).long(),
            decoder_input_ids=shifted,
            use_cache=False,
        ).logits
        loss = F.cross_entropy(
            logits.flatten(0, 1).float(),
            labels.flatten(),
            ignore_index=_IGNORED,
            label_smoothing=one.label_smoothing,
        )
        return loss, int((labels != _IGNORED).sum())

    def _batch(self, rng: np.random.Generator) -> list[tuple[list[int], list[int]]]:
        """As many pairs as make a batch, drawn from those that are about as long as a pair drawn before."""
        place = int(rng.integers(len(self.pairs)))
        count = min(len(self.pairs), max(1, self.settings.batch_tokens // int(self.sizes[place])))
        span = min(len(self.pairs), 4 * count)
        first = min(max(0, place - span // 2), len(self.pairs) - span)
        return [self.pairs[first + i] for i in rng.choice(span, count, replace=False)]

    def quick(self, network: Any) -> dict[str, float]:
        """BLEU of greedy translations of a few sentences."""
        return {"bleu": self.score(network, self.test[:: max(1, len(self.test) // _QUICK)], beams=1)["bleu"]}

    def full(self, network: Any) -> dict[str, Any]:
        """BLEU and chrF on all held-out sentences, with four beams."""
        found = self.score(network, self.test, beams=_BEAMS)
        return {**found, "test_sentences": len(self.test), "beams": _BEAMS}

    def score(
        self, network: Any, asked: Sequence[tuple[str, tuple[str, ...]]], *, beams: int
    ) -> dict[str, float]:
        """BLEU (Papineni et al. 2002) and chrF (Popović 2015) by sacrebleu, against all known translations.

        `bleu_one` counts the first known translation only, as most published figures do.
        """
        from sacrebleu.metrics import BLEU, CHRF

        said = self.translate(network, [english for english, _ in asked], beams=beams)
        most = max(len(known) for _, known in asked)
        references: Any = [[known[i] if i < len(known) else None for _, known in asked] for i in range(most)]
        return {
            "bleu": round(BLEU().corpus_score(said, references).score, 2),
            "bleu_one": round(BLEU().corpus_score(said, references[:1]).score, 2),
            "chrf": round(CHRF().corpus_score(said, references).score, 2),
        }

    @torch.no_grad()
    def translate(self, network: Any, sentences: Sequence[str], *, beams: int) -> list[str]:
        """The French of English sentences, those of like length together."""
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        said = [""] * len(sentences)
        for first in range(0, len(order), 32):
            rows = order[first : first + 32]
            cut = self.tokenizer.encode_batch([sentences[i] for i in rows])
            source = padded([one.ids[: self.settings.positions] for one in cut], self.pad)
            made = network.generate(
                input_ids=source,
                attention_mask=(source != self.pad).long(),
                num_beams=beams,
                do_sample=False,
                max_new_tokens=min(2 * source.shape[1] + 10, self.settings.positions - 2),
            )
            for i, text in zip(rows, self.tokenizer.decode_batch(made.tolist()), strict=True):
                said[i] = text
        return said


def padded(rows: Sequence[Sequence[int]], pad: int) -> Int64[Tensor, "row place"]:
    """Rows of token numbers as one tensor."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])


def references(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, tuple[str, ...]]]:
    """Each English sentence once, with all its translations."""
    known: dict[str, dict[str, None]] = {}
    for english, french in pairs:
        known.setdefault(english, {})[french] = None
    return [(english, tuple(all_french)) for english, all_french in known.items()]
