"""Tiny checkpoints of the public architectures, with weights drawn from a seed, as `save_pretrained` writes them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import sentencepiece as spm
import torch
import transformers
from transformers import ViTImageProcessor

from dlviz.settings import ROOT
from tests.language.corpora import ENGLISH, FRENCH

WIDTH, HEADS, LAYERS = 32, 4, 3
_ONE = {
    "hidden_size": WIDTH,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "intermediate_size": 48,
}
_TWO = {
    "d_model": WIDTH, "encoder_layers": 2, "decoder_layers": LAYERS, "encoder_attention_heads": 2,
    "decoder_attention_heads": HEADS, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 64,
    "pad_token_id": 2, "eos_token_id": 0, "forced_eos_token_id": None, "decoder_start_token_id": 2, "bos_token_id": 2,
}  # fmt: skip

# Class, tokenizer, settings.
ARCHITECTURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "bert": ("BertForMaskedLM", "novels-bert", {**_ONE, "max_position_embeddings": 64}),
    "minilm": ("BertModel", "novels-bert", {**_ONE, "max_position_embeddings": 512}),
    "camembert": (
        "CamembertForMaskedLM",
        "novels-bert",
        {**_ONE, "max_position_embeddings": 66, "pad_token_id": 0, "type_vocab_size": 1},
    ),
    "distilbert": (
        "DistilBertForMaskedLM",
        "novels-bert",
        {"dim": WIDTH, "n_heads": HEADS, "n_layers": LAYERS, "hidden_dim": 48, "max_position_embeddings": 64},
    ),
    "gpt2": (
        "GPT2LMHeadModel",
        "novels-gpt2",
        {
            "n_embd": WIDTH,
            "n_head": HEADS,
            "n_layer": LAYERS,
            "n_positions": 64,
            "bos_token_id": 0,
            "eos_token_id": 0,
        },
    ),
    "llama": (
        "LlamaForCausalLM",
        "novels-gpt2",
        {
            **_ONE,
            "num_key_value_heads": 2,
            "max_position_embeddings": 64,
            "bos_token_id": 0,
            "eos_token_id": 0,
        },
    ),
    "marian": ("MarianMTModel", "tatoeba-marian", {**_TWO, "scale_embedding": True}),
    "bart": ("BartForConditionalGeneration", "tatoeba-marian", _TWO),
    "vit": (
        "ViTForImageClassification",
        "",
        {**_ONE, "image_size": 32, "patch_size": 8, "num_labels": 5},
    ),
}
READERS = tuple(name for name in ARCHITECTURES if name != "vit")


def checkpoint(name: str, folder: Path) -> Path:
    """Write the checkpoint of an architecture into a folder.

    Weights are drawn wider than a new network's, so that attention is far from even and heads differ.
    """
    kind, tokenizer, values = ARCHITECTURES[name]
    network_class = getattr(transformers, kind)
    config = network_class.config_class(**values, **({"vocab_size": 8000} if tokenizer else {}))
    torch.manual_seed(5)
    network = network_class(config)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1 and parameter.requires_grad:
                parameter.normal_(std=0.3)
    network.save_pretrained(folder)
    if tokenizer:
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(ROOT / "assets/models" / tokenizer / file, folder / file)
    else:
        ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def opus(folder: Path) -> Path:
    """A translator as OPUS-MT's are published: two SentencePiece tables and one list of pieces, no tokenizer.json."""
    lines = [line for text in (ENGLISH, FRENCH) for line in text.splitlines() if line.strip()]
    folder.mkdir()
    pieces: dict[str, None] = {}
    for side in ("source", "target"):
        with (folder / f"{side}.spm").open("wb") as table:
            spm.SentencePieceTrainer.train(
                sentence_iterator=iter(lines * 5),
                model_writer=table,
                vocab_size=90,
                hard_vocab_limit=False,
                minloglevel=2,
            )
        one = spm.SentencePieceProcessor(model_file=str(folder / f"{side}.spm"))
        pieces |= dict.fromkeys(one.id_to_piece(i) for i in range(3, one.get_piece_size()))
    table = {piece: i for i, piece in enumerate(["</s>", "<unk>", *pieces, "<pad>"])}
    (folder / "vocab.json").write_text(json.dumps(table), "utf-8")
    kind = {"source_lang": "en", "target_lang": "fr", "tokenizer_class": "MarianTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(kind), "utf-8")
    pad = {"pad_token_id": table["<pad>"], "decoder_start_token_id": table["<pad>"], "bos_token_id": None}
    config = transformers.MarianConfig(**{**_TWO, **pad}, vocab_size=len(table))
    transformers.MarianMTModel(config).save_pretrained(folder)
    return folder


@cache
def _made(folder: Path) -> Callable[[str], Path]:
    @cache
    def make(name: str) -> Path:
        return checkpoint(name, folder / name)

    return make


def in_folder(folder: Path) -> Callable[[str], Path]:
    """Checkpoints below a folder, each written when it is first asked for."""
    return _made(folder)
