"""Transformers as the attention explorer needs them: a network, its tokenizer, and a map of its attention layers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language import attention_tape
from dlviz.language.attention_results import Family, Part

_OUT = ("out_proj", "o_proj", "c_proj", "out_lin")
"""What the output projection is called inside the attention modules of BART, Llama, GPT-2 and DistilBERT."""

_COUNT_FROM_PADDING = ("roberta", "camembert", "xlm-roberta")
"""Architectures whose first position has the number after the padding's."""

MOST_TOKENS = 512
"""Tokens that are read at most, whatever a network could read."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an attention module stands."""

    part: Part
    layer: int
    module: nn.Module
    out: nn.Module


class AttentionModel(nn.Module):
    """A network of transformers that shows its attention, with its tokenizer.

    Parameters
    ----------
    network
        A `PreTrainedModel`; its attention function is replaced by that of :mod:`dlviz.language.attention_tape`.
    tokenizer
        Its tokenizer; None for a network that looks at pictures.
    preparation
        Its image processor; None for a network that reads.
    """

    def __init__(self, network: Any, tokenizer: Any = None, preparation: Any = None) -> None:
        super().__init__()
        network.set_attn_implementation(attention_tape.register())
        self.network, self.tokenizer, self.preparation = network.eval(), tokenizer, preparation
        self.places = _places(network)

    @cached_property
    def family(self) -> Family:
        """What kind of network it is."""
        config = self.network.config
        if getattr(config, "patch_size", None):
            return "vision"
        if config.is_encoder_decoder:
            return "encoder-decoder"
        return "decoder" if self._looks_back_only() else "encoder"

    def _looks_back_only(self) -> bool:
        return "CausalLM" in type(self.network).__name__ or "LMHead" in type(self.network).__name__

    @cached_property
    def limit(self) -> int:
        """How many tokens it reads at most, those that its rules add included."""
        config = self.network.config
        told = (getattr(config, name, None) for name in ("max_position_embeddings", "n_positions"))
        most = int(next((number for number in told if number), MOST_TOKENS))
        if config.model_type in _COUNT_FROM_PADDING:
            most -= config.pad_token_id + 1
        return min(most, MOST_TOKENS)

    @cached_property
    def heads(self) -> dict[Part, tuple[int, int]]:
        """Layers and heads of each part."""
        config = self.network.config
        found: dict[Part, tuple[int, int]] = {}
        for part in dict.fromkeys(place.part for place in self.places.values()):
            layers = sum(place.part == part for place in self.places.values())
            named = "encoder_attention_heads" if part == "encoder" else "decoder_attention_heads"
            found[part] = (layers, int(getattr(config, named, None) or config.num_attention_heads))
        return found

    @property
    def fills_in(self) -> bool:
        """Whether it was trained to name hidden tokens, and has the layer that does so."""
        return "MaskedLM" in type(self.network).__name__ and self.tokenizer.mask_token_id is not None

    @property
    def names_photos(self) -> bool:
        """Whether it was trained to name what is in a photo."""
        return "ImageClassification" in type(self.network).__name__

    @property
    def tells_next(self) -> bool:
        """Whether it was trained to name the next token, of the text or of its translation."""
        return self.family in ("decoder", "encoder-decoder")

    @cached_property
    def rotary(self) -> bool:
        """Whether it turns queries and keys by an angle that grows with the position (Su et al. 2021)."""
        return any("rotary" in type(module).__name__.lower() for module in self.network.modules())

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """The network's own."""
        return self.network(*inputs, **named)

    def place(self, part: Part, layer: int) -> Place:
        """The attention module of a layer.

        Raises
        ------
        Refused
            There is none.
        """
        for one in self.places.values():
            if (one.part, one.layer) == (part, layer):
                return one
        raise Refused(N_("This network has no layer {layer} of that kind."), layer=layer + 1)

    def silence(self, heads: tuple[tuple[Part, int, int], ...]) -> dict[int, tuple[int, ...]]:
        """Heads by module, as :func:`dlviz.language.attention_tape.taping` takes them."""
        silent: dict[int, tuple[int, ...]] = {}
        for part, layer, head in heads:
            module = self.place(part, layer).module
            silent[id(module)] = (*silent.get(id(module), ()), head)
        return silent


def output_matrix(out: nn.Module) -> tuple[Tensor, Tensor | None]:
    """Weight `(channel, head * d_head)` and bias of an output projection; GPT-2 stores its weights transposed."""
    weight: Tensor = out.weight  # type: ignore[assignment]
    bias: Tensor | None = out.bias  # type: ignore[assignment]
    return (weight if isinstance(out, nn.Linear) else weight.T), bias


def _places(network: nn.Module) -> dict[int, Place]:
    """The attention modules, by `id`, in the order of their names: found by what all of them have, a scaling."""
    counts: dict[Part, int] = {}
    found: dict[int, Place] = {}
    names = dict(network.named_modules())
    for name, module in names.items():
        if not isinstance(getattr(module, "scaling", None), float):
            continue
        part = _part(name)
        layer = counts.get(part, 0)
        counts[part] = layer + 1
        found[id(module)] = Place(part, layer, module, _out(name, module, names))
    return found


def _part(name: str) -> Part:
    """Whose attention a module is, by its name: `model.decoder.layers.0.encoder_attn` is a translator's cross-attention."""
    words = name.split(".")
    if words[-1] in ("encoder_attn", "crossattention"):
        return "cross"
    if (
        "layers" in words
        and words[words.index("layers") - 1] in ("encoder", "decoder")
        and words[-1] == "self_attn"
    ):
        return "decoder" if "decoder" in words else "encoder"
    return "self"


def _out(name: str, module: nn.Module, names: dict[str, nn.Module]) -> nn.Module:
    """A layer's output projection: inside the attention module, or in BERT beside it."""
    inside = next((getattr(module, out) for out in _OUT if hasattr(module, out)), None)
    return inside or names[f"{name.rpartition('.')[0]}.output.dense"]


def from_folder(folder: Path) -> AttentionModel:
    """A transformers folder as `save_pretrained` writes it; nothing is fetched, no code of the folder is run.

    Encoders come with their fill-in layer where the folder holds one. Weights in half precision are read into
    single precision, in which attention is taken apart.

    Raises
    ------
    Refused
        The folder is of an architecture that has no attention, or is none of transformers'.
    """
    import transformers
    from transformers import AutoConfig
    from transformers.utils import logging

    logging.disable_progress_bar()  # a server's log has no use for it
    rules: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **rules)
    kind = getattr(transformers, str((config.architectures or [""])[0]), None)
    if not (isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)):
        kind = transformers.AutoModel
    network = kind.from_pretrained(folder, config=config, dtype=torch.float32, local_files_only=True)
    if getattr(config, "patch_size", None):
        preparation = transformers.AutoImageProcessor.from_pretrained(folder, **rules)
        model = AttentionModel(network, preparation=preparation)
    else:
        model = AttentionModel(network, transformers.AutoTokenizer.from_pretrained(folder, **rules))
    if not model.places:
        raise Refused(N_("This network has no attention that can be read."))
    return model
