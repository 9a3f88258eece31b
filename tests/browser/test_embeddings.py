"""The embeddings page as a visitor uses it: type, click, play, lasso, upload, train; and how long an answer takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from dlviz.language import vector_files
from dlviz.language.word_vectors import WordVectors
from tests.browser.conftest import Visit, settle, shoot

pytestmark = pytest.mark.browser

VIEWS = {
    "near": "emb_ask=near",
    "analogy": "emb_ask=analogy",
    "axis": "emb_ask=axis",
    "odd": "emb_ask=odd",
    "clusters": "emb_ask=clusters&emb_limit=500",
    "projector": "emb_view=projector",
    "train": "emb_view=train",
    "step": "emb_view=step",
    "walks": "emb_view=walks",
    "nodes": "emb_view=nodes",
    "links": "emb_view=nodes&emb_nodes_part=links",
    "bias": "emb_view=nodes&emb_nodes_part=bias",
}
BARS = ".st-key-emb_neighbour_bars .barlayer text"


def opened(visit: Visit, link: str = "", **looks: object) -> Page:
    return visit(f"embeddings?lang=en&emb_vectors=words-en{link}", **looks)


def type_word(page: Page, field: str, word: str) -> None:
    box = page.locator(f".st-key-{field}_typed input")
    box.fill(word)
    box.press("Enter")


def test_a_cold_visit_shows_neighbours_without_a_click(visit: Visit) -> None:
    page = visit("embeddings?lang=en")
    expect(page.locator(BARS).first).to_be_visible()
    assert page.locator(BARS).count() >= 12
    shoot(page, "embeddings-words")


def test_a_word_is_answered_quickly(visit: Visit, record_property: Callable[[str, object], None]) -> None:
    page = opened(visit)
    page.locator(BARS).first.wait_for()
    times = []
    for word in ("king", "sea", "house", "window", "bread", "london", "winter"):
        page.evaluate(
            """selector => { window.answered = null;
              const read = () => [...document.querySelectorAll(selector)].map(t => t.textContent).join('|');
              const before = read();
              addEventListener('keydown', event => { if (event.key !== 'Enter') return;
                const began = performance.now();
                const look = () => { const now = read();
                  if (now && now !== before) window.answered = performance.now() - began;
                  else requestAnimationFrame(look); };
                look(); }, {once: true, capture: true}); }""",
            BARS,
        )
        type_word(page, "emb_word", word)
        page.wait_for_function("() => window.answered !== null")
        times.append(page.evaluate("() => window.answered"))
        page.wait_for_timeout(400)
    record_property("word_to_neighbours", times)
    print(json.dumps({"word_to_neighbours": times}))
    assert sorted(times)[len(times) // 2] < 1000


def test_a_bar_leads_on_to_its_word_and_the_link_follows(visit: Visit) -> None:
    page = opened(visit, "&emb_word=king")
    bar = page.locator(".st-key-emb_neighbour_bars .barlayer .point path").nth(1)
    word = (page.locator(BARS).nth(1).text_content() or "").split()[0]
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    expect(page.locator(".st-key-emb_word_typed input")).to_have_value(word)
    page.wait_for_url(re.compile(f"emb_word={word}"))


def test_a_near_spelling_is_clicked(visit: Visit) -> None:
    page = opened(visit)
    type_word(page, "emb_word", "kinng")
    page.get_by_role("button", name="king", exact=True).first.click()
    expect(page.locator(".st-key-emb_word_typed input")).to_have_value("king")
    expect(page.locator(BARS).first).to_be_visible()


def test_the_language_switch_keeps_what_was_typed(visit: Visit) -> None:
    page = opened(visit, "&emb_ask=analogy", dark=True)
    type_word(page, "emb_a", "walk")
    type_word(page, "emb_b", "walked")
    type_word(page, "emb_c", "talk")
    expect(page.get_by_text(re.compile("points most nearly at talked"))).to_be_visible()
    settle(page)
    page.get_by_text("Français", exact=True).first.click()
    expect(page.get_by_text(re.compile("pointe au plus près de talked"))).to_be_visible()
    for key, word in (("emb_a", "walk"), ("emb_b", "walked"), ("emb_c", "talk")):
        expect(page.locator(f".st-key-{key}_typed input")).to_have_value(word)
    settle(page)
    shoot(page, "embeddings-analogy-fr-dark")


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").last.wait_for(state="attached")
    page.locator("input[type=file]").last.set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )
    settle(page)


def test_own_vectors_are_asked(visit: Visit) -> None:
    page = visit("embeddings?lang=en&emb_vectors=own")
    rng = np.random.default_rng(0)
    store = WordVectors([f"mot{i}" for i in range(60)], rng.normal(size=(60, 12)).astype(np.float32))
    upload(page, "mine.txt", vector_files.write(store, "word2vec-text")["vectors.txt"])
    expect(page.get_by_text("Your vectors: mine.txt, 60 words of 12 dimensions.")).to_be_visible()
    expect(page.locator(BARS).first).to_have_text(re.compile("mot"))
    page.wait_for_url(re.compile("emb_file=sha256"))


def test_a_walk_is_played_stepped_and_restarted_by_a_click(visit: Visit) -> None:
    page = opened(visit, "&emb_view=walks&emb_graph=miserables&emb_walk_n=0")
    walker = page.locator(".walker")
    expect(walker.locator(".said")).to_contain_text("starts on Valjean")
    walker.locator("button.forward").click()
    expect(walker.locator(".said")).to_contain_text("and came from Valjean")
    page.wait_for_url(re.compile("emb_walk_n=1"))
    shoot(page, "embeddings-walk")
    walker.locator(".speed").select_option("8")
    walker.locator("button.play").click()
    expect(walker.locator(".where")).to_have_text("Step 19 of 19", timeout=20_000)
    expect(walker.locator(".said")).to_contain_text("has visited 20 nodes")
    settle(page)
    canvas = walker.locator(".graph")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    for share in np.linspace(0.3, 0.7, 30):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
        if canvas.evaluate("e => e.style.cursor") == "pointer":
            page.mouse.down()
            page.mouse.up()
            break
    expect(walker.locator(".said")).to_contain_text("The walk starts on")
    page.wait_for_url(re.compile("emb_walk_start="))


def test_the_candidates_of_every_step_sum_to_one(visit: Visit) -> None:
    page = opened(visit, "&emb_view=walks&emb_walk_n=0")
    walker = page.locator(".walker")
    walker.locator(".lottery i").first.wait_for()
    for _step in range(6):
        shares = walker.locator(".lottery i").evaluate_all("all => all.map(e => parseFloat(e.style.width))")
        assert sum(shares) <= 100.01
        if not walker.locator(".more").inner_text():
            assert sum(shares) == pytest.approx(100, abs=0.01)
        needle = float(walker.locator(".lottery b").evaluate("e => parseFloat(e.style.left)"))
        won = walker.locator(".lottery i.won")
        left, width = won.evaluate("e => [parseFloat(e.style.left), parseFloat(e.style.width)]")
        assert left - 0.01 <= needle <= left + width + 0.01
        walker.locator("button.forward").click()


def test_an_own_graph_is_walked_on_and_trained(visit: Visit) -> None:
    page = opened(visit, "&emb_view=walks&emb_graph=own")
    edges = [(a, b) for part in (range(8), range(8, 16)) for a in part for b in part if a < b] + [(0, 8)]
    upload(page, "mine.csv", "\n".join(f"p{a},p{b}" for a, b in edges).encode())
    expect(page.get_by_text("Your graph: mine.csv")).to_be_visible()
    expect(page.get_by_text("16 nodes, 57 edges, undirected, without weights.")).to_be_visible()
    page.get_by_text("Node2Vec", exact=True).click()
    page.get_by_role("button", name="Start the training").click()
    expect(page.get_by_text(re.compile("Trained in"))).to_be_visible(timeout=120_000)
    twins = page.locator(".twins")
    canvas = twins.locator(".two")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    corners = ((0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.05))
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()
    expect(twins.locator(".picked")).to_contain_text("16 nodes chosen (community 1: 8, community 2: 8)")
    shoot(page, "embeddings-node2vec")
    twins.locator("button.clear").click()
    expect(twins.locator(".picked")).to_be_empty()
    page.get_by_role("button", name="Keep these vectors").click()
    expect(page.get_by_text(re.compile("Kept for this visit"))).to_be_visible()
    page.get_by_text("Words", exact=True).first.click()
    page.locator(".st-key-emb_vectors_choice").get_by_role("combobox").click()
    page.get_by_role("option", name=re.compile("nodes of a graph")).click()
    expect(page.locator(BARS).first).to_have_text(re.compile(r"p\d"))


def test_a_training_is_stopped_and_started_again(visit: Visit) -> None:
    page = opened(visit, "&emb_view=nodes&emb_graph=small_world&emb_ring=800&emb_n2v_epochs=10")
    page.get_by_role("button", name="Start the training").click()
    expect(page.get_by_text(re.compile("nats a pair"))).to_be_visible(timeout=120_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start again")).to_be_visible(timeout=30_000)


def test_own_text_is_trained_on_and_asked(visit: Visit) -> None:
    page = opened(visit, "&emb_view=train")
    page.get_by_role("button", name=re.compile("Start|Train")).last.click()
    keep = page.get_by_role("button", name=re.compile("Keep these vectors"))
    expect(keep).to_be_visible(timeout=180_000)
    keep.click()
    settle(page)
    page.get_by_text("Words", exact=True).first.click()
    page.locator(".st-key-emb_vectors_choice").get_by_role("combobox").click()
    page.get_by_role("option", name=re.compile("trained here")).click()
    expect(page.locator(BARS).first).to_be_visible()
    shoot(page, "embeddings-own-text")


def stand(page: Page) -> None:
    """Wait until no widget's code is still on its way."""
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    page.wait_for_timeout(1000)


@pytest.mark.parametrize("view", VIEWS)
def test_every_section_fits_a_phone(visit: Visit, view: str) -> None:
    page = visit(f"embeddings?lang=fr&{VIEWS[view]}", width=390, height=840)
    stand(page)
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("e => e.scrollWidth - e.clientWidth") <= 1
    shoot(page, f"embeddings-{view}-fr-phone")


@pytest.mark.parametrize("view", VIEWS)
def test_every_section_in_the_dark_and_on_a_projector(visit: Visit, view: str) -> None:
    page = visit(f"embeddings?lang=fr&{VIEWS[view]}&projector=true", dark=True)
    stand(page)
    assert page.get_by_text(re.compile("Something went wrong|Une erreur")).count() == 0
    shoot(page, f"embeddings-{view}-fr-dark-projector")
