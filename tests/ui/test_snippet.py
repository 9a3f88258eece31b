"""The snippets of *Show the code* run, and give what the page shows."""

from __future__ import annotations

import numpy as np

from dlviz import i18n, samples
from dlviz.ui.snippet import Source, snippet, source


def run(code: str) -> object:
    """Run a snippet as a notebook would, and give its ``result``."""
    names: dict[str, object] = {}
    exec(code, names)
    return names["result"]


def test_plain_arguments_are_written_out() -> None:
    code = snippet(i18n.number, value=1234.5, language="fr", digits=1)
    assert run(code) == i18n.number(1234.5, "fr", 1)


def test_a_source_says_how_a_notebook_gets_the_value() -> None:
    photo = Source('samples.load("coffee").pixels.mean()', ("from dlviz import samples",))
    code = snippet(i18n.number, value=photo, language="en")
    assert "from dlviz import samples" in code
    assert run(code) == i18n.number(np.mean(samples.load("coffee").pixels), "en")


def test_the_source_is_the_function_as_it_stands_in_the_file() -> None:
    text = source(i18n.number)
    assert text.startswith("def number(")
    assert i18n.number.__doc__ is not None
    assert i18n.number.__doc__.splitlines()[0] in text


def test_long_work_runs_to_its_result() -> None:
    code = snippet(_counting, upto=3)
    assert "*_, last = test_snippet._counting(upto=3)" in code
    assert run(code) == 3


def _counting(upto: int) -> object:
    from dlviz.events import Progress, Result

    for step in range(upto):
        yield Progress(step + 1, upto)
    yield Result(upto)
