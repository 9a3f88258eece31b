"""The picture chooser, in English and in French."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dlviz import samples
from dlviz.i18n import translate
from dlviz.intake import photo
from tests.intake.pictures import example, saved, scene

KEY = "cnn_filters_photo"
GOOD = example("JPEG")
LINK = f"sha256:{photo(GOOD).digest[:16]}"


def page() -> None:
    """A page of three lines."""
    import streamlit as st

    from dlviz.ui import language
    from dlviz.ui.uploads import photo_input

    language.switch()
    shown = photo_input("cnn_filters_photo", samples=("chelsea", "coffee", "china"), default="coffee")
    st.code(shown.digest)


def opened(language: str, **link: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=30)
    app.query_params["lang"] = language
    for name, value in link.items():
        app.query_params[name] = value
    return run(app)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def widget(app: AppTest, name: str):
    return next(group for group in app.get("button_group") if group.key == f"{KEY}_{name}")


def shown(app: AppTest) -> str:
    return app.code[0].value


def link(app: AppTest) -> str | None:
    values = app.query_params.get(KEY)
    return values[0] if isinstance(values, list) else values


def upload(app: AppTest, data: bytes, name: str = "mine.jpg") -> AppTest:
    if not app.get("file_uploader"):
        widget(app, "source").set_value("upload")
        run(app)
    app.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return run(app)


def switch(app: AppTest, language: str) -> AppTest:
    field = app.text_input(key="lang")
    field.set_value(language)
    return run(app)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_first_run_shows_the_default_sample_without_a_click(language):
    app = opened(language)
    assert shown(app) == samples.load("coffee").digest
    assert not link(app)
    assert widget(app, "source").label == translate(language, "Picture")
    labels = [option.content for option in widget(app, "sample").proto.options]
    assert [text.split(") ", 1)[1] for text in labels] == [
        translate(language, samples.sample(code).title) for code in ("chelsea", "coffee", "china")
    ]
    credit = translate(language, "Photo: {credit} ({licence}).", credit="Rachel Michetti", licence="CC0")
    assert credit in [caption.value for caption in app.caption]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_sample_is_chosen_by_hand_and_by_link(language):
    app = opened(language)
    widget(app, "sample").set_value("china")
    run(app)
    assert shown(app) == samples.load("china").digest
    assert link(app) == "china"
    assert shown(opened(language, **{KEY: "china"})) == samples.load("china").digest


def test_a_link_to_no_sample_opens_on_the_default():
    assert shown(opened("en", **{KEY: "../../etc/passwd"})) == samples.load("coffee").digest


@pytest.mark.parametrize("language", ["en", "fr"])
def test_an_upload_is_shown_named_and_linked_by_its_digest(language):
    app = upload(opened(language), GOOD)
    assert shown(app) == photo(GOOD).digest
    assert link(app) == LINK
    said = translate(
        language, "Your picture: {name}, {width} × {height} pixels.", name="mine.jpg", width=48, height=32
    )
    assert said in [text.value for text in app.text]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_broken_file_gives_its_message_and_the_last_good_picture_stays(language):
    app = upload(opened(language), GOOD)
    upload(app, GOOD[:-60], "broken.jpg")
    said = translate(language, "The file was cut short: its end is missing. Copy or download it again.")
    assert [error.value for error in app.error] == [said]
    assert shown(app) == photo(GOOD).digest
    assert link(app) == LINK
    upload(app, b"<svg ></svg>", "drawing.svg")
    assert "SVG" in app.error[0].value
    assert shown(app) == photo(GOOD).digest
    upload(app, example("PNG"), "other.png")
    assert not app.error
    assert shown(app) == photo(example("PNG")).digest


def test_a_broken_first_file_leaves_the_sample():
    app = upload(opened("en"), b"")
    assert "0 bytes" in app.error[0].value
    assert shown(app) == samples.load("coffee").digest
    assert not link(app)


def test_the_message_and_the_picture_follow_a_switch_of_language():
    app = upload(opened("en"), GOOD)
    upload(app, GOOD[:-60])
    switch(app, "fr")
    assert "tronqué" in app.error[0].value
    assert shown(app) == photo(GOOD).digest
    switch(app, "en")
    assert "cut short" in app.error[0].value
    assert shown(app) == photo(GOOD).digest


def test_a_chosen_sample_survives_a_switch_of_language():
    app = opened("en")
    widget(app, "sample").set_value("china")
    run(app)
    switch(app, "fr")
    assert shown(app) == samples.load("china").digest
    assert link(app) == "china"


def test_going_to_the_samples_and_back_brings_the_upload_back():
    app = upload(opened("en"), GOOD)
    widget(app, "source").set_value("sample")
    run(app)
    assert shown(app) == samples.load("coffee").digest
    widget(app, "source").set_value("upload")
    run(app)
    assert shown(app) == photo(GOOD).digest


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_link_to_a_file_that_is_not_here_opens_on_the_sample_and_says_so(language):
    app = opened(language, **{KEY: LINK})
    assert shown(app) == samples.load("coffee").digest
    assert {"en": "fingerprint", "fr": "empreinte"}[language] in app.info[0].value
    assert link(app) == LINK
    upload(app, GOOD)
    assert shown(app) == photo(GOOD).digest
    assert not app.info


def test_the_bytes_are_dropped_and_only_a_few_pictures_kept():
    app = opened("en")
    for width in range(40, 47):
        upload(app, saved(scene(width, 40), "PNG"))
        assert app.file_uploader[0].value is None
    kept = app.session_state["visitor_photos"]
    assert [own.original_size[0] for own in kept.values()] == [43, 44, 45, 46]


def test_a_file_name_is_shown_as_text_only():
    app = upload(opened("en"), GOOD, "![x](http://example.org/x.png)<b>.jpg")
    assert "x.png)<b>.jpg" in app.text[0].value
    assert not any("x.png" in other.value for other in [*app.markdown, *app.caption])


@pytest.mark.parametrize(
    ("address", "offered"),
    [
        ("https://lab.example.org/cnn", True),
        ("http://localhost:8501/", True),
        ("http://127.0.0.1:8501/", True),
        ("http://[::1]:8501/", True),
        ("http://192.168.1.20:8501/", False),
        ("http://localhost.example.org/", False),
        (None, False),
    ],
)
def test_the_camera_is_offered_where_browsers_open_it(monkeypatch, address, offered):
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.url", property(lambda self: address))
    app = opened("en")
    assert ("camera" in _codes(widget(app, "source"))) == offered
    widget(app, "source").set_value("upload")
    run(app)
    assert any("--tls" in caption.value for caption in app.caption) != offered


def _codes(group) -> list[str]:
    words = {"Sample": "sample", "Your picture": "upload", "Camera": "camera"}
    return [words[option.content] for option in group.proto.options]


def test_a_camera_shot_is_shown_and_linked(monkeypatch):
    monkeypatch.setattr(
        "streamlit.runtime.context.ContextProxy.url", property(lambda self: "https://lab.example")
    )
    app = opened("en")
    widget(app, "source").set_value("camera")
    run(app)
    app.camera_input[0].set_value(("shot.jpg", GOOD, "image/jpeg"))
    run(app)
    assert shown(app) == photo(GOOD).digest
    assert link(app) == LINK
