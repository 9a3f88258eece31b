"""What the cell explorer and the map gallery draw: results packed into one block of bytes for the browser.

The block is a length (four bytes, little endian), a JSON header of that length, and the arrays, each at a
multiple of four bytes. It travels as bytes, not as JSON: float32 numbers arrive as the network computed them,
and nothing is parsed.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8

from dlviz.figures.palette import DIVERGING, SEQUENTIAL
from dlviz.vision.results import (
    AttentionParts,
    Dissection,
    FeatureMaps,
    Kernels,
    Parts,
    PoolParts,
    ProductParts,
    SumParts,
)

TILE_BYTES = 2_000_000
"""What the pictures of a gallery may take; larger maps are averaged down for it."""

TYPES = {"float32": "f4", "int32": "i4", "uint8": "u1"}


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """A header and named arrays as one block of bytes."""
    blocks, places, offset = [], {}, 0
    for name, array in arrays.items():
        block = np.ascontiguousarray(array).tobytes()
        places[name] = {"type": TYPES[str(array.dtype)], "shape": array.shape, "offset": offset}
        block += bytes(-len(block) % 4)
        blocks.append(block)
        offset += len(block)
    text = json.dumps({**header, "arrays": places}).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + b"".join(blocks)


def dissection(made: Dissection, words: Mapping[str, Any]) -> bytes:
    """A dissection as bytes: at most 4 MB, for every cell of the map. `words` join the header."""
    parts, arrays = _parts(made.parts)
    follows = []
    for index, follow in enumerate(made.follows):
        arrays[f"scale{index}"], arrays[f"shift{index}"] = _float(follow.scale), _float(follow.shift)
        arrays[f"output{index}"] = _float(follow.output)
        follows.append(
            {
                "layer": follow.layer,
                "kind": follow.kind,
                "function": follow.function,
                "parameters": follow.parameters,
            }
        )
    arrays["base"] = _float(made.base)
    arrays["rows"], arrays["columns"] = _whole(made.field.rows), _whole(made.field.columns)
    arrays["picture"] = np.ascontiguousarray(made.picture)
    header = {
        "layer": made.layer,
        "channel": made.channel,
        "base": {"layer": made.base_layer, "kind": made.base_kind, "sources": made.sources},
        "parts": parts,
        "follows": follows,
        "whole": made.field.whole,
        "palette": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
        **words,
    }
    return pack(header, arrays)


def _parts(parts: Parts) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    if isinstance(parts, SumParts):
        return {"kind": "sum", "names": parts.names}, {"terms": _float(parts.terms)}
    if isinstance(parts, ProductParts):
        return {"kind": "product", "names": parts.names}, {"factors": _float(parts.factors)}
    if isinstance(parts, PoolParts):
        arrays = {
            "inputs": _float(parts.inputs),
            "divisor": _float(parts.divisor),
            "window_rows": _whole(parts.rows),
            "window_columns": _whole(parts.columns),
        }
        return {"kind": "pool", "maximum": parts.maximum, "step": parts.step}, arrays
    if isinstance(parts, AttentionParts):
        arrays = {"weights": _float(parts.weights), "values": _float(parts.values)}
        return {"kind": "attention", "bias": parts.bias, "prefix": parts.prefix}, arrays
    arrays = {
        "inputs": _float(parts.inputs),
        "kernel": _float(parts.kernel),
        "channels": _whole(parts.channels),
    }
    if parts.rest is not None:
        arrays["rest"] = _float(parts.rest)
    described = {
        "kind": "window",
        "bias": parts.bias,
        "stride": parts.stride,
        "padding": parts.padding,
        "dilation": parts.dilation,
        "count": parts.channel_count,
    }
    return described, arrays


def map_tiles(made: FeatureMaps, *, shared: bool) -> UInt8[np.ndarray, "channel height width"]:
    """All maps as bytes, on one scale for all or each on its own.

    Zero is byte 0, or byte 128 where the layer is signed; the largest absolute value is 255.
    """
    maps = _small(made.maps)
    largest = np.abs(made.maps).max(axis=(1, 2), keepdims=True)
    if shared:
        largest = np.broadcast_to(largest.max(), largest.shape)
    part = maps / np.maximum(largest, 1e-12)
    scaled = 128 + 127 * part if made.signed else 255 * part
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def kernel_tiles(made: Kernels) -> UInt8[np.ndarray, "filter height width rgb"]:
    """First-layer kernels as small colour pictures: grey is zero, each filter on its own scale."""
    weights = made.weights.transpose(0, 2, 3, 1)
    largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    return np.clip(np.rint(127.5 + 127.5 * weights / np.maximum(largest, 1e-12)), 0, 255).astype(np.uint8)


def slice_tiles(
    weights: Float[np.ndarray, "tile kernel_height kernel_width"],
) -> UInt8[np.ndarray, "tile kernel_height kernel_width"]:
    """One filter's kernels by input channel, on one scale for all: byte 128 is zero."""
    scaled = 128 + 127 * weights / max(float(np.abs(weights).max()), 1e-12)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def gallery(
    tiles: UInt8[np.ndarray, "tile height width ..."],
    words: Mapping[str, Any],
    *,
    values: np.ndarray,
    order: np.ndarray,
    dead: np.ndarray | None = None,
    signed: bool = False,
    chosen: int | None = None,
) -> bytes:
    """Many small pictures as bytes: one a map or a filter, shown in `order`, each with its value."""
    header = {
        "signed": signed,
        "chosen": chosen,
        "palette": {"sequential": SEQUENTIAL, "diverging": DIVERGING},
        **words,
    }
    arrays = {
        "tiles": np.ascontiguousarray(tiles),
        "values": _float(values),
        "order": _whole(order),
        "dead": (np.zeros(len(tiles)) if dead is None else dead).astype(np.uint8),
    }
    return pack(header, arrays)


def _small(maps: np.ndarray) -> np.ndarray:
    """Average blocks of cells until the pictures fit."""
    factor = 1
    while maps.size / factor**2 > TILE_BYTES:
        factor += 1
    if factor == 1:
        return maps
    count, height, width = maps.shape
    height, width = height // factor, width // factor
    cut = maps[:, : height * factor, : width * factor]
    return cut.reshape(count, height, factor, width, factor).mean(axis=(2, 4))


def _float(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=np.float32)


def _whole(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=np.int32)
