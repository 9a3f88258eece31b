"""Where a page gets its text from: a sample, what the visitor types or pastes, or a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import streamlit as st

from dlviz.errors import Refused
from dlviz.intake.texts import FORMATS, MAX_BYTES, Text, document, pasted
from dlviz.ui.controls import hidden_field
from dlviz.ui.language import _, say
from dlviz.ui.snippet import Source
from dlviz.ui.uploaded import arrived, forget

IN_LINK = 500
"""Characters of a text that a link carries; a longer one is known by its digest."""

_SHELF = "visitor_texts"
_SHELF_PLACES = 3
_TYPED = "text:"
_DIGEST = "sha256:"
_ICONS = {"sample": "menu_book", "typed": "edit", "file": "upload_file"}
# The field that the link is bound to holds one line.
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class Sample(Protocol):
    """A text to begin with: its code in links, its title (a message id) and its words."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def text(self) -> str: ...


def text_input(
    key: str,
    *,
    samples: Sequence[Sample],
    default: str | None = None,
    label: str | None = None,
    limit: int = MAX_BYTES,
) -> Text:
    """Widgets to choose a text, and the text: always one, from the first run on.

    The choice is in the URL under ``key``: nothing for the ``default`` sample,
    another sample's name, ``text:`` and the text itself up to 500 characters,
    or ``sha256:`` and the first 16 digits of its digest. A longer text or a
    file is never in a link: where it is not at hand the default sample is shown
    and a sentence says so. What is refused changes nothing but the message.

    Parameters
    ----------
    key
        ``<stem>_<name>``; the widgets are ``<key>_source``, ``<key>_sample``,
        ``<key>_typed`` and ``<key>_file_<n>``.
    samples
        Texts to offer.
    default
        Name of the one to begin with (the first if left out).
    label
        What the text is for, in the visitor's language.
    limit
        Bytes of a file, and characters of a text, that are taken.
    """
    offered = {sample.name: sample for sample in samples}
    first = default or samples[0].name
    link = hidden_field(key, _("Text in the link"))
    _follow(key, link, offered, first)
    source = _source(key, label or _("Text"), offered, first, limit)
    if source == "sample":
        _sample_widget(key, offered, first)
    elif source == "typed":
        _typed_widget(key, limit)
    else:
        _file_widget(key, limit)
    refusal = st.session_state.get(f"{key}_refusal")
    if refusal is not None:
        st.error(say(refusal), icon=":material/block:")
    return _chosen(link, offered, first)


def notebook_source(key: str, *, package: str, default: str, limit: int = MAX_BYTES) -> Source:
    """How a notebook gets the text that :func:`text_input` shows under ``key``.

    ``package`` is the module with ``sample(name).text``, such as ``dlviz.language.sample_texts``.
    """
    link = st.session_state.get(key, "")
    if link.startswith(_TYPED):
        return Source(repr(_unescaped(link)))
    own = _shelf().get(link)
    if own is not None:
        more = "" if limit == MAX_BYTES else f", limit={limit}"
        return Source(
            f'texts.document(Path("your-text.txt").read_bytes(){more}).text',
            ("from pathlib import Path", "from dlviz.intake import texts"),
        )
    parent, _dot, stem = package.rpartition(".")
    name = default if not link or link.startswith(_DIGEST) else link
    return Source(f"{stem}.sample({name!r}).text", (f"from {parent} import {stem}",))


def _follow(key: str, link: str, offered: dict[str, Sample], first: str) -> None:
    """Bring the visible widgets in line with a link that they did not make: first run, Back, a preset."""
    state = st.session_state
    if state.get(f"{key}_seen") != link:
        state[f"{key}_seen"] = link
        state.pop(f"{key}_refusal", None)
        state[f"{key}_source"] = _kind(link)
        if link.startswith(_TYPED):
            state[f"{key}_typed"] = _unescaped(link)
    if link in offered or not link:
        state[f"{key}_sample"] = link or first
    elif state.get(f"{key}_sample") not in offered:
        state[f"{key}_sample"] = first


def _kind(link: str) -> str:
    if link.startswith(_TYPED):
        return "typed"
    own = _shelf().get(link)
    if own is not None and not own.name:
        return "typed"
    return "file" if link.startswith(_DIGEST) else "sample"


def _choose(key: str, link: str) -> None:
    st.session_state[key] = st.session_state[f"{key}_seen"] = link
    st.session_state.pop(f"{key}_refusal", None)


def _source(key: str, label: str, offered: dict[str, Sample], first: str, limit: int) -> str:
    names = {"sample": _("Sample"), "typed": _("Type or paste"), "file": _("File")}
    chosen = st.segmented_control(
        label,
        list(names),
        format_func=lambda code: f":material/{_ICONS[code]}: {names[code]}",
        key=f"{key}_source",
        required=True,
        wrap=True,
        persist_state="session",
        on_change=_source_changed,
        args=(key, offered, first, limit),
    )
    return str(chosen)


