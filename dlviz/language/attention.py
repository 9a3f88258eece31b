"""The attention of a transformer on a text: all of it in 8 bits a weight, one layer exactly, one weight taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.attention_models import AttentionModel, Place, output_matrix
from dlviz.language.attention_results import Attention, Cell, Part, Piece, Reading, Site, Weights
from dlviz.language.attention_tape import Listener, Taped, taping
from dlviz.language.reading import read

Pixels = UInt8[np.ndarray, "height width 3"]

_MOST_SAID = 60
"""Tokens of a translation that a network is let write."""


def attend(
    model: AttentionModel,
    text: str | Pixels,
    *,
    target: str = "",
    masked: Sequence[int] = (),
    silenced: Sequence[Site] = (),
    layers: Sequence[int] | None = None,
) -> Attention:
    r"""Every attention weight of one forward pass, a layer at a time, in 8 bits each.

    $$ a_{ij} = \frac{\exp(q_i \cdot k_j / \sqrt{d})}{\sum_{j'} \exp(q_i \cdot k_{j'} / \sqrt{d})} $$

    A row is stored in steps of its largest weight, so a weight is wrong by at most a 510th of that. The exact numbers
    of a layer are :func:`layer_weights`', those of one weight :func:`take_apart`'s.

    Parameters
    ----------
    model
        The network.
    text
        Any text; for a vision transformer a photo, RGB bytes.
    target
        For an encoder-decoder: what it is made to write; its own translation if empty.
    masked
        Tokens hidden behind the mask token, by their place.
    silenced
        Heads whose output is set to zero.
    layers
        Layers to keep, of each part; all if not given.

    Raises
    ------
    Refused
        There is no text, or a token cannot be hidden.
    """
    source, written, inputs = prepare(model, text, target=target, masked=masked)
    kept: dict[Part, list[tuple[int, np.ndarray, np.ndarray]]] = {}

    def keep(taped: Taped) -> None:
        place = model.places[id(taped.module)]
        if layers is None or place.layer in layers:
            kept.setdefault(place.part, []).append((place.layer, *_in_steps(taped.weights.float())))

    run(model, inputs, keep, silenced)
    parts = tuple(_weights(part, rows, source, written) for part, rows in kept.items())
    return Attention(model.family, source, written, parts)


def layer_weights(
    model: AttentionModel,
    text: str | Pixels,
    *,
    part: Part,
    layer: int,
    target: str = "",
    masked: Sequence[int] = (),
    silenced: Sequence[Site] = (),
) -> Float[np.ndarray, "head query key"]:
    """The attention weights of one layer as the network computes them, in single precision."""
    wanted = model.place(part, layer).module
    found: list[np.ndarray] = []

    def keep(taped: Taped) -> None:
        if taped.module is wanted:
            found.append(_array(taped.weights))

    run(model, prepare(model, text, target=target, masked=masked)[2], keep, silenced)
    return found[0]


def take_apart(
    model: AttentionModel,
    text: str | Pixels,
    *,
    part: Part,
    layer: int,
    head: int,
    query: int,
    key: int,
    target: str = "",
    masked: Sequence[int] = (),
    silenced: Sequence[Site] = (),
) -> Cell:
    r"""One attention weight down to its dot product, and on to what the head adds to the layer's output.

    $$ s_{ij} = \frac{q_i \cdot k_j}{\sqrt{d}} + m_{ij}, \quad a_{ij} = \frac{e^{s_{ij}}}{\sum_{j'} e^{s_{ij'}}}, \quad
       o_i = \sum_j a_{ij} v_j, \quad y_i = \sum_h W^O_h o_i^{(h)} + b $$

    Queries and keys are those of the dot product: where positions are rotary, after the rotation. Every number is
    read off the network's own pass, none is computed a second time but the sums that are shown.

    Parameters
    ----------
    part, layer, head
        Which head.
    query, key
        Which weight: the token that looks, and the one that is looked at.

    Raises
    ------
    Refused
        There is no such head or token.
    """
    source, written, inputs = prepare(model, text, target=target, masked=masked)
    place = model.place(part, layer)
    queries, keys = sides(part, source, written)
    _check(head, model.heads[part][1], query, len(queries), key, len(keys))
    found: list[Taped] = []
    with ExitStack() as hooks:
        plain = _before_rotation(place, hooks) if model.rotary else {}
        run(
            model,
            inputs,
            lambda taped: found.append(taped) if taped.module is place.module else None,
            silenced,
        )
    return _cell(place, found[0], (head, query, key), (queries, keys), plain)


def run(
    model: AttentionModel, inputs: dict[str, Any], listener: Listener | None, silenced: Sequence[Site] = ()
) -> Any:
    """One forward pass with somebody listening; returns what the network returns."""
    with torch.no_grad(), taping(listener, model.silence(tuple(silenced))):
        return model.network(**inputs)


def prepare(
    model: AttentionModel, text: str | Pixels, *, target: str = "", masked: Sequence[int] = ()
) -> tuple[Reading, Reading | None, dict[str, Any]]:
    """What goes into the network: the text as it is read, what is written, and both as tensors."""
    if model.family == "vision":
        return _patches(model, text)
    if not isinstance(text, str):
        raise Refused(N_("This network reads text, not photos."))
    source = read(model, text, masked=masked)
    inputs: dict[str, Any] = {"input_ids": _ids(model, source.pieces)}
    if model.family != "encoder-decoder":
        return source, None, inputs if model.family == "encoder" else inputs | {"use_cache": False}
    written = read(model, target or translate(model, text), limit=model.limit - 1, written=True)
    start = model.network.config.decoder_start_token_id
    said = (_added(model, start), *(piece for piece in written.pieces if not piece.special))
    written = Reading(written.text, said, written.read, written.limit)
    return source, written, inputs | {"decoder_input_ids": _ids(model, said), "use_cache": False}


def translate(model: AttentionModel, text: str) -> str:
    """What an encoder-decoder writes for a text, the most probable token each time."""
    source = read(model, text)
    with torch.no_grad():
        said = model.network.generate(
            input_ids=_ids(model, source.pieces),
            attention_mask=torch.ones(1, len(source.pieces), dtype=torch.long, device=model.network.device),
            max_new_tokens=min(_MOST_SAID, model.limit - 2),
            num_beams=1,
            do_sample=False,
        )
    return str(model.tokenizer.decode(said[0], skip_special_tokens=True)).strip() or "."


def _added(model: AttentionModel, number: int) -> Piece:
    return Piece(number, str(model.tokenizer.convert_ids_to_tokens(number)), 0, 0, -1, True)


def _ids(model: AttentionModel, pieces: Sequence[Piece]) -> Int64[Tensor, "1 token"]:
    return torch.tensor([[piece.id for piece in pieces]], device=model.network.device)


def _patches(model: AttentionModel, photo: str | Pixels) -> tuple[Reading, None, dict[str, Any]]:
    """A photo as a vision transformer reads it: the class token, then the patches row by row."""
    if isinstance(photo, str):
        raise Refused(N_("This network looks at photos, not at text."))
    config = model.network.config
    pixels = model.preparation(photo, return_tensors="pt")["pixel_values"].to(model.network.device)
    across = pixels.shape[-1] // config.patch_size
    count = (pixels.shape[-2] // config.patch_size) * across
    patches = [Piece(-1, f"{i // across + 1}·{i % across + 1}", i, i + 1, i, False) for i in range(count)]
    pieces = (Piece(-1, "[CLS]", 0, 0, -1, True), *patches)
    return Reading("", pieces, 0, len(pieces)), None, {"pixel_values": pixels}


def sides(
    part: Part, source: Reading, written: Reading | None
) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Who looks, and who is looked at."""
    own = source if part in ("self", "encoder", "cross") or written is None else written
    looking = written if part in ("decoder", "cross") and written is not None else source
    return looking.pieces, own.pieces


