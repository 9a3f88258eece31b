"""Downloads over a real HTTP connection: whole, wrong, cut short, stopped, resumed, refused."""

import hashlib
import json
import os
import re
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from torchvision import models

from dlviz import zoo
from dlviz.errors import Busy, NotAvailable, WeightsError
from dlviz.events import Progress, Result
from dlviz.zoo import catalogue, download, files
from dlviz.zoo.cards import CardFile
from tests.zoo.shop import open_shop

NAME = "mobilenet_v3_large"


@pytest.fixture
def shop(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with open_shop() as opened:
        yield opened


@lru_cache(maxsize=1)
def checkpoint_bytes() -> bytes:
    """A state dict of the real architecture, saved in torchvision's own format; its weights are random."""
    import io

    torch.manual_seed(0)
    buffer = io.BytesIO()
    torch.save(models.mobilenet_v3_large(weights=None).state_dict(), buffer)
    return buffer.getvalue()


@pytest.fixture
def offered(shop, monkeypatch, tmp_path):
    """The card of a real public model, pointed at our server and at the sum of our checkpoint."""
    content = checkpoint_bytes()
    real = catalogue.card(NAME)
    # The builder takes the file's name from torchvision's own table, so the name stays and the sum is ours.
    file = replace(
        real.files[0],
        url=f"{shop.url}/weights.pth",
        sha256_prefix=hashlib.sha256(content).hexdigest()[:8],
        size=len(content),
    )
    shop.content["/weights.pth"] = content
    card = replace(real, files=(file,), folder=tmp_path / "home" / "models" / NAME)
    monkeypatch.setattr(catalogue, "_torchvision_card", lambda name, folder: card)
    return card


def test_a_download_ends_with_a_model_that_loads(offered):
    assert zoo.status(NAME) == "absent"
    with pytest.raises(NotAvailable, match=f"zoo download {NAME}"):
        zoo.load(NAME)
    events = list(download.download(NAME))
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].done == progress[-1].total == len(checkpoint_bytes())
    assert [e.done for e in progress] == sorted(e.done for e in progress)
    assert events[-1] == Result(str(offered.folder))
    assert zoo.status(NAME) == "ready"
    model = zoo.load(NAME)
    photo = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    pixels, _ = model.prepare(photo)
    network = models.mobilenet_v3_large(weights=None).eval()
    network.load_state_dict(torch.load(offered.folder / offered.files[0].name, weights_only=True))
    assert torch.allclose(model(pixels), network(pixels), atol=1e-5)
    assert model.classes[0] == "tench" and len(model.classes) == 1000


def test_the_sum_is_remembered_and_held_afterwards(offered):
    download.fetch(NAME)
    stored = json.loads((offered.folder / files.CHECKSUMS_FILE).read_text())[offered.files[0].name]
    assert stored["sha256"] == hashlib.sha256(checkpoint_bytes()).hexdigest()
    weights = offered.folder / offered.files[0].name
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert zoo.status(NAME) == "broken"
    with pytest.raises(WeightsError, match="SHA-256 differs"):
        zoo.load(NAME)
    weights.write_bytes(content[:1000])
    with pytest.raises(WeightsError, match="cut short"):
        zoo.load(NAME)
    download.fetch(NAME)
    assert zoo.status(NAME) == "ready"


def test_a_file_put_there_by_hand_is_held_by_the_digits_in_its_name(offered):
    offered.folder.mkdir(parents=True)
    weights = offered.folder / offered.files[0].name
    weights.write_bytes(checkpoint_bytes() + b"more")
    assert zoo.status(NAME) == "broken"
    weights.write_bytes(checkpoint_bytes())
    assert zoo.status(NAME) == "ready"
    assert offered.files[0].name in files.checksums(offered.folder)


def test_status_does_not_read_a_file_whose_date_is_known(offered, monkeypatch):
    download.fetch(NAME)
    monkeypatch.setattr(files, "_sums", {})  # as a new process would begin
    monkeypatch.setattr(files, "sha256", None)
    assert zoo.status(NAME) == "ready"


def test_a_wrong_file_is_thrown_away(offered, shop):
    shop.content["/weights.pth"] = b"something else"
    with pytest.raises(WeightsError, match=re.escape(offered.files[0].name)):
        download.fetch(NAME)
    assert zoo.status(NAME) == "absent"
    assert [p.name for p in offered.folder.iterdir() if p.name != ".lock"] == []


def test_a_transfer_cut_short_goes_on_from_there(offered, shop):
    shop.cut_after = 2_000_000
    with pytest.raises(NotAvailable, match="broke off"):
        download.fetch(NAME)
    assert zoo.status(NAME) == "absent"
    shop.cut_after = None
    first = next(event for event in download.download(NAME) if isinstance(event, Progress))
    assert first.done > 2_000_000
    assert shop.requests[-1][2] == "bytes=2000000-"
    download.fetch(NAME)
    assert zoo.status(NAME) == "ready"