def _source_changed(key: str, offered: dict[str, Sample], first: str, limit: int) -> None:
    """Samples show the one picked last; a file the latest one; typing begins with the text that is shown."""
    state = st.session_state
    state.pop(f"{key}_refusal", None)
    source = state[f"{key}_source"]
    if source == "sample":
        _sample_changed(key, first)
    elif source == "file":
        # The shelf is one for all pages, and another page may have taken a text that is too long here.
        files = [link for link, own in _shelf().items() if own.name and len(own.text) <= limit]
        if files:
            _choose(key, files[-1])
    else:
        shown = _text_of(state.get(key, ""), offered, first)
        if not state.get(f"{key}_typed") and len(shown.text) <= IN_LINK:
            state[f"{key}_typed"] = shown.text
        elif state.get(f"{key}_typed"):
            _typed(key, limit)


def _sample_widget(key: str, offered: dict[str, Sample], first: str) -> None:
    titles = {name: _(sample.title) for name, sample in offered.items()}
    st.pills(
        _("Samples"),
        list(offered),
        format_func=lambda name: titles.get(name, name),
        key=f"{key}_sample",
        required=True,
        label_visibility="collapsed",
        wrap=True,
        persist_state="session",
        on_change=_sample_changed,
        args=(key, first),
    )


def _sample_changed(key: str, first: str) -> None:
    name = st.session_state[f"{key}_sample"]
    _choose(key, "" if name == first else name)


def _typed_widget(key: str, limit: int) -> None:
    st.text_area(
        _("Your text"),
        key=f"{key}_typed",
        height=110,
        placeholder=_("Type or paste a text, then press Ctrl+Enter."),
        label_visibility="collapsed",
        persist_state="session",
        on_change=_typed,
        args=(key, limit),
    )
    _privacy()


def _typed(key: str, limit: int) -> None:
    """Pass what was typed through the gate: into the link if it is short, else onto the shelf."""
    try:
        taken = pasted(st.session_state[f"{key}_typed"] or "", limit)
    except Refused as refusal:
        st.session_state[f"{key}_refusal"] = refusal
        return
    link = _TYPED + _escaped(taken.text)
    if len(taken.text) > IN_LINK or len(link) > 590:
        link = _keep(taken)
    _choose(key, link)


def _file_widget(key: str, limit: int) -> None:
    # Every file, good or bad, is taken by a fresh widget: so the bytes of the last one can go.
    name = f"{key}_file_{st.session_state.get(f'{key}_turn', 0)}"
    megabytes = limit >> 20
    # No list of types: Streamlit would refuse in English only; our gate says it in the visitor's language.
    st.file_uploader(
        _("Drop a text here ({formats}; at most {limit} MB)", formats=FORMATS, limit=megabytes),
        key=name,
        max_upload_size=megabytes,
        on_change=_uploaded,
        args=(key, name, limit),
    )
    _privacy()


def _privacy() -> None:
    st.caption(
        _("Your text stays in the server's memory for this visit only. It is not stored or passed on.")
    )


def _uploaded(key: str, widget: str, limit: int) -> None:
    file = arrived(widget)
    if file is None:
        return
    try:
        taken = document(file.getvalue(), file.name, limit)
    except Refused as refusal:
        st.session_state[f"{key}_refusal"] = refusal
    else:
        _choose(key, _keep(taken))
    forget(file)
    st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1


def _keep(taken: Text) -> str:
    """Put a text onto the visitor's shelf; returns what stands for it in a link."""
    link = _DIGEST + taken.digest[:16]
    shelf = {kept: own for kept, own in _shelf().items() if kept != link} | {link: taken}
    st.session_state[_SHELF] = dict(list(shelf.items())[-_SHELF_PLACES:])
    return link


def _shelf() -> dict[str, Text]:
    """The visitor's own long texts, latest last, by what stands for them in a link."""
    shelf: dict[str, Text] = st.session_state.get(_SHELF, {})
    return shelf


def _chosen(link: str, offered: dict[str, Sample], first: str) -> Text:
    if link.startswith(_DIGEST) and link not in _shelf():
        st.info(
            _(
                "This link was made with a text that is not here: a link carries the fingerprint of a long "
                "text, not the text. The sample is shown instead; bring the same text to see what its author "
                "saw."
            ),
            icon=":material/link_off:",
        )
    own = _text_of(link, offered, first)
    if own.name and link in _shelf():
        st.text(_("Your text: {name}, {count} characters.", name=own.name, count=len(own.text)))
    for note in own.notes:
        st.caption(_(note.message, encoding=note.encoding))
    return own


def _text_of(link: str, offered: dict[str, Sample], first: str) -> Text:
    """The text that a link stands for; one that is not here or not fit gives the first sample."""
    if link.startswith(_TYPED):
        try:
            return pasted(_unescaped(link))
        except Refused as refusal:
            st.error(say(refusal), icon=":material/block:")
    own = _shelf().get(link)
    return own or pasted(offered[link if link in offered else first].text)


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text)


def _unescaped(link: str) -> str:
    parts = link.removeprefix(_TYPED).split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\t", "\t") for part in parts)
