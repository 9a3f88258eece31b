"""Opens pages in their frame, without a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dlviz import zoo
from dlviz.lessons import LESSONS
from dlviz.settings import ROOT
from dlviz.ui import lesson

FRAME = ROOT / "dlviz" / "ui" / "frame.py"
PAGES = "../../pages"

Opener = Callable[..., AppTest]


@pytest.fixture
def open_page() -> Opener:
    """``open_page(stem, language, **link)``: the page as a visitor with that link sees it, its panels open."""

    def opened(stem: str, language: str = "en", **link: str) -> AppTest:
        app = AppTest.from_file(str(FRAME), default_timeout=120)
        for panel in (lesson.MATHS, lesson.CODE, *(f"card_{card.name}" for card in zoo.cards())):
            app.session_state[panel] = True
        app.session_state[f"{stem}_presets"] = True
        for name, value in {"lang": language, **link}.items():
            app.query_params[name] = value
        if stem == LESSONS[0].stem:
            return app.run()
        app.run()
        for name, value in link.items():
            app.query_params[name] = value
        return app.switch_page(f"{PAGES}/{stem}.py").run()

    return opened
