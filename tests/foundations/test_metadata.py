"""Columns of a table beside the vectors: numbers, kinds, and what is neither."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlviz.errors import Refused
from dlviz.foundations import metadata


def test_numbers_kinds_and_gaps():
    table = "\ufeffname\tyear\tsort\tcomment\nking\t1066\tman\ta\nqueen\t\twoman\tb\r\ntea\t1773.5\t\tc\n".encode()
    year, sort, comment = metadata.columns(table, rows=3)
    assert (year.name, year.categories) == ("year", ())
    np.testing.assert_array_equal(year.values, [1066, np.nan, 1773.5])
    assert sort.categories == ("man", "woman") and sort.values.tolist() == [0, 1, -1]
    assert comment.categories == ("a", "b", "c")


def test_a_table_of_names_only_knows_no_columns():
    assert metadata.columns(b"king\nqueen\n", rows=2) == ()


def test_names_of_points_are_no_kinds():
    rows = 500
    table = "name\tnote\n" + "".join(f"w{i}\tunique {i}\n" for i in range(rows))
    assert metadata.columns(table.encode(), rows=rows) == ()


def test_another_number_of_lines_is_refused():
    with pytest.raises(Refused, match="describes 1 points, and there are 2"):
        metadata.columns(b"name\tyear\nking\t1066\n", rows=2)


def test_infinite_numbers_are_words():
    (column,) = metadata.columns(b"name\tx\na\tinf\nb\t1\n", rows=2)
    assert column.categories == ("1", "inf")


@given(st.binary(max_size=300), st.integers(0, 5))
def test_whatever_the_bytes_are(data, rows):
    try:
        found = metadata.columns(data, rows=rows)
    except Refused:
        return
    for column in found:
        assert len(column.values) == rows
        assert column.name
