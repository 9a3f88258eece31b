"""What the export panel writes can be read back."""

from __future__ import annotations

import csv
import io

import numpy as np

from dlviz.ui.export import csv_bytes, npz_bytes


def test_csv_keeps_accents_and_quotes() -> None:
    rows = [{"mot": "déjà, « vu »", "n": 2}, {"mot": 'a "b"', "n": 3}]
    written = csv_bytes(rows)
    assert written.startswith(b"\xef\xbb\xbf")
    read = list(csv.DictReader(io.StringIO(written.decode("utf-8-sig"))))
    assert read == [{"mot": "déjà, « vu »", "n": "2"}, {"mot": 'a "b"', "n": "3"}]


def test_an_empty_table_is_an_empty_file() -> None:
    assert csv_bytes([]) == b"\xef\xbb\xbf"


def test_npz_is_read_without_pickle() -> None:
    maps = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    with np.load(io.BytesIO(npz_bytes({"maps": maps})), allow_pickle=False) as read:
        np.testing.assert_array_equal(read["maps"], maps)
