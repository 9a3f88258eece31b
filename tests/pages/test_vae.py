"""The VAE page without a browser: every section in both languages, own input, snippets, hostile links, training."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dlviz import zoo
from dlviz.i18n import LANGUAGES, translate
from dlviz.intake import strokes
from dlviz.views.vae import networks
from dlviz.vision import vae, vae_input, vae_terms
from dlviz.vision.vae_results import Draw
from tests.pages.conftest import Opener

VIEWS = ("map", "draws", "terms", "beta", "between", "sixteen", "training")


def opened(open_page: Opener, language: str = "en", **link: str) -> AppTest:
    app = open_page("vae", language, **{f"vae_{name}": code for name, code in link.items()})
    assert not app.exception
    return app


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


def group(app: AppTest, key: str) -> Any:
    return next(one for one in app.get("button_group") if one.key == key)


def components(app: AppTest, field: str) -> list[dict[str, Any]]:
    """What the components on the page were sent, those that know ``field``."""
    found = []
    for element in app.get("bidi_component"):
        proto = element.proto
        data = json.loads(proto.mixed.json if proto.WhichOneof("data") == "mixed" else proto.json)
        if field in data:
            found.append(data)
    return found


def drawn_seven() -> str:
    """A 7 in the letters of a link."""
    return strokes.write([strokes.Stroke(((60, 60), (190, 60), (110, 200)))])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_section_opens(open_page: Opener, view: str, language: str) -> None:
    app = opened(open_page, language, view=view)
    assert not app.error
    assert group(app, "vae_view_choice").value == view


@pytest.mark.parametrize("view", VIEWS)
def test_every_section_knows_the_second_data_set(open_page: Opener, view: str) -> None:
    app = opened(open_page, "fr", view=view, data="fashion-mnist")
    assert not app.error


@pytest.mark.parametrize("view", ["map", "draws", "terms", "between"])
def test_a_plain_autoencoder_is_told_apart(open_page: Opener, view: str) -> None:
    app = opened(open_page, view=view, model="plain")
    assert not app.error
    if view == "draws":
        assert any("answers with a point" in one.value for one in app.info)
    if view == "terms":
        assert app.metric[1].value == "0"


def test_the_first_visit_shows_a_sample_and_invites_to_draw(open_page: Opener) -> None:
    app = opened(open_page)
    assert any("until you draw, a sample is shown" in one.value for one in app.caption)
    assert any("It lands at" in one.value for one in app.markdown)


def test_a_drawing_in_the_link_goes_through_the_network(open_page: Opener) -> None:
    app = opened(open_page, drawing=drawn_seven())
    prepared = vae_input.prepare(strokes.draw(strokes.read(drawn_seven()), 112), kind="mnist")
    mean = vae.locate(zoo.load("mnist-vae-2d"), prepared.pixels).posterior.mean
    said = translate("en", "It lands at ({x}, {y}).", x=round(float(mean[0]), 2), y=round(float(mean[1]), 2))
    assert said in [one.value for one in app.markdown]


def test_a_cat_is_far_from_every_digit(open_page: Opener) -> None:
    app = opened(open_page, source="photo")
    assert any("far from what the network was trained on" in one.value for one in app.warning)


def test_a_sample_is_in_the_link(open_page: Opener) -> None:
    app = opened(open_page, source="sample", sample="m5")
    assert group(app, "vae_sample_choice").value == "m5"


@pytest.mark.parametrize("view", ["map", "draws", "terms", "beta", "between", "sixteen"])
def test_the_snippets_run_and_give_a_result(open_page: Opener, view: str) -> None:
    app = opened(open_page, view=view)
    snippets = [block.value for block in app.code if "zoo.load(" in block.value]
    assert snippets
    for snippet in snippets:
        names: dict[str, object] = {}
        exec(snippet, names)
        assert names["result"] is not None


def test_a_snippet_gives_the_draw_that_the_page_shows(open_page: Opener) -> None:
    app = opened(open_page, view="draws", seed="5", drawing=drawn_seven())
    snippet = next(block.value for block in app.code if "vae_terms.draw(" in block.value)
    names: dict[str, Any] = {}
    exec(snippet, names)
    result = names["result"]
    assert isinstance(result, Draw) and result.seed == 5
    shown = " ".join(str(app.table[0].value.to_numpy().tolist()))
    assert str(round(float(result.noise[0]), 3)) in shown.replace(" ", "")


def test_drawing_again_takes_the_next_seed(open_page: Opener) -> None:
    app = opened(open_page, view="draws", seed="3")
    before = app.table[0].value.to_numpy().tolist()
    app.button(key="vae_again").click()
    run(app)
    assert app.number_input(key="vae_seed").value == 4
    after = app.table[0].value.to_numpy().tolist()
    assert [row[1:4] for row in before] == [row[1:4] for row in after]
    assert [row[4:] for row in before] != [row[4:] for row in after]


def test_the_two_terms_are_those_of_torch_distributions(open_page: Opener) -> None:
    app = opened(open_page, view="terms", drawing=drawn_seven())
    pixels = vae_input.prepare(strokes.draw(strokes.read(drawn_seven()), 112), kind="mnist").pixels
    reference = vae_terms.reference_terms(zoo.load("mnist-vae-2d"), pixels)
    values = [float(one.value) for one in app.metric[:3]]
    assert values[0] == pytest.approx(reference.reconstruction, abs=0.02)
    assert values[1] == pytest.approx(reference.kl, abs=0.02)
    assert values[2] == pytest.approx(reference.negative_elbo, abs=0.03)


def test_a_slider_moves_its_dimension_and_goes_back(open_page: Opener) -> None:
    app = opened(open_page, view="sixteen", move_1="2")
    assert app.slider(key="vae_move_1").value == 2
    app.button(key="vae_unmove").click()
    run(app)
    assert app.slider(key="vae_move_1").value == 0


def test_inactive_dimensions_are_named(open_page: Opener) -> None:
    app = opened(open_page, view="sixteen")
    codes = vae.read_codes(str(zoo.file("mnist-vae-16d", "codes.safetensors")))
    silent = [f"z{i + 1}" for i in range(16) if codes.mean[:, i].var() <= 0.01]
    said = " ".join(one.value for one in app.caption)
    assert ("Inactive: " in said) == bool(silent)
    for name in silent:
        assert name in said


HOSTILE = [
    {"z": "nan,nan"},
    {"z": "inf,1e999"},
    {"z": "a;b"},
    {"model": "resnet50"},
    {"data": "../../etc/passwd"},
    {"view": "nowhere"},
    {"source": "nan"},
    {"source": "sample", "sample": "d99"},
    {"drawing": "<script>alert(1)</script>"},
    {"drawing": "sha256:0123456789abcdef"},
    {"source": "photo", "photo": "sha256:0123456789abcdef"},
    {"view": "draws", "seed": "nan"},
    {"view": "draws", "seed": "-1"},
    {"view": "sixteen", "temperature": "nan"},
    {"view": "sixteen", "move_3": "nan"},
    {"view": "sixteen", "move_3": "1e9"},
    {"view": "between", "a": "nan", "minus": "-5", "plus": "11"},
    {"view": "between", "between": "9"},
    {"view": "training", "train_steps": "nan", "train_beta": "nan", "train_seed": "1e99"},
]


@pytest.mark.parametrize("link", HOSTILE, ids=lambda link: "-".join(map(str, link.values()))[:40])
def test_a_hostile_link_opens_the_page(open_page: Opener, link: dict[str, str]) -> None:
    app = opened(open_page, **link)
    assert any("It lands at" in one.value for one in app.markdown)


def png(pixels: np.ndarray) -> bytes:
    packed = io.BytesIO()
    Image.fromarray(pixels).save(packed, "PNG")
    return packed.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_photo_is_refused_in_words_and_the_page_goes_on(
    open_page: Opener, language: str, level: int
) -> None:
    app = opened(open_page, language, source="photo")
    group(app, "vae_photo_source").set_value("upload")
    run(app)
    blank = np.full((200, 200, 3), level, np.uint8)
    app.file_uploader[0].set_value(("blank.png", png(blank), "image/png"))
    run(app)
    assert len(app.warning) >= 1
    assert any(str(one.value).startswith(("It lands", "Elle arrive")) for one in app.markdown)


def archive(count: int, extra: dict[str, bytes] | None = None) -> bytes:
    """A zip of small pictures of discs, and other files."""
    packed = io.BytesIO()
    rows, columns = np.mgrid[:32, :32]
    with zipfile.ZipFile(packed, "w") as target:
        for i in range(count):
            disc = ((rows - 16) ** 2 + (columns - 16) ** 2 < (4 + i % 10) ** 2) * 255
            target.writestr(f"disc{i}.png", png(np.repeat(disc[..., None], 3, 2).astype(np.uint8)))
        for name, data in (extra or {}).items():
            target.writestr(name, data)
    return packed.getvalue()


def with_zip(open_page: Opener, data: bytes, language: str = "en") -> AppTest:
    app = opened(open_page, language, view="training", train_on="zip", train_steps="100")
    uploader = next(one for one in app.file_uploader if one.key.startswith("vae_zip_file"))
    uploader.set_value(("mine.zip", data, "application/zip"))
    return run(app)


def test_own_pictures_from_a_zip_are_trained_on(open_page: Opener) -> None:
    app = with_zip(open_page, archive(60, {"notes.txt": b"hello", "broken.png": b"\x89PNG\r\n\x1a\n123"}))
    assert not app.error
    said = [one.value for one in app.text]
    assert any(line.startswith("notes.txt") for line in said)
    assert any(line.startswith("broken.png") for line in said)
    app.button(key="vae_training_start").click()
    run(app)
    trained = app.session_state["vae_training_finished"][1]
    assert trained.frame.step == 100
    assert len(trained.frame.codes)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("data", [b"", b"PK nothing", archive(10)], ids=["empty", "no zip", "too few"])
def test_a_zip_that_will_not_do_is_refused_in_words(open_page: Opener, language: str, data: bytes) -> None:
    app = with_zip(open_page, data, language)
    assert len(app.error) == 1
    assert any(str(one.value).startswith(("It lands", "Elle arrive")) for one in app.markdown)


def test_without_the_data_set_the_training_takes_what_is_here(
    open_page: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("DLVIZ_DATA_DIR", str(tmp_path))
    app = opened(open_page, view="training")
    assert any("MNIST" in one.value for one in app.info)
    assert any("1,797 pictures" in one.value for one in app.caption)


def test_what_was_trained_here_can_be_kept_and_has_its_own_map(open_page: Opener) -> None:
    app = opened(open_page, view="training", train_on="digits", train_steps="100")
    app.button(key="vae_training_start").click()
    run(app)
    app.button(key="vae_keep").click()
    run(app)
    assert app.session_state[networks.KEPT][0] == "mnist"
    group(app, "vae_model_choice").set_value(networks.OWN)
    run(app)
    for view in ("map", "draws", "terms", "between"):
        group(app, "vae_view_choice").set_value(view)
        run(app)
        assert not app.error


@pytest.mark.parametrize("view", ["map", "draws", "terms", "beta", "between", "sixteen"])
def test_the_export_opens(open_page: Opener, view: str) -> None:
    app = opened(open_page, view=view)
    stem = {"map": "vae_walk", "sixteen": "vae_sixteen"}.get(view, f"vae_{view}")
    app.session_state[f"{stem}_export"] = True
    run(app)
    labels = {button.proto.label for button in app.get("download_button")}
    assert "NPZ" in labels


def test_a_link_to_every_preset_opens(open_page: Opener) -> None:
    links = [one.proto.query_string for one in opened(open_page).get("page_link") if one.proto.query_string]
    assert len(links) >= 6
    for link in links:
        state = {key.removeprefix("vae_"): value for key, value in parse_qsl(link) if key.startswith("vae_")}
        app = opened(open_page, **state)
        assert state
        assert not app.error
