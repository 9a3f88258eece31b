"""The page on byte-pair encoding in a real browser: play, step, jump, hover, upload, and how long it takes."""

from __future__ import annotations

import json
import random
import re

import pytest
from playwright.sync_api import Page

from dlviz.language import bpe, sample_texts
from dlviz.language.results import MergeSettings
from tests.browser.conftest import Visit, settle, shoot

pytestmark = pytest.mark.browser

STORY = sample_texts.sample("marche").text.strip()
LINK = "bpe?lang=en&bpe_text=marche&bpe_split=gpt2&bpe_unit=bytes"

MOVE = """([root, act, value]) => new Promise((told) => {
    const control = root.querySelector(act);
    const started = performance.now();
    let painted = null;
    if (value === null) control.click();
    else { control.value = value; control.dispatchEvent(new Event("input")); }
    const look = () => {
        painted ??= performance.now() - started;
        if (root.querySelector(".pairs.after li")) told([painted, performance.now() - started]);
        else setTimeout(look, 2);
    };
    requestAnimationFrame(() => requestAnimationFrame(look));
})"""
"""Act on a control; milliseconds until the text is painted, and until its pairs are there."""


def stepper(page: Page) -> object:
    return page.locator(".stepper").first


def at(page: Page, n: int) -> None:
    page.wait_for_function(
        "([root, n]) => root.dataset.n === String(n)", arg=[stepper(page).element_handle(), n]
    )


def tokens(page: Page) -> list[str]:
    """The tokens of the text as they are read: white space as it is, signs undone."""
    shown = page.locator(".stepper .text").first.locator("bdi").all_text_contents()
    return [text.translate(str.maketrans({"␣": " ", "↵": "\n"})) for text in shown]


def press(page: Page, name: str) -> None:
    page.locator(f".stepper button.{name}").first.click()


def move(page: Page, act: str, value: int | None = None) -> tuple[float, float]:
    painted, counted = page.evaluate(MOVE, [stepper(page).element_handle(), act, value])
    return painted, counted


def opened(visit: Visit, link: str, **looks: object) -> Page:
    page = visit(link, **looks)
    page.locator(".stepper .text bdi").first.wait_for()
    settle(page)
    return page


