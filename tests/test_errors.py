"""Errors keep their message id and values, across processes too."""

from __future__ import annotations

import pickle

import pytest

from dlviz.errors import DlvizError, Refused


def test_the_text_is_the_message_filled_in() -> None:
    assert str(Refused("{count} bytes", count=3)) == "3 bytes"


@pytest.mark.parametrize("value", ["plain", "with {braces}", 7])
def test_an_error_survives_the_way_between_processes(value: object) -> None:
    error = pickle.loads(pickle.dumps(Refused("it is {value}", value=value)))
    assert type(error) is Refused
    assert isinstance(error, DlvizError)
    assert (error.message, error.values) == ("it is {value}", {"value": value})
