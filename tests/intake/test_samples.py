"""The samples are in the installed wheels, and open without a network."""

from __future__ import annotations

import pytest

from dlviz import samples
from dlviz.errors import NotAvailable
from dlviz.i18n import translate


@pytest.mark.parametrize("code", samples.PHOTOS)
def test_every_sample_opens_and_has_a_french_title(code):
    taken = samples.load(code)
    assert min(taken.pixels.shape[:2]) >= 300
    assert taken.notes == ()
    assert samples.load(code) is taken
    entry = samples.sample(code)
    assert translate("fr", entry.title) != entry.title
    assert entry.credit
    assert entry.licence


def test_there_is_enough_to_choose_from():
    assert 6 <= len(samples.PHOTOS) <= 8


def test_a_missing_file_is_one_clear_error(monkeypatch):
    lost = samples.Sample("lost", "Lost", "skimage", "data/lost.png", "nobody", "CC0")
    monkeypatch.setitem(samples.SAMPLES, "lost", lost)
    with pytest.raises(NotAvailable, match=r"data/lost\.png"):
        samples.load("lost")
