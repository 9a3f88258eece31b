"""Where a page gets its picture from: a sample, a file of the visitor's own, or the camera."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import cache
from urllib.parse import urlsplit

import streamlit as st
from PIL import Image, ImageOps
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dlviz import samples as photos
from dlviz.errors import Refused
from dlviz.intake import FORMATS, Photo, photo
from dlviz.settings import settings
from dlviz.ui.controls import hidden_field
from dlviz.ui.language import _, say
from dlviz.ui.snippet import Source
from dlviz.ui.uploaded import arrived, forget

_SHELF = "visitor_photos"
_SHELF_PLACES = 4
_DIGEST = "sha256:"
_THUMBNAIL = 64
_LOOKS = f"""
KEY button {{height: auto; padding: 4px 12px 4px 4px; border-radius: 8px}}
KEY img {{height: {_THUMBNAIL}px; width: {_THUMBNAIL}px; max-height: none}}
KEY img {{border-radius: 6px; margin-right: 6px}}
@media (max-width: 640px) {{
  KEY button {{width: 106px; padding: 4px; align-items: start}}
  KEY img {{display: block; margin: 0 auto 4px}}
  KEY p {{white-space: normal; font-size: 13px; line-height: 1.2}}
}}
"""
_ICONS = {"sample": "photo_library", "upload": "upload", "camera": "photo_camera"}


def photo_input(
    key: str, *, samples: Sequence[str] = photos.PHOTOS, default: str = "chelsea", label: str | None = None
) -> Photo:
    """Widgets to choose a picture, and the picture: always one, from the first run on.

    The choice is in the URL under ``key``: nothing for the ``default`` sample,
    another sample's code, or ``sha256:`` and the first 16 digits of the digest
    of the visitor's own file. That file itself is never in a link: where it is
    not at hand the default sample is shown and a sentence says so. A picture of
    the visitor's own stays for the session, on every page, and a file that is
    refused changes nothing but the message.

    Parameters
    ----------
    key
        ``<stem>_<name>``; the widgets are ``<key>_source``, ``<key>_sample``,
        ``<key>_upload_<n>`` and ``<key>_camera``.
    samples
        Codes of :data:`dlviz.samples.SAMPLES` to offer.
    default
        The one to begin with.
    label
        What the picture is for, in the visitor's language.
    """
    link = hidden_field(key, _("Picture in the link"))
    _follow(key, link, samples, default)
    source = _source(key, label or _("Picture"), default)
    if source == "sample":
        _samples(key, samples, default)
    elif source == "camera":
        _camera(key)
    else:
        _uploader(key)
    refusal = st.session_state.get(f"{key}_refusal")
    if refusal is not None:
        st.error(say(refusal), icon=":material/block:")
    return _chosen(link, samples, default)


def _follow(key: str, link: str, samples: Sequence[str], default: str) -> None:
    """Bring the visible widgets in line with a link that they did not make: first run, Back, a preset."""
    state = st.session_state
    if state.get(f"{key}_seen") != link:
        state[f"{key}_seen"] = link
        state[f"{key}_source"] = "upload" if link.startswith(_DIGEST) else "sample"
        state.pop(f"{key}_refusal", None)
    if not link.startswith(_DIGEST):
        state[f"{key}_sample"] = link if link in samples else default
    elif state.get(f"{key}_sample") not in samples:
        state[f"{key}_sample"] = default


def _choose(key: str, link: str) -> None:
    st.session_state[key] = st.session_state[f"{key}_seen"] = link
    st.session_state.pop(f"{key}_refusal", None)


def _source(key: str, label: str, default: str) -> str:
    names = {"sample": _("Sample"), "upload": _("Your picture"), "camera": _("Camera")}
    offered = [code for code in names if code != "camera" or _camera_works()]
    if st.session_state.get(f"{key}_source") not in offered:
        st.session_state[f"{key}_source"] = "upload"
    chosen = st.segmented_control(
        label,
        offered,
        format_func=lambda code: f":material/{_ICONS[code]}: {names[code]}",
        key=f"{key}_source",
        required=True,
        wrap=True,
        persist_state="session",
        on_change=_source_changed,
        args=(key, default),
    )
    return str(chosen)


def _source_changed(key: str, default: str) -> None:
    """Samples show the sample picked last; the other two the visitor's latest picture, if there is one."""
    st.session_state.pop(f"{key}_refusal", None)
    if st.session_state[f"{key}_source"] == "sample":
        _sample_changed(key, default)
    elif shelf := _shelf():
        _choose(key, list(shelf)[-1])


