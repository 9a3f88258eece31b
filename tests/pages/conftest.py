"""Opens pages in their frame, without a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dlviz.lessons import LESSONS
from dlviz.settings import ROOT

FRAME = ROOT / "dlviz" / "ui" / "frame.py"
PAGES = "../../pages"

Opener = Callable[..., AppTest]


@pytest.fixture
def open_page() -> Opener:
    """``open_page(stem, language, **link)``: the page as a visitor with that link sees it."""

    def opened(stem: str, language: str = "en", **link: str) -> AppTest:
        app = AppTest.from_file(str(FRAME), default_timeout=120)
        for name, value in {"lang": language, **link}.items():
            app.query_params[name] = value
        if stem == LESSONS[0].stem:
            return app.run()
        app.run()
        for name, value in link.items():
            app.query_params[name] = value
        return app.switch_page(f"{PAGES}/{stem}.py").run()

    return opened
