"""What a figure gets on its way to the page: the template, and numbers as the visitor's language writes them."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from dlviz.ui import charts, language


def dressed(monkeypatch: pytest.MonkeyPatch, code: str) -> go.Figure:
    monkeypatch.setattr(language, "current", lambda: code)
    monkeypatch.setattr(charts, "theme", lambda: "light")
    monkeypatch.setattr(charts.projector, "on", lambda: False)
    figure = go.Figure(go.Bar(x=[0.2, 0.7], y=[1e-5, 0.1]))
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(type="log", tickformat=".2~%")
    return charts.dress(figure)


def test_french_puts_a_space_before_the_percent_sign_and_a_comma_in_the_number(monkeypatch):
    figure = dressed(monkeypatch, "fr")
    assert figure.layout.xaxis.ticktext[2].replace("\u202f", " ").replace("\xa0", " ") == "50 %"
    said = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert said[1e-5].replace("\u202f", " ").replace("\xa0", " ") == "0,001 %"
    assert figure.layout.separators.startswith(",")


def test_english_leaves_the_ticks_to_plotly(monkeypatch):
    figure = dressed(monkeypatch, "en")
    assert figure.layout.xaxis.ticktext is None and figure.layout.separators == ".,"
