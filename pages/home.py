"""The map of the course: its parts, their pages, and the milestones on the way."""

import streamlit as st

from dlviz.figures import home as figures
from dlviz.lessons import MILESTONES, PARTS, Part, lessons_of
from dlviz.settings import ROOT
from dlviz.ui import charts, lesson, palette
from dlviz.ui.language import _

YEARS = sorted({milestone.year for milestone in MILESTONES})


def part_card(part: Part) -> None:
    """One part of the course: its name and its pages, or the word that they are being built."""
    with st.container(border=True, height="stretch"):
        palette.badge(_(part.title), int(part.colour), _("Part {number}", number=part.number))
        for entry in lessons_of(part.number):
            st.page_link(ROOT / "pages" / f"{entry.stem}.py", label=f"**{_(entry.title)}**", icon=entry.icon)
            st.caption(_(entry.summary))
        if not lessons_of(part.number):
            st.caption(_("The pages of this part are being built."))


def timeline() -> None:
    """The milestones as a figure, and the one that the slider stands on in words."""
    year = st.select_slider(
        _("Follow the milestones"), YEARS, value=YEARS[-1], key="home_year", bind="query-params"
    )
    titles = {part.number: _(part.title) for part in PARTS}
    colours = {part.number: int(part.colour) for part in PARTS}
    stops = [figures.Stop(m.year, _(m.title), _(m.text), titles[m.part], colours[m.part]) for m in MILESTONES]
    charts.show(figures.timeline(stops, until=year), key="home_timeline", height=360)
    for stop in stops:
        if stop.year == year:
            st.markdown(f"**{stop.year} · {stop.title}.** {stop.text}")


lesson.begin("home", _("Pick a page below, and put your own picture into a real network."))
st.markdown(
    _(
        "dlviz is the laboratory of a deep-learning course: what the slides say, you do here, with real "
        "models, on your own image, text or graph. Nothing leaves this server, and everything works without "
        "a network."
    )
)
parts = [part for part in PARTS if part.number]
for row in (parts[:3], parts[3:]):
    for column, part in zip(st.columns(3), row, strict=False):
        with column:
            part_card(part)
st.subheader(_("From the first neuron to today"))
timeline()
