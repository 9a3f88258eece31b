"""A public model comes from the page: progress, stop, on from there, and the page uses it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from dlviz.language import sample_texts
from tests.browser.conftest import serving, settle, shoot
from tests.zoo.shop import Shop, open_shop

pytestmark = pytest.mark.browser

PATH = "/openai-community/gpt2/resolve/{}/tokenizer.json"
STOP = ".st-key-bpe_vocabularies_gpt2_download_stop button"


def vocabulary() -> bytes:
    """A byte-level BPE in GPT-2's format, trained here; white space, which JSON allows, makes it large."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        [sample_texts.sample("marche").text], trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet)
    )
    return made.to_str().encode() + b" " * (4 << 20)


@pytest.fixture
def hub() -> Iterator[Shop]:
    """A Hugging Face hub with GPT-2's file, which tells its size, git's sum and its commit."""
    content = vocabulary()
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    with open_shop() as shop:
        for revision in ("main", "c0ffee"):
            shop.content[PATH.format(revision)] = content
            shop.headers[PATH.format(revision)] = {"ETag": f'"{blob}"', "X-Repo-Commit": "c0ffee"}
        yield shop


def test_a_vocabulary_comes_with_progress_can_be_stopped_and_goes_on(
    browser: Browser, hub: Shop, tmp_path: Path
) -> None:
    folder = tmp_path / "models" / "gpt2"
    hub.pause = 5.0  # after each of 64 pieces: however slow the machine, the stop comes before the end
    variables = {"DLVIZ_HOME": str(tmp_path), "HF_ENDPOINT": hub.url, "no_proxy": "*", "DLVIZ_OFFLINE": "0"}
    with serving(tmp_path / "log.txt", **variables) as address, browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(150_000)
        page.goto(f"{address}/bpe?lang=en&bpe_view=real")
        settle(page)
        page.get_by_text("More vocabularies").click()
        page.get_by_role("button", name="Download", exact=True).first.click()
        expect(page.get_by_text(re.compile(r"GPT-2 · [\d,]+ of 4,[\d,]+"))).to_be_visible(timeout=60_000)
        shoot(page, "bpe-download")
        page.locator(STOP).click()
        expect(page.get_by_text("Stopped before the end.")).to_be_visible(timeout=60_000)
        assert 0 < (folder / "tokenizer.json.part").stat().st_size < len(hub.content[PATH.format("main")])
        hub.pause = 0.0
        page.get_by_role("button", name="Start again").click()
        expect(page.get_by_role("button", name="Remove GPT-2")).to_be_visible(timeout=60_000)
        expect(page.get_by_role("heading", name="GPT-2", exact=True)).to_be_visible()
        shoot(page, "bpe-downloaded")
    assert (folder / "tokenizer.json").read_bytes() == hub.content[PATH.format("main")]
    assert re.fullmatch(r"bytes=\d+-", hub.requests[-1][2] or "")