def _weights(
    part: Part, rows: list[tuple[int, np.ndarray, np.ndarray]], source: Reading, written: Reading | None
) -> Weights:
    queries, keys = sides(part, source, written)
    layers, codes, scale = zip(*rows, strict=True)
    return Weights(part, queries, keys, np.stack(codes), np.stack(scale), layers)


def _in_steps(weights: Float[Tensor, "head query key"]) -> tuple[np.ndarray, np.ndarray]:
    """Weights in steps of their row's largest, and those largest."""
    scale = weights.amax(-1)
    steps = (weights * (255 / scale.clamp(min=1e-30))[..., None]).round_().to(torch.uint8)
    return steps.cpu().numpy(), scale.cpu().numpy()


def _check(head: int, heads: int, query: int, queries: int, key: int, keys: int) -> None:
    if not 0 <= head < heads:
        raise Refused(N_("This layer has no head {head}."), head=head + 1)
    if not (0 <= query < queries and 0 <= key < keys):
        raise Refused(N_("There is no token {place} in this text."), place=max(query, key) + 1)


def _before_rotation(place: Place, hooks: ExitStack) -> dict[str, Tensor]:
    """Queries and keys of a layer as they leave their projections, before their positions turn them."""
    plain: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            plain[name] = output[0]

        return hook

    for name in ("q_proj", "k_proj"):
        module = getattr(place.module, name)
        hooks.callback(module.register_forward_hook(keep(name)).remove)
    return plain


def _cell(
    place: Place,
    taped: Taped,
    where: tuple[int, int, int],
    sides: tuple[tuple[Piece, ...], tuple[Piece, ...]],
    plain: dict[str, Tensor],
) -> Cell:
    head, query, key = where
    q, k = taped.query[head, query].float(), taped.key[head, key].float()
    by_head, bias = _by_head(place, taped.output[:, query].float())
    d_head = q.shape[-1]
    shared = taped.query.shape[0] * d_head // plain["k_proj"].shape[-1] if plain else 1
    return Cell(
        part=place.part,
        layer=place.layer,
        head=head,
        query=query,
        key=key,
        queries=sides[0],
        keys=sides[1],
        q=_array(q),
        k=_array(k),
        q_plain=_array(plain["q_proj"][query].view(-1, d_head)[head]) if plain else None,
        k_plain=_array(plain["k_proj"][key].view(-1, d_head)[head // shared]) if plain else None,
        product=_array(q * k),
        dot=float((q * k).sum()),
        scaling=taped.scaling,
        mask=_array(taped.mask[head, query] if taped.mask is not None else torch.zeros(len(sides[1]))),
        scores=_array(taped.scores[head, query]),
        weights=_array(taped.weights[head, query]),
        values=_array(taped.value[head]),
        output=_array(taped.output[head, query]),
        by_head=_array(by_head),
        bias=_array(bias),
        layer_output=_array(by_head.sum(0) + bias),
    )


def _by_head(
    place: Place, output: Float[Tensor, "head d_head"]
) -> tuple[Float[Tensor, "head channel"], Float[Tensor, " channel"]]:
    """What each head adds through its slice of the output projection, and the projection's bias."""
    weight, bias = (None if one is None else one.float() for one in output_matrix(place.out))
    assert weight is not None
    heads, d_head = output.shape
    slices = weight.reshape(weight.shape[0], heads, d_head)
    added = torch.einsum("hd,chd->hc", output, slices)
    return added, bias if bias is not None else added.new_zeros(added.shape[1])


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().numpy().copy()
