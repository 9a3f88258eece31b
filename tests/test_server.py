"""The parts of the server: its command line, its headers, its error page."""

from __future__ import annotations

import re
import subprocess
import sys
from unittest.mock import patch

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from dlviz import precompile, server
from dlviz.__main__ import parser
from dlviz.errors import Refused
from dlviz.i18n import N_, translate


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=server.routes(), middleware=server.middleware()))


def test_ready_says_no_until_the_models_are_in(client: TestClient) -> None:
    server._ready.clear()
    assert client.get("/ready").status_code == 503
    server._ready.set()
    try:
        assert client.get("/ready").json() == {"ready": True}
    finally:
        server._ready.clear()


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/ready", "/dlviz/plotly.min.js", "/nothing-here"):
        headers = client.get(path).headers
        for name, value in server.SECURITY_HEADERS.items():
            assert headers[name] == value


def test_plotly_js_is_served_from_the_installed_package(client: TestClient) -> None:
    answer = client.get("/dlviz/plotly.min.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert b"plotly.js v" in answer.content[:200]


def said(error: Exception, language: str) -> str:
    with patch("streamlit.error") as shown, patch("dlviz.ui.language.current", return_value=language):
        assert server.on_script_error(error) is True
    return str(shown.call_args.args[0])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_bug_is_a_sentence_and_a_reference(language: str) -> None:
    bug = ZeroDivisionError("secret path")
    with patch.object(server.log, "error") as logged:
        text = said(bug, language)
    reference = re.search(r"\*\*([0-9a-f]{8})\*\*", text)
    assert reference and "secret" not in text
    assert reference[1] in logged.call_args.args
    assert logged.call_args.kwargs["exc_info"] is bug
    assert ("notre côté" in text) == (language == "fr")


def test_an_error_of_ours_is_said_in_the_visitors_language() -> None:
    message = N_("The file is empty: it holds 0 bytes.")
    assert said(Refused(message), "fr") == translate("fr", message)


def test_options_have_environment_variables_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLVIZ_PORT", "8600")
    monkeypatch.setenv("DLVIZ_HOST", "0.0.0.0")
    monkeypatch.setenv("DLVIZ_OFFLINE", "1")
    options = parser().parse_args([])
    assert (options.port, options.host, options.offline) == (8600, "0.0.0.0", True)
    assert parser().parse_args(["--port", "8700"]).port == 8700
    assert not options.verbose
    monkeypatch.setenv("DLVIZ_VERBOSE", "1")
    assert parser().parse_args([]).verbose


def test_what_is_compiled_ahead_ends_with_the_server_and_by_itself() -> None:
    script = "from dlviz import precompile; precompile.warm = lambda *names: {work}; precompile.main()"
    nothing = [sys.executable, "-c", script.format(work="None")]
    with subprocess.Popen(nothing, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.wait(60) == 0 and process.stderr and not process.stderr.read()
    forever = [sys.executable, "-c", "import time; " + script.format(work="time.sleep(600)")]
    with subprocess.Popen(forever, stdin=subprocess.PIPE) as process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(60) == 0


def test_one_module_that_cannot_be_compiled_does_not_keep_the_others_from_it() -> None:
    with patch.object(precompile.log, "exception") as logged:
        precompile.warm("dlviz.no_such_module", "dlviz.graphs.layout")
    assert logged.call_args.args[1] == "dlviz.no_such_module" and logged.call_count == 1
