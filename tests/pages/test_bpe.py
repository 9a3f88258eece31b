"""The page on byte-pair encoding, without a browser: presets, sections, choices, texts, links."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tokenizers import Tokenizer

from dlviz.i18n import LANGUAGES, translate
from dlviz.language import bpe, bpe_export, sample_texts
from dlviz.language.results import MergeSettings
from tests.pages.conftest import Opener

SECTIONS = ("train", "tokenise", "compare", "real", "curves")
ACCENTS = "Été 😀 à Noël, mère-grand !"


def films(app: AppTest) -> list[dict[str, Any]]:
    """What the token components were sent."""
    found = []
    for element in app.get("bidi_component"):
        proto = element.proto
        data = json.loads(proto.mixed.json if proto.WhichOneof("data") == "mixed" else proto.json)
        if "panels" in data:
            found.append(data)
    return found


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(open_page: Opener, section: str, language: str) -> None:
    app = open_page("bpe", language, bpe_view=section)
    assert not app.exception
    assert not app.error
    assert films(app) or section == "curves"
