"""The page on byte-pair encoding, without a browser: sections, choices, presets, texts, export."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tokenizers import Tokenizer

from dlviz.i18n import LANGUAGES, translate
from dlviz.language import bpe, sample_texts
from dlviz.language.results import MergeSettings
from tests.pages.conftest import Opener

SECTIONS = ("train", "tokenise", "compare", "real", "curves")


def films(app: AppTest) -> list[dict[str, Any]]:
    """What the token components were sent, in the order of the page."""
    found = []
    for element in app.get("bidi_component"):
        proto = element.proto
        data = json.loads(proto.mixed.json if proto.WhichOneof("data") == "mixed" else proto.json)
        if "panels" in data:
            found.append(data)
    return found


def texts(panel: dict[str, Any]) -> list[str]:
    """The tokens of a panel without steps."""
    return [panel["entries"][place][1] for place in panel["rounds"][0]["tokens"]]


def made(film: dict[str, Any]) -> list[str]:
    """What the merges of the first panel make, as far as they touch the text."""
    panel = film["panels"][0]
    return [panel["entries"][place][1] for place in panel["made"]]


def group(app: AppTest, key: str) -> Any:
    return next(one for one in app.get("button_group") if one.key == key)


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_opens(open_page: Opener, section: str, language: str) -> None:
    app = open_page("bpe", language, bpe_view=section)
    assert not app.exception
    assert not app.error
    assert films(app) or section == "curves"


def test_the_first_visit_shows_the_course_sentence_after_its_fourth_merge(open_page: Opener) -> None:
    (film,) = films(open_page("bpe"))
    assert film["n"] == 4
    assert made(film) == ["la", "la ", "so", "sou", "ri", "s "]
    panel = film["panels"][0]
    assert "".join(panel["entries"][place][1] for place in panel["symbols"]) == sample_texts.COURSE_BPE
    tied = next(moment for moment in panel["moments"] if moment["n"] == 4)["tied"]
    assert tied == 3
    assert "comes first in the text" in panel["words"]["tied"]


def test_the_tie_break_is_a_choice_and_is_said(open_page: Opener) -> None:
    (film,) = films(open_page("bpe", bpe_tie="ids"))
    trace = bpe.train(sample_texts.COURSE_BPE, MergeSettings(tie_break="ids"))
    assert made(film) == [bpe.step(trace, n).new_text for n in range(1, trace.merges + 1)]
    assert made(film)[0] != "la"
    assert "smallest token ids" in film["panels"][0]["words"]["tied"]


@pytest.mark.parametrize(
    ("link", "settings"),
    [
        ({"bpe_unit": "bytes"}, MergeSettings(unit="bytes")),
        ({"bpe_split": "words"}, MergeSettings(split="words")),
        ({"bpe_split": "gpt2", "bpe_unit": "bytes"}, MergeSettings(split="gpt2", unit="bytes")),
        ({"bpe_form": "NFD", "bpe_lower": "true"}, MergeSettings(normalisation="NFD", lower=True)),
        ({"bpe_size": "40", "bpe_least": "1"}, MergeSettings(vocabulary_size=40, min_count=1)),
    ],
)
def test_every_choice_reaches_the_training(
    open_page: Opener, link: dict[str, str], settings: MergeSettings
) -> None:
    words = "Été à l'été, ÉTÉ d'été à la mer, la mer."
    (film,) = films(open_page("bpe", bpe_text=f"text:{words}", bpe_n="0", **link))
    trace = bpe.train(words, settings)
    assert film["panels"][0]["steps"] == trace.merges
    assert made(film) == [bpe.step(trace, n).new_text for n in range(1, trace.merges + 1)]


def test_the_step_is_in_the_link_and_no_step_is_too_far(open_page: Opener) -> None:
    assert films(open_page("bpe", bpe_n="2"))[0]["n"] == 2
    assert films(open_page("bpe", bpe_n="999999"))[0]["n"] == 6
    assert films(open_page("bpe", bpe_n="-1"))[0]["n"] == 4
    assert films(open_page("bpe", bpe_n="٣٤x"))[0]["n"] == 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_vocabulary_smaller_than_the_alphabet_is_refused_in_words(open_page: Opener, language: str) -> None:
    app = open_page("bpe", language, bpe_size="5")
    said = translate(
        language,
        "The text's alphabet alone has {count} symbols: a vocabulary of {size} cannot hold it.",
        count=11,
        size=5,
    )
    assert [error.value for error in app.error] == [said]
    assert not films(app)


@pytest.mark.parametrize(
    "words",
    ["a", "😀👩‍👩‍👧‍👧é", "שלום עולם", "e\u0301e\u0301e\u0301", "a" * 400, "<script>alert(1)</script>"],
)
@pytest.mark.parametrize("section", SECTIONS)
def test_odd_texts_are_shown(open_page: Opener, section: str, words: str) -> None:
    app = open_page("bpe", bpe_text=f"text:{words}", bpe_view=section, bpe_unit="bytes", bpe_split="gpt2")
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("section", ["tokenise", "compare", "real"])
@pytest.mark.parametrize("words", ["", " ", "☂", "😀é", "a" * 500])
def test_odd_sentences_are_tokenised(open_page: Opener, section: str, words: str) -> None:
    app = open_page("bpe", bpe_view=section)
    key = {"tokenise": "bpe_sentence", "compare": "bpe_same", "real": "bpe_real"}[section]
    app.text_input(key=key).set_value(words)
    run(app)
    assert not app.error


def test_a_sentence_is_replayed_with_its_unknown_characters(open_page: Opener) -> None:
    app = open_page("bpe", bpe_view="tokenise")
    film = films(app)[0]["panels"][0]
    unknown = [entry[1] for entry in film["entries"] if not entry[7]]
    assert unknown == ["☂"]
    assert [metric.value for metric in app.metric][:3] == ["24", "1.5", "1"]
    assert any("gives another text" in one.value for one in app.warning)


def test_bytes_know_every_character(open_page: Opener) -> None:
    app = open_page("bpe", bpe_view="tokenise", bpe_unit="bytes")
    assert app.metric[2].value == "0"
    assert any("character by character" in one.value for one in app.success)


def test_the_first_merges_alone_can_be_used(open_page: Opener) -> None:
    app = open_page("bpe", bpe_view="tokenise", bpe_used="step", bpe_n="1")
    assert films(app)[0]["panels"][0]["steps"] == 1


def test_three_ways_differ_on_the_same_text(open_page: Opener) -> None:
    film = films(open_page("bpe", bpe_view="compare", bpe_text="marche", bpe_extra="32"))[0]
    merges, bound, pruned = film["panels"]
    assert [merges["by"], bound["by"]] == ["count", "score"]
    names = [[p["entries"][place][1] for place in p["made"][:5]] for p in (merges, bound)]
    assert names[0] != names[1]
    sizes = [one["note"] for one in pruned["rounds"]]
    assert len(sizes) > 3


def test_the_three_tokenise_one_sentence(open_page: Opener) -> None:
    app = open_page("bpe", bpe_view="compare", bpe_text="marche", bpe_same=sample_texts.COURSE_WORDPIECE)
    stacked = films(app)[1]
    assert stacked["stacked"]
    for panel in stacked["panels"]:
        joined = "".join(texts(panel)).replace(" ", "").replace("</w>", "").replace("##", "")
        assert joined == sample_texts.COURSE_WORDPIECE.replace(" ", "")


def test_clip_replays_its_real_merges(open_page: Opener) -> None:
    app = open_page("bpe", bpe_view="real", bpe_real="la souris")
    assert [one["stacked"] for one in films(app)] == [True, False]
    clip = films(app)[0]["panels"][0]
    assert clip["title"] == "CLIP"
    assert "".join(texts(clip)) == "lasouris"
    fired = films(app)[1]["panels"][0]
    assert fired["fired"] and fired["steps"] > 3


def small_tokenizer() -> bytes:
    from dlviz.language import bpe_export

    trace = bpe.train(sample_texts.sample("marche").text, MergeSettings(split="gpt2", unit="bytes"))
    return bpe_export.tokenizer_json(trace).encode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_uploaded_tokenizer_stands_beside_the_others(open_page: Opener, language: str) -> None:
    app = open_page("bpe", language, bpe_view="real", bpe_real="le marché")
    before = len(films(app)[0]["panels"])
    app.file_uploader[0].set_value(("tokenizer.json", small_tokenizer(), "application/json"))
    run(app)
    run(app)
    panels = films(app)[0]["panels"]
    assert len(panels) == before + 1
    mine = next(panel for panel in panels if panel["title"] == "tokenizer.json")
    ids = Tokenizer.from_str(small_tokenizer().decode()).encode("le marché").ids
    assert [mine["entries"][place][0] for place in mine["rounds"][0]["tokens"]] == ids


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe", b"{}", b"[1]", b'{"model": {"type": "evil"}}', b"\x89PNG\r\n"]
)
def test_a_bad_tokenizer_is_refused_and_the_page_goes_on(
    open_page: Opener, language: str, data: bytes
) -> None:
    app = open_page("bpe", language, bpe_view="real")
    before = len(films(app)[0]["panels"])
    app.file_uploader[0].set_value(("tokenizer.json", data, "application/json"))
    run(app)
    assert len(app.error) == 1
    assert len(films(app)[0]["panels"]) == before


def test_the_price_of_a_language_is_in_the_maths(open_page: Opener) -> None:
    app = open_page("bpe", "fr", bpe_view="real")
    assert any(r"\frac{14}{6} = 2{,}33" in one.value for one in app.latex)


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ["Our encoder (WordPiece)", "Our decoder (byte-level BPE)", "Our translator (Unigram)"]),
        ("fr", ["Notre encodeur (WordPiece)", "Notre décodeur (BPE d’octets)", "Notre traducteur (Unigram)"]),
    ],
)
def test_our_own_vocabularies_stand_beside_clip_by_their_names(
    open_page: Opener, language: str, names: list[str]
) -> None:
    """In the tokens, under the bars of both charts, and among those whose merges can be replayed."""
    app = open_page("bpe", language, bpe_view="real")
    titles = [panel["title"] for panel in films(app)[0]["panels"]]
    assert titles[0] == "CLIP" and set(names) <= set(titles)
    charts = [chart.proto.spec for chart in app.get("plotly_chart")]
    assert len(charts) == 2
    for chart in charts:
        labels = json.loads(chart)["layout"]["yaxis"]["ticktext"]
        assert set(names) <= {label.replace("<br>", " ") for label in labels}
    pills = [option for one in app.get("button_group") for option in one.options]
    assert names[1] in pills


@pytest.mark.parametrize("section", ["train", "tokenise", "curves", "compare", "real"])
def test_the_export_opens(open_page: Opener, section: str) -> None:
    app = open_page("bpe", bpe_view=section)
    stem = {"compare": "bpe_three", "real": "bpe_real"}.get(section, "bpe")
    app.session_state[f"{stem}_export"] = True
    run(app)
    labels = [button.proto.label for button in app.get("download_button")]
    assert "CSV" in labels
    if stem == "bpe":
        assert {"tokenizer.json", "merges.txt", "NPZ"} <= set(labels)


def test_a_long_text_is_trained_as_a_job(open_page: Opener) -> None:
    words = sample_texts.sample("marche").text
    app = open_page("bpe", bpe_split="gpt2", bpe_unit="bytes")
    group(app, "bpe_text_source").set_value("file")
    run(app)
    app.file_uploader[0].set_value(("long.txt", (words * 40).encode(), "text/plain"))
    run(app)
    assert app.session_state["bpe_training_finished"][1].characters == 40 * len(words)
    assert films(app)[0]["panels"][0]["more"].startswith("…")


def test_the_language_changes_nothing_but_words(open_page: Opener) -> None:
    app = open_page("bpe", bpe_n="3", bpe_text="text:aaaa bbbb aaaa")
    before = films(app)[0]["panels"][0]
    app.segmented_control(key="lang_choice").set_value("fr")
    run(app)
    after = films(app)[0]["panels"][0]
    assert before["moments"] == after["moments"]
    assert before["words"] != after["words"]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_code_that_is_shown_runs(open_page: Opener, section: str) -> None:
    app = open_page("bpe", bpe_view=section, bpe_text="text:aaaa bbbb aaaa bbbb", bpe_n="1")
    snippets = [one.value for one in app.code if one.value.startswith("from dlviz")]
    assert len(snippets) == 2
    names: dict[str, Any] = {}
    for snippet in snippets:
        exec(snippet, names)
    assert names["result"] is not None