def test_the_course_sentence_plays_to_its_end(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_n=0")
    assert "".join(tokens(page)) == sample_texts.COURSE_BPE
    press(page, "play")
    at(page, 6)
    trace = bpe.train(sample_texts.COURSE_BPE, MergeSettings())
    assert tokens(page) == [token.text for token in bpe.excerpt(trace, 6).tokens]
    page.wait_for_url(re.compile("bpe_n=6"))


def test_steps_go_forwards_and_backwards_as_the_science_says(visit: Visit) -> None:
    trace = bpe.train(sample_texts.sample("marche").text, MergeSettings(split="gpt2", unit="bytes"))
    page = opened(visit, f"{LINK}&bpe_n=50")
    for name, n in (("forward", 51), ("back", 50), ("back", 49), ("first", 0), ("last", trace.merges)):
        press(page, name)
        at(page, n)
        shown = tokens(page)
        expected = [token.text for token in bpe.excerpt(trace, n).tokens][: len(shown) - 1]
        assert shown[: len(expected)] == expected
        page.locator(".stepper .pairs.after li").first.wait_for()
        now = bpe.step(trace, n, top=10)
        counts = page.locator(".stepper .pairs.after li .count").evaluate_all(
            "all => all.map(e => Number(e.firstChild.textContent))"
        )
        assert counts == [pair.count for pair in now.after.pairs]


def test_the_arrow_keys_step(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_n=3")
    page.locator(".stepper button.forward").focus()
    page.keyboard.press("ArrowRight")
    at(page, 4)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    at(page, 2)


def test_a_preset_moves_the_stepper(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en")
    page.get_by_text("Presets, and what to look for").click()
    page.get_by_text("The example of the first paper").click()
    at(page, 3)
    page.wait_for_function("() => document.querySelector('textarea')?.value.includes('newest newest')")
    assert any(token.startswith("est") for token in tokens(page))


def test_pointing_at_a_token_tells_id_bytes_and_merge(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_n=4")
    page.locator(".stepper .text bdi", has_text="sou").first.hover()
    detail = page.locator(".stepper .detail").first.inner_text()
    for fact in ("14", "73 6F 75", "merge 4"):
        assert fact in detail
    assert page.locator(".stepper .text bdi.same").count() == 2
    assert page.locator(".stepper .detail .tree .node").count() == 5


def test_pointing_at_a_pair_marks_its_places(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_n=0")
    page.locator(".stepper .pairs.after li").first.hover()
    assert page.locator(".stepper .text bdi.here").count() == 4


def test_a_sentence_replays_and_a_token_marks_its_merges(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_view=tokenise")
    assert page.locator(".stepper ol.fired li").count() == 6
    page.locator(".stepper .text bdi", has_text="sou").first.hover()
    assert page.locator(".stepper ol.fired li.used").count() == 2
    assert page.locator(".stepper ol.fired li.best").is_visible()
    press(page, "first")
    at(page, 0)
    press(page, "play")
    at(page, 6)


def test_a_visitors_text_is_only_ever_text(visit: Visit) -> None:
    evil = "<img src=x onerror=alert(1)> <b>x</b> <img src=x onerror=alert(1)> <b>x</b>"
    page = opened(visit, f"bpe?lang=en&bpe_text=text:{evil}&bpe_n=9")
    assert "".join(tokens(page)) == evil
    assert page.locator(".stepper img, .stepper .text b").count() == 0


def test_a_text_with_lines_survives_its_link(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en")
    page.get_by_text("Type or paste", exact=True).click()
    area = page.locator("textarea")
    area.fill("un deux\nun deux\nun")
    area.press("Control+Enter")
    page.wait_for_url(re.compile("bpe_text=text"))
    settle(page)
    again = opened(visit, page.url.split("/")[-1])
    assert again.locator("textarea").input_value() == "un deux\nun deux\nun"
    press(again, "first")
    assert "".join(tokens(again)) == "un deux\nun deux\nun"


def test_steps_answer_within_a_tenth_of_a_second(visit: Visit, record_property) -> None:
    page = opened(visit, f"{LINK}&bpe_n=60")
    times = []
    for act in ["button.forward", "button.back"] * 5:
        times.append(move(page, act)[1])
        page.wait_for_timeout(350)
    jumps = []
    for n in (200, 3, 150, 90, 230):
        jumps.append(move(page, ".slider", n))
        page.wait_for_timeout(500)
    record_property("steps", times)
    record_property("jumps", jumps)
    print(json.dumps({"steps": times, "jumps": jumps}))
    assert sorted(times)[len(times) // 2] < 100
    assert sorted(painted for painted, _ in jumps)[len(jumps) // 2] < 100


def megabyte() -> bytes:
    dice = random.Random(0)
    words = ["".join(dice.choice("etaoinshrdlucm") for _ in range(dice.randint(2, 9))) for _ in range(20_000)]
    return " ".join(words[min(19_999, int(dice.paretovariate(0.7)))] for _ in range(165_000)).encode()


def test_a_megabyte_is_trained_and_steps_as_quickly(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_split=gpt2&bpe_unit=bytes&bpe_size=1256")
    page.get_by_text("File", exact=True).click()
    page.locator("input[type=file]").first.wait_for(state="attached")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "long.txt", "mimeType": "text/plain", "buffer": megabyte()}
    )
    page.wait_for_function("() => document.body.innerText.includes('after 1,000 merges')")
    settle(page)
    assert "bpe_text=sha256" in page.url
    jumps = []
    for n in (500, 20, 900):
        jumps.append(move(page, ".slider", n))
        page.wait_for_timeout(600)
    steps = []
    for act in ["button.back", "button.forward"] * 4:
        steps.append(move(page, act)[1])
        page.wait_for_timeout(350)
    print(json.dumps({"jumps": jumps, "steps": steps}))
    assert sorted(steps)[len(steps) // 2] < 100


def test_training_shows_progress_and_can_be_stopped(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_unit=bytes&bpe_size=20000&bpe_least=1")
    page.get_by_text("File", exact=True).click()
    page.locator("input[type=file]").first.wait_for(state="attached")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "long.txt", "mimeType": "text/plain", "buffer": megabyte() * 4}
    )
    page.locator(".st-key-bpe_training_stop button").click()
    page.get_by_text("Stopped before the end.").wait_for()
    assert page.get_by_role("button", name="Start again").count() == 1


@pytest.mark.parametrize("section", ["tokenise", "compare", "real", "curves"])
def test_every_section_fits_a_phone(visit: Visit, section: str) -> None:
    page = visit(f"bpe?lang=fr&bpe_view={section}&bpe_text=marche", width=390, height=840)
    page.wait_for_timeout(1500)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    shoot(page, f"bpe-{section}-fr-phone")


@pytest.mark.parametrize("section", ["tokenise", "compare", "real", "curves"])
def test_every_section_in_the_dark(visit: Visit, section: str) -> None:
    page = visit(f"bpe?lang=fr&bpe_view={section}&bpe_text=marche&bpe_extra=32", dark=True)
    page.wait_for_timeout(1500)
    assert page.locator("[data-testid=stAlertContentError]").count() == 0
    shoot(page, f"bpe-{section}-fr-dark")


def test_the_merge_that_fires_is_scrolled_into_view(visit: Visit) -> None:
    page = opened(visit, "bpe?lang=en&bpe_view=tokenise&bpe_text=marche")
    inside = page.locator(".stepper ol.fired").evaluate(
        """list => { const box = list.getBoundingClientRect(), row = list.querySelector(".best").getBoundingClientRect();
        return row.top >= box.top - 1 && row.bottom <= box.bottom + 1; }"""
    )
    assert inside
