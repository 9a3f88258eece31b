"""One forward pass, written down operation by operation, for any network that runs in PyTorch.

Hooks see modules only; a transformer's residual `x + input` or a squeeze-and-excitation gate is a plain
expression that no hook is told about. A `TorchFunctionMode` is told about every operation, so the tape
holds them all, with their operands, and it names each by the module in which it happened. In-place
operations are done out of place on the way, so that no layer's values are overwritten by the next.

The tape of a network is written once per input size and remembered; later passes keep only the values
that were asked for and stop when they have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from dlviz.vision.layout import Layout, Window, layout_after, shape_of

Operation = Literal[
    "conv", "linear", "norm", "activation", "pool", "sum", "scale", "gate", "attention", "move", "photo"
]

PHOTO = 0
"""Index of the tape's first entry: the network's input."""

ACTIVATIONS = frozenset(
    {
        "relu",
        "relu6",
        "hardtanh",
        "leaky_relu",
        "elu",
        "gelu",
        "silu",
        "hardswish",
        "hardsigmoid",
        "sigmoid",
        "tanh",
    }
)
_NAMED: dict[str, Operation] = {
    "conv2d": "conv",
    "linear": "linear",
    "batch_norm": "norm",
    "layer_norm": "norm",
    "group_norm": "norm",
    "max_pool2d": "pool",
    "avg_pool2d": "pool",
    "adaptive_avg_pool2d": "pool",
    **dict.fromkeys(ACTIVATIONS, "activation"),
}
_OUT_OF_PLACE: dict[str, Callable[..., Tensor]] = {
    "__iadd__": torch.add,
    "add_": torch.add,
    "__imul__": torch.mul,
    "mul_": torch.mul,
    "relu_": torch.relu,
    "sigmoid_": torch.sigmoid,
    "hardtanh_": torch.nn.functional.hardtanh,
}
_ADD = frozenset({"add", "__add__", "__radd__"})
_MULTIPLY = frozenset({"mul", "__mul__", "__rmul__", "multiply"})
_UNSEEN = frozenset({"__get__", "__set__", "size", "dim", "_assert", "__len__", "numel", "is_floating_point"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation on the tape. `inputs` are the operands that were computed from the photo."""

    index: int
    name: str
    operation: Operation
    function: str
    module: str
    inputs: tuple[int, ...]
    layout: Layout
    shape: tuple[int, int, int]
    parameters: int
    window: Window | None


@dataclass(frozen=True, slots=True)
class Call:
    """An operation as it happened: its operands and its result, still as tensors."""

    function: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Tensor
    module: nn.Module

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """An operand by its place or its name, whichever way the caller gave it."""
        if name in self.kwargs:
            return self.kwargs[name]
        return self.args[position] if position < len(self.args) else default


class _Enough(Exception):
    """All that was asked for has been seen."""


