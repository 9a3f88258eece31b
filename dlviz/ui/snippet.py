"""*Show the code*: the source of a function, and a snippet that runs it again in a notebook."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Source:
    """How a notebook gets an argument: an expression, and the imports that it needs."""

    expression: str
    imports: tuple[str, ...] = ()


@cache
def source(function: Callable[..., object]) -> str:
    """The source of ``function`` as it stands in the file, its docstring included."""
    return inspect.getsource(inspect.unwrap(function))


def snippet(function: Callable[..., object], *, model: str | None = None, **arguments: object) -> str:
    """Code that loads ``model`` from the zoo and calls ``function`` with ``arguments``.

    Long work is a generator of events; the snippet runs it to its result.

    >>> from dlviz.i18n import number
    >>> print(snippet(number, value=0.5, language="fr"))
    from dlviz import i18n
    <BLANKLINE>
    result = i18n.number(value=0.5, language='fr')
    """
    module = inspect.getmodule(function)
    if module is None:
        raise ValueError(f"{function!r} stands in no module")
    package, _, stem = module.__name__.rpartition(".")
    imports = {f"from {package} import {stem}"}
    call = [f"zoo.load({model!r})"] if model else []
    if model:
        imports.add("from dlviz import zoo")
    for name, value in arguments.items():
        if isinstance(value, Source):
            imports.update(value.imports)
            call.append(f"{name}={value.expression}")
        else:
            call.append(f"{name}={value!r}")
    lines = [*sorted(imports), "", *_call(f"{stem}.{function.__name__}", call, _is_work(function))]
    return "\n".join(lines)


def _is_work(function: Callable[..., object]) -> bool:
    return inspect.isgeneratorfunction(inspect.unwrap(function))


def _call(name: str, arguments: list[str], work: bool) -> list[str]:
    one_line = f"{name}({', '.join(arguments)})"
    call = [one_line] if len(one_line) < 90 else [f"{name}(", *(f"    {a}," for a in arguments), ")"]
    if not work:
        call[0] = f"result = {call[0]}"
        return call
    call[0] = f"*_, last = {call[0]}"
    return [*call, "result = last.value"]
