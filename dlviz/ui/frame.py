"""The script of the app: page settings, navigation, language, projector preset, the page itself, the footer.

``streamlit_app.py`` names this file, not the other way round: a folder
``pages/`` beside the script would make a cold deep link open without this frame.
"""

from __future__ import annotations

import streamlit as st

from dlviz.errors import DlvizError
from dlviz.lessons import LESSONS, PARTS, lessons_of
from dlviz.settings import ROOT
from dlviz.ui import controls, footer, language, projector
from dlviz.ui.language import _, say


def navigation() -> st.Page:
    """The pages of the course by part, named in the visitor's language."""
    sections = {
        _(part.title): [
            st.Page(
                ROOT / "pages" / f"{entry.stem}.py",
                title=_(entry.title),
                icon=entry.icon,
                url_path=entry.stem,
                default=entry is LESSONS[0],
            )
            for entry in lessons_of(part.number)
        ]
        for part in PARTS
        if lessons_of(part.number)
    }
    return st.navigation(sections, expanded=True)


def main() -> None:
    """Draw the frame and run the page in it."""
    st.set_page_config(page_title="dlviz", page_icon=str(ROOT / "assets" / "icon.svg"), layout="wide")
    with st.sidebar:
        language.switch()
        projector.switch()
    page = navigation()
    projector.apply()
    controls.hide_fields()
    try:
        page.run()
    except DlvizError as error:
        # A page says most of what can go wrong itself, where it happens. This is for what it did not foresee.
        st.error(say(error), icon=":material/error:")
    footer.show()


main()