def test_a_server_without_ranges_is_asked_for_all_of_it(offered, shop):
    shop.cut_after = 2_000_000
    with pytest.raises(NotAvailable):
        download.fetch(NAME)
    shop.cut_after, shop.ranges = None, False
    download.fetch(NAME)
    assert zoo.status(NAME) == "ready"


def test_a_part_that_is_whole_or_too_long_is_judged_by_its_sum(offered):
    part = offered.folder / f"{offered.files[0].name}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(checkpoint_bytes() + b"x")
    with pytest.raises(WeightsError):
        download.fetch(NAME)
    assert not part.exists()
    part.write_bytes(checkpoint_bytes())
    download.fetch(NAME)
    assert zoo.status(NAME) == "ready"


def test_stopping_keeps_what_has_arrived_and_lets_the_next_one_in(offered):
    work = download.download(NAME)
    done = [next(work).done for _ in range(3)][-1]
    with pytest.raises(Busy):
        next(download.download(NAME))
    work.close()
    part = offered.folder / f"{offered.files[0].name}.part"
    assert part.stat().st_size >= done > 0
    assert zoo.status(NAME) == "absent"
    download.fetch(NAME)
    assert zoo.status(NAME) == "ready"


def test_progress_is_told_to_a_callback(offered):
    told = []
    folder = download.fetch(NAME, lambda done, total: told.append((done, total)))
    assert folder == offered.folder
    assert told[-1] == (len(checkpoint_bytes()), len(checkpoint_bytes()))


def test_a_model_that_is_here_is_not_asked_for_again(offered, shop):
    download.fetch(NAME)
    asked = len(shop.requests)
    assert [type(event) for event in download.download(NAME)] == [Result]
    assert len(shop.requests) == asked


def test_a_full_disk_is_told_before_anything_is_asked_for(offered, shop, monkeypatch):
    monkeypatch.setattr(download, "SPARE", 2**60)
    with pytest.raises(NotAvailable, match="MB on the disk"):
        download.fetch(NAME)
    assert shop.requests == []


def test_offline_never_touches_the_network(offered, shop, monkeypatch):
    monkeypatch.setenv("DLVIZ_OFFLINE", "1")
    with pytest.raises(NotAvailable, match="offline"):
        download.fetch(NAME)
    assert shop.requests == []


def test_no_answer_is_one_message(offered, shop):
    del shop.content["/weights.pth"]
    with pytest.raises(NotAvailable, match="404"):
        download.fetch(NAME)


def test_bundled_models_are_not_downloaded(bundled):
    with pytest.raises(NotAvailable, match="not one to download"):
        download.fetch("caltech-cnn")


@pytest.fixture
def hub(shop, monkeypatch, tmp_path):
    """A Hugging Face hub with one large file (SHA-256 as etag) and one small (git's own sum)."""
    from huggingface_hub import constants

    weights, config = os.urandom(50_000), b'{"architecture": "resnet18"}'
    blob = hashlib.sha1(f"blob {len(config)}\0".encode() + config).hexdigest()
    for name, content, etag in (
        ("model.safetensors", weights, hashlib.sha256(weights).hexdigest()),
        ("config.json", config, blob),
    ):
        for revision in ("main", "c0ffee"):
            path = f"/timm/small/resolve/{revision}/{name}"
            shop.content[path] = content
            shop.headers[path] = {"ETag": f'"{etag}"', "X-Repo-Commit": "c0ffee"}
    monkeypatch.setattr(constants, "ENDPOINT", shop.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", shop.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    parts = tuple(CardFile(name, repo="timm/small") for name in ("model.safetensors", "config.json"))
    card = replace(catalogue.card(NAME), files=parts, folder=tmp_path / "hub-model")
    monkeypatch.setattr(catalogue, "_torchvision_card", lambda name, folder: card)
    return card


def test_a_hub_model_is_held_by_the_sums_that_the_hub_reports(hub, shop):
    events = list(download.download(NAME))
    assert zoo.status(NAME) == "ready"
    totals = {event.total for event in events if isinstance(event, Progress)}
    assert totals == {50_000 + 28}
    remembered = files.checksums(hub.folder)
    assert {known["revision"] for known in remembered.values()} == {"c0ffee"}
    (hub.folder / "config.json").unlink()
    download.fetch(NAME)
    assert shop.requests[-1][:2] == ("GET", "/timm/small/resolve/c0ffee/config.json")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_hub_file_unlike_its_reported_sum_is_refused(hub, shop, name):
    path = f"/timm/small/resolve/main/{name}"
    shop.content[path] = bytes(len(shop.content[path]))
    with pytest.raises(WeightsError, match=re.escape(name)):
        download.fetch(NAME)
    assert zoo.status(NAME) == "absent"
    assert not (hub.folder / name).exists()
