"""The models in memory: each is loaded once, whoever asks and however many at the same time.

This is a table of the module and not a cache of Streamlit's, because any visitor's browser can empty
those for everyone.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlviz.errors import Busy, DlvizError, NotAvailable, WeightsError
from dlviz.i18n import N_
from dlviz.settings import settings
from dlviz.zoo import catalogue, device, files
from dlviz.zoo.cards import ModelCard

if TYPE_CHECKING:
    from torch import nn

# What building from files that are not what they claim to be can raise.
_UNFIT = (OSError, LookupError, ValueError, TypeError, RuntimeError, pickle.UnpicklingError)

LoadHook = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory: the module, the identity of its weights, and the bytes it takes."""

    model: nn.Module
    digest: str
    bytes: int
    evictable: bool


_guard = threading.Lock()
_loaded: dict[str, Future[Loaded]] = {}
_locks: dict[str, threading.RLock] = {}
_hooks: list[LoadHook] = []


def load(name: str) -> nn.Module:
    """The model, on the device, in evaluation mode, its weights without gradients.

    Everybody gets the same object: read it, and hold :func:`lock` while a hook is on it. Visitors who
    ask while it is being loaded wait for that one load; if it fails, all of them get its error and the
    next to ask tries again.

    Raises
    ------
    NotAvailable
        No such model, or a public one that has not been downloaded.
    WeightsError
        A file is missing, cut short or altered; the message names it.
    Busy
        There is not enough memory for it now.
    """
    return _entry(name).model


def digest(name: str) -> str:
    """Sixteen hexadecimal digits that change when the weights or how they are built do; for cache keys."""
    with _guard:
        future = _loaded.get(name)
    if future and future.done():
        return future.result().digest
    return _digest(catalogue.card(name))


def lock(name: str) -> threading.RLock:
    """The model's own lock: hooks of two threads on one model would read each other's values."""
    with _guard:
        return _locks.setdefault(name, threading.RLock())


def on_load(hook: LoadHook) -> None:
    """Have ``hook(name)`` called after each load, in the thread that loaded; see :func:`freeze`."""
    _hooks.append(hook)


def freeze(name: str = "") -> None:
    """A load hook: take what is in memory now out of the garbage collector's sight (``gc.freeze``).

    A loaded model and the libraries behind it are millions of objects that live as long as the server,
    and a collector that walks them after each click takes hundreds of milliseconds.
    """
    gc.collect()
    gc.freeze()


def unload(name: str) -> None:
    """Let go of a model; the next :func:`load` reads its files again. Who still holds it may go on."""
    with _guard:
        _loaded.pop(name, None)


def loaded() -> tuple[str, ...]:
    """Names of the models in memory, the least recently used first."""
    with _guard:
        return tuple(name for name, future in _loaded.items() if future.done())


def _entry(name: str) -> Loaded:
    with _guard:
        future = _loaded.pop(name, None)
        mine = future is None
        future = future or Future()
        _loaded[name] = future  # back at the end: the order of the table is the order of last use
    if mine:
        _fill(name, future)
    return future.result()


def _fill(name: str, future: Future[Loaded]) -> None:
    try:
        entry = _load(catalogue.card(name))
    except BaseException as error:
        with _guard:
            if _loaded.get(name) is future:
                del _loaded[name]
        future.set_exception(error)
        return
    future.set_result(entry)
    _evict(keep=name)
    for hook in _hooks:
        hook(name)


def _load(card: ModelCard) -> Loaded:
    identity = _digest(card)
    policy = device.policy()
    device.use_threads()
    model = _built(card).to(policy.device, policy.dtype).eval().requires_grad_(False)
    size = sum(t.numel() * t.element_size() for t in (*model.parameters(), *model.buffers()))
    return Loaded(model, identity, size, card.source != "bundled")


def _built(card: ModelCard) -> nn.Module:
    """Call the card's builder; what goes wrong inside it is told as a matter of the card's files."""
    import torch
    from safetensors import SafetensorError

    if not card.builder:
        raise NotAvailable(
            N_(
                "{model} is a vocabulary, which has no network to load: it is read where texts are tokenised."
            ),
            model=card.name,
        )
    module, _, function = card.builder.partition(":")
    build = getattr(importlib.import_module(module), function)
    try:
        built: nn.Module = build(card.folder, **card.options)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise Busy(N_("There is not enough memory for the model {model} now."), model=card.name) from error
    except DlvizError:
        raise
    except (*_UNFIT, SafetensorError) as error:
        raise WeightsError(
            N_("The model {model} cannot be built from {folder}: {reason}"),
            model=card.name,
            folder=card.folder.name,
            reason=str(error).splitlines()[0] if str(error) else type(error).__name__,
        ) from error
    return built


def _digest(card: ModelCard) -> str:
    identity = [card.builder, dict(card.options), files.verify(card)]
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def _evict(keep: str) -> None:
    """Drop the public models used longest ago until what stays fits ``DLVIZ_MODEL_MEMORY_MB``."""
    limit = settings().model_memory_mb * 2**20
    with _guard:
        held = {n: f.result() for n, f in _loaded.items() if f.done() and not f.exception()}
        total = sum(entry.bytes for entry in held.values())
        for name, entry in held.items():
            if total > limit and entry.evictable and name != keep:
                del _loaded[name]
                total -= entry.bytes
