"""Choices whose codes stand in the URL while their labels speak the visitor's language.

Streamlit's ``bind="query-params"`` writes a choice's *label* into the URL, so a
link made in French would mean nothing on an English page. Here a hidden text
field holds the code and is bound; the visible widget follows it and moves it.
Links, presets and the Back button move the field, and so the widget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import streamlit as st

Style = Literal["segmented", "pills", "select", "slider"]

# The wrapper too: an empty one would still take its share of the gaps between elements.
_HIDDEN = "<style>div:has(> [class*='st-key-linked_']) {display: none}</style>"


def hide_fields() -> None:
    """Keep hidden fields out of sight: the frame says so once for the whole page."""
    st.html(_HIDDEN)


def hidden_field(key: str, label: str) -> str:
    """The text that the URL carries under ``key``: an invisible field, bound to it."""
    with st.container(key=f"linked_{key}"):
        return str(st.text_input(label, key=key, bind="query-params", max_chars=600))


def choice(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    default: str | None = None,
    style: Style = "segmented",
    always: bool = False,
    **looks: Any,
) -> str:
    """Choose one code; ``options`` maps codes to labels in the visitor's language.

    Parameters
    ----------
    label
        What is chosen, in the visitor's language.
    options
        Codes and their labels, in the order of display.
    key
        ``<stem>_<name>``: the name in the URL; the widget itself is ``<key>_choice``.
    default
        The code that a first visit sees (the first one if left out); the URL does not show it.
    style
        Which of Streamlit's widgets to draw.
    always
        Whether the URL shows the default too.
    looks
        Passed on to that widget.
    """
    codes = list(options)
    default = default if default in options else codes[0]
    linked = hidden_field(key, label)
    st.session_state[f"{key}_choice"] = linked if linked in options else default

    def moved() -> None:
        chosen = st.session_state[f"{key}_choice"]
        st.session_state[key] = "" if chosen == default and not always else chosen

    return str(
        _WIDGETS[style](
            label,
            codes,
            format_func=lambda code: options.get(code, code),
            key=f"{key}_choice",
            on_change=moved,
            **looks,
        )
    )


def choices(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    default: Sequence[str],
    most: int,
    **looks: Any,
) -> list[str]:
    """Choose up to ``most`` codes; the URL carries them with commas between, nothing for the default."""
    linked = [code for code in hidden_field(key, label).split(",") if code in options]
    fitting = [code for code in default if code in options] or list(options)[:1]
    st.session_state[f"{key}_choice"] = linked[:most] or fitting[:most]

    def moved() -> None:
        chosen = st.session_state[f"{key}_choice"]
        st.session_state[key] = "" if chosen == fitting else ",".join(chosen)

    return list(
        st.multiselect(
            label,
            list(options),
            format_func=lambda code: options.get(code, code),
            key=f"{key}_choice",
            max_selections=most,
            on_change=moved,
            **looks,
        )
    )


def _required(widget: Callable[..., Any]) -> Callable[..., Any]:
    def draw(*arguments: Any, **named: Any) -> Any:
        return widget(*arguments, required=True, **named)

    return draw


_WIDGETS: dict[Style, Callable[..., Any]] = {
    "segmented": _required(st.segmented_control),
    "pills": _required(st.pills),
    "select": st.selectbox,
    "slider": st.select_slider,
}