def _samples(key: str, samples: Sequence[str], default: str) -> None:
    titles = {code: _(photos.sample(code).title) for code in samples}
    st.html(f"<style>{_LOOKS.replace('KEY', f'.st-key-{key}_sample')}</style>")
    st.pills(
        _("Samples"),
        list(samples),
        format_func=lambda code: f"![]({_thumbnail(code)}) {titles[code]}",
        key=f"{key}_sample",
        required=True,
        wrap=True,
        label_visibility="collapsed",
        persist_state="session",
        on_change=_sample_changed,
        args=(key, default),
    )
    entry = photos.sample(st.session_state[f"{key}_sample"])
    st.caption(_("Photo: {credit} ({licence}).", credit=entry.credit, licence=_(entry.licence)))


@cache
def _thumbnail(code: str) -> str:
    """A sample as a small square JPEG in a data URI, about 3 kB."""
    small = ImageOps.fit(Image.fromarray(photos.load(code).pixels), (_THUMBNAIL, _THUMBNAIL))
    jpeg = io.BytesIO()
    small.save(jpeg, "JPEG", quality=75)
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode()


def _sample_changed(key: str, default: str) -> None:
    code = st.session_state[f"{key}_sample"]
    _choose(key, "" if code == default else code)


def _uploader(key: str) -> None:
    limit = settings().max_upload_mb
    # Every file, good or bad, is taken by a fresh widget: so the bytes of the last one can go.
    name = f"{key}_upload_{st.session_state.get(f'{key}_turn', 0)}"
    # No list of types: Streamlit would refuse in English only; our gate says it in the visitor's language.
    st.file_uploader(
        _("Drop a picture here ({formats}; at most {limit} MB)", formats=FORMATS, limit=limit),
        key=name,
        max_upload_size=limit,
        on_change=_uploaded,
        args=(key, name),
    )
    _privacy()
    if not _camera_works():
        st.caption(
            _(
                "The camera needs a page served over https, or opened on localhost. "
                "Whoever runs this server can start it with `--tls`."
            )
        )


def _camera(key: str) -> None:
    name = f"{key}_camera"
    st.camera_input(_("Take a picture"), key=name, on_change=_photographed, args=(key, name))
    _privacy()


def _privacy() -> None:
    st.caption(
        _("Your picture stays in the server's memory for this visit only. It is not stored or passed on.")
    )


def _uploaded(key: str, widget: str) -> None:
    file = arrived(widget)
    if file is not None:
        _take(key, file)
        forget(file)
        st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1


def _photographed(key: str, widget: str) -> None:
    if (file := arrived(widget)) is not None:
        _take(key, file)


def _take(key: str, file: UploadedFile) -> None:
    """Pass a file through the gate: onto the shelf and into the link, or a message and nothing else."""
    try:
        taken = photo(file.getvalue(), file.name)
    except Refused as refusal:
        st.session_state[f"{key}_refusal"] = refusal
        return
    link = _DIGEST + taken.digest[:16]
    shelf = {kept: own for kept, own in _shelf().items() if kept != link} | {link: taken}
    st.session_state[_SHELF] = dict(list(shelf.items())[-_SHELF_PLACES:])
    _choose(key, link)


def _shelf() -> dict[str, Photo]:
    """The visitor's own pictures, latest last, by what stands for them in a link."""
    shelf: dict[str, Photo] = st.session_state.get(_SHELF, {})
    return shelf


def _chosen(link: str, samples: Sequence[str], default: str) -> Photo:
    own = _shelf().get(link)
    if own is not None:
        width, height = own.original_size
        name = own.name
        st.text(_("Your picture: {name}, {width} × {height} pixels.", name=name, width=width, height=height))
        for note in own.notes:
            st.caption(_(note))
        return own
    if link.startswith(_DIGEST):
        st.info(
            _(
                "This link was made with a picture that is not here: a link carries its fingerprint, "
                "not the file. The sample is shown instead; drop the same file above to see what its "
                "author saw."
            ),
            icon=":material/link_off:",
        )
    return photos.load(link if link in samples else default)


def _camera_works() -> bool:
    """Browsers open the camera only over https and on this very machine."""
    address = urlsplit(st.context.url or "")
    host = address.hostname or ""
    here = host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
    return here or address.scheme == "https"


def notebook_source(key: str, *, default: str = "chelsea") -> Source:
    """How a notebook gets the pixels of the picture that :func:`photo_input` shows under ``key``."""
    link = st.session_state.get(key, "")
    if link.startswith(_DIGEST) and link in _shelf():
        return Source(
            'photo(Path("your-picture.jpg").read_bytes()).pixels',
            ("from pathlib import Path", "from dlviz.intake import photo"),
        )
    code = link if link in photos.SAMPLES else default
    return Source(f"samples.load({code!r}).pixels", ("from dlviz import samples",))