@dataclass
class _State:
    wanted: frozenset[int] | None
    entries: list[Entry] = field(default_factory=list)
    calls: dict[int, Call] = field(default_factory=dict)
    path: list[tuple[str, nn.Module]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    tokens: Layout | None = None
    opaque: int = 0


_TAPES: WeakKeyDictionary[nn.Module, dict[tuple[int, ...], tuple[Entry, ...]]] = WeakKeyDictionary()


def network_of(model: nn.Module) -> nn.Module:
    """The network inside a classifier; layers are named from there."""
    return getattr(model, "network", model)


def tape(model: nn.Module, pixels: Float[Tensor, "1 3 height width"]) -> tuple[Entry, ...]:
    """Every operation of one forward pass, in order; written once per network and input size."""
    network = network_of(model)
    known = _TAPES.setdefault(network, {})
    size = tuple(pixels.shape)
    if size not in known:
        known[size] = tuple(_record(network, pixels, None, grad=False).entries)
    return known[size]


def observe(
    model: nn.Module,
    pixels: Float[Tensor, "1 3 height width"],
    wanted: Iterable[int],
    *,
    grad: bool = False,
) -> dict[int, Call]:
    """The operations with these indices as they happen on this photo; the pass ends with the last."""
    indices = frozenset(wanted)
    return _record(network_of(model), pixels, indices, grad=grad).calls if indices else {}


def _record(network: nn.Module, pixels: Tensor, wanted: frozenset[int] | None, *, grad: bool) -> _State:
    state = _State(wanted)
    pixels = pixels.detach().clone() if not grad else pixels.view_as(pixels)
    _enter(state, pixels, network)
    hooks = [hook for name, module in network.named_modules() for hook in _hooks(state, name, module)]
    try:
        with torch.set_grad_enabled(grad), _Recorder(state):
            network(pixels)
    except _Enough:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return state


def _enter(state: _State, pixels: Tensor, network: nn.Module) -> None:
    channels, height, width = pixels.shape[1:]
    layout = Layout("chw", height, width)
    state.entries.append(Entry(PHOTO, "", "photo", "", "", (), layout, (channels, height, width), 0, None))
    pixels._entry = PHOTO  # type: ignore[attr-defined]
    if state.wanted is None or PHOTO in state.wanted:
        state.calls[PHOTO] = Call("", (), {}, pixels, network)


def _hooks(state: _State, name: str, module: nn.Module) -> list[Any]:
    """Keep track of the module we are in; attention is one operation, whatever happens inside it."""
    whole = isinstance(module, nn.MultiheadAttention)

    def before(_module: nn.Module, _args: Any, _kwargs: Any) -> None:
        state.path.append((name, module))
        state.opaque += whole

    def after(_module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        state.opaque -= whole
        if whole:
            _write(state, "multi_head_attention", args, kwargs, output[0], "attention")
        state.path.pop()

    return [
        module.register_forward_pre_hook(before, with_kwargs=True),
        module.register_forward_hook(after, with_kwargs=True),
    ]


class _Recorder(TorchFunctionMode):
    """Told by PyTorch about every operation of this thread while it is entered."""

    def __init__(self, state: _State) -> None:
        super().__init__()
        self.state = state

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if self.state.opaque or name in _UNSEEN:
            return func(*args, **kwargs)
        if name in _OUT_OF_PLACE:
            func = _OUT_OF_PLACE[name]
            name = func.__name__
        if kwargs.get("inplace"):
            kwargs = {**kwargs, "inplace": False}
        output = func(*args, **kwargs)
        for tensor in output if isinstance(output, (tuple, list)) else (output,):
            if isinstance(tensor, Tensor):
                _write(self.state, name, args, kwargs, tensor, None)
        return output


def _write(
    state: _State, function: str, args: Any, kwargs: Any, output: Tensor, operation: Operation | None
) -> None:
    """Add one operation, unless it has nothing to do with the photo or handed back what it was given."""
    operands = list(_tensors((*args, *kwargs.values())))
    inputs = tuple(dict.fromkeys(t._entry for t in operands if hasattr(t, "_entry")))
    if not inputs or any(output is tensor for tensor in operands):
        return
    if function in {"dropout", "stochastic_depth"}:
        output._entry = inputs[0]  # type: ignore[attr-defined]
        return
    operation = operation or _operation(function, inputs, operands, state)
    source = state.entries[inputs[0]]
    dims = _dims(args, kwargs) if function == "permute" else ()
    layout = layout_after(function, dims, output, source.layout, source.shape, state.tokens)
    if layout.order == "other":
        operation = "move"
    if layout.order == "tokens":
        state.tokens = layout
    index = len(state.entries)
    path, module = state.path[-1]
    weights = [t for t in operands if not hasattr(t, "_entry")] if operation != "move" else []
    if operation == "attention":
        weights = list(module.parameters())
    state.entries.append(
        Entry(
            index=index,
            name="" if operation == "move" else _name(state, path, module, operation),
            operation=operation,
            function=function,
            module=path,
            inputs=inputs,
            layout=layout,
            shape=shape_of(output, layout),
            parameters=sum(t.numel() for t in weights if isinstance(t, nn.Parameter)),
            window=_window(Call(function, tuple(args), kwargs, output, module)),
        )
    )
    output._entry = index  # type: ignore[attr-defined]
    if state.wanted is not None:
        _keep(state, index, Call(function, tuple(args), kwargs, output, module))


def _keep(state: _State, index: int, call: Call) -> None:
    assert state.wanted is not None
    if index in state.wanted:
        state.calls[index] = call
    if len(state.calls) == len(state.wanted):
        raise _Enough


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)


def _operation(function: str, inputs: tuple[int, ...], operands: list[Tensor], state: _State) -> Operation:
    if function in _ADD and len(operands) == 2:
        return "sum"
    if function in _MULTIPLY and len(operands) == 2:
        return "gate" if all(hasattr(operand, "_entry") for operand in operands) else "scale"
    if function == "mean" and state.entries[inputs[0]].layout.order == "chw":
        return "pool"
    return _NAMED.get(function, "move")


def _name(state: _State, path: str, module: nn.Module, operation: Operation) -> str:
    """The module's own name where it does one thing, else the operation within it; repeats are numbered."""
    alone = not any(True for _ in module.children()) or operation == "attention"
    name = path if alone and path else f"{path}.{operation}".lstrip(".")
    seen = state.names.get(name, 0)
    state.names[name] = seen + 1
    return f"{name}_{seen}" if seen else name


def _dims(args: Any, kwargs: Any) -> tuple[int, ...]:
    dims = kwargs.get("dims", args[1:])
    return tuple(dims[0] if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims)


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, (tuple, list)):
        return (int(value[0]), int(value[-1]))
    return int(value), int(value)


def _window(call: Call) -> Window | None:
    """The window of a convolution or a pooling, from the operands themselves."""
    if call.function == "conv2d":
        weight = call.argument(1, "weight")
        dilation = _pair(call.argument(5, "dilation", 1))
        kernel = (int(weight.shape[2]), int(weight.shape[3]))
        padding = call.argument(4, "padding", 0)
        if isinstance(padding, str):
            sides = [d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)]
            padding = sides if padding == "same" else 0
        return Window(kernel, _pair(call.argument(3, "stride", 1)), _pair(padding), dilation)
    if call.function in {"max_pool2d", "avg_pool2d"}:
        kernel = _pair(call.argument(1, "kernel_size"))
        stride = call.argument(2, "stride")
        spread = call.argument(4, "dilation", 1) if call.function == "max_pool2d" else 1
        return Window(
            kernel,
            _pair(stride) if stride else kernel,
            _pair(call.argument(3, "padding", 0)),
            _pair(spread),
        )
    if call.function in {"adaptive_avg_pool2d", "mean"}:
        return Window(bins=True)
    return None
