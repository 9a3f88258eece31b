"""A checkpoint of llama2.c (Karpathy) as a folder of transformers: for tests on real rotary weights."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import sentencepiece as spm
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast


def convert(weights: Path, table: Path, folder: Path) -> Path:
    """Write `config.json`, weights and tokenizer into `folder`."""
    raw = weights.read_bytes()
    width, hidden, layers, heads, shared, entries, positions = struct.unpack("7i", raw[:28])
    numbers, place = np.frombuffer(raw, np.float32, offset=28), 0

    def take(*shape: int) -> torch.Tensor:
        nonlocal place
        size = int(np.prod(shape))
        place += size
        return torch.from_numpy(numbers[place - size : place].reshape(shape).copy())

    d_head = width // heads
    sizes = {
        "input_layernorm": (width,), "self_attn.q_proj": (width, width), "self_attn.k_proj": (shared * d_head, width),
        "self_attn.v_proj": (shared * d_head, width), "self_attn.o_proj": (width, width),
        "post_attention_layernorm": (width,), "mlp.gate_proj": (hidden, width), "mlp.down_proj": (width, hidden),
        "mlp.up_proj": (hidden, width),
    }  # fmt: skip
    state = {"model.embed_tokens.weight": take(entries, width)}
    for name, shape in sizes.items():
        for layer, one in enumerate(take(layers, *shape)):
            turned = _halves(one, d_head) if name.endswith(("q_proj", "k_proj")) else one
            state[f"model.layers.{layer}.{name}.weight"] = turned
    state["model.norm.weight"] = take(width)
    config = LlamaConfig(
        vocab_size=entries, hidden_size=width, intermediate_size=hidden, num_hidden_layers=layers,
        num_attention_heads=heads, num_key_value_heads=shared, max_position_embeddings=positions, rms_norm_eps=1e-5,
        tie_word_embeddings=True,
    )  # fmt: skip
    network = LlamaForCausalLM(config)
    missing = network.load_state_dict(state, strict=False)
    assert missing.missing_keys in ([], ["lm_head.weight"]) and not missing.unexpected_keys
    network.tie_weights()
    network.save_pretrained(folder)
    _tokenizer(table).save_pretrained(folder)
    return folder


def _halves(weight: torch.Tensor, d_head: int) -> torch.Tensor:
    """llama2.c turns neighbouring channels, transformers those half a head apart: the same, in another order."""
    rows, columns = weight.shape
    return weight.view(rows // d_head, d_head // 2, 2, columns).transpose(1, 2).reshape(rows, columns)


def _tokenizer(table: Path) -> PreTrainedTokenizerFast:
    """A BPE of SentencePiece: pieces are merged in the order of their scores."""
    source = spm.SentencePieceProcessor(model_file=str(table))
    ids = {source.id_to_piece(i): i for i in range(source.get_piece_size())}
    scores = {piece: source.get_score(i) for piece, i in ids.items()}
    pairs = [
        (scores[piece], piece[:cut], piece[cut:])
        for piece in ids
        for cut in range(1, len(piece))
        if piece[:cut] in ids and piece[cut:] in ids
    ]
    merges = [(left, right) for _, left, right in sorted(pairs, key=lambda one: -one[0])]
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
