"""A zip of pictures: what is taken, what is named and skipped, and what is refused before it is unpacked."""

import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from dlviz.errors import Refused
from dlviz.events import Progress, Result
from dlviz.intake import archives
from dlviz.intake.archives import ArchivePictures


def png(side: int = 40, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def taken(data: bytes, **options: int) -> ArchivePictures:
    *news, last = archives.read(data, **options)
    assert all(isinstance(event, Progress) for event in news)
    assert isinstance(last, Result) and isinstance(last.value, ArchivePictures)
    return last.value


def refusal(data: bytes, **options: int) -> Refused:
    with pytest.raises(Refused) as caught:
        taken(data, **options)
    return caught.value


def test_pictures_keep_their_pixels_their_order_and_their_folder():
    found = taken(zipped({"b/one.png": png(seed=1), "a/two.png": png(seed=2)}))
    assert [(one.name, one.folder) for one in found.pictures] == [("one.png", "b"), ("two.png", "a")]
    expected = np.asarray(Image.open(io.BytesIO(png(seed=1))))
    np.testing.assert_array_equal(found.pictures[0].pixels, expected)
    assert found.skipped == () and found.left_out == 0


def test_pictures_are_shrunk_to_the_side_asked_for():
    wide = io.BytesIO()
    Image.new("RGB", (200, 100), "red").save(wide, "PNG")
    (one,) = taken(zipped({"wide.png": wide.getvalue()}), side=64).pictures
    assert one.pixels.shape == (32, 64, 3)


def test_a_text_and_a_broken_picture_are_named_and_the_rest_goes_on():
    files = {
        "notes.txt": b"no picture here",
        "cut.png": png()[:200],
        "good.png": png(),
        "inner.zip": zipped({}),
    }
    found = taken(zipped(files))
    assert [one.name for one in found.pictures] == ["good.png"]
    reasons = {one.name: one.message.format(**dict(one.values)) for one in found.skipped}
    assert set(reasons) == {"notes.txt", "cut.png", "inner.zip"}
    assert "text" in reasons["notes.txt"]
    assert "cut short" in reasons["cut.png"]


def test_folders_and_the_systems_own_files_are_not_mentioned():
    files = {"pictures/": b"", "__MACOSX/._a.png": b"x", "pictures/.DS_Store": b"x", "pictures/a.png": png()}
    found = taken(zipped(files))
    assert len(found.pictures) == 1 and found.skipped == ()


@pytest.mark.parametrize("name", ["../../etc/evil.png", "/evil.png", "C:/evil.png", "a\\..\\evil.png"])
def test_a_name_that_climbs_out_is_skipped(name):
    found = taken(zipped({name: png(), "good.png": png()}))
    assert [one.name for one in found.pictures] == ["good.png"]
    assert [one.name for one in found.skipped] == ["evil.png"]
    assert "out of the archive" in found.skipped[0].message


def test_too_few_pictures_are_counted_in_the_refusal():
    error = refusal(zipped({"a.png": png(), "b.txt": b"text"}), least=50)
    assert error.values == {"count": 1, "least": 50}


def test_what_comes_after_the_most_is_counted():
    found = taken(zipped({f"{i}.png": png() for i in range(5)}), most=3)
    assert len(found.pictures) == 3 and found.left_out == 2


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", png(), b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_zip_is_refused(data):
    refusal(data)


def test_a_zip_that_was_cut_short_is_refused():
    assert "cut short" in refusal(zipped({"a.png": png()})[:-30]).message


def test_a_bomb_of_one_large_file_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setenv("DLVIZ_MAX_UPLOAD_MB", "1")
    data = zipped({"zeros.png": bytes(11 << 20)})
    assert len(data) < 1 << 20
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *a, **k: pytest.fail("it was unpacked"))
    assert refusal(data).values == {"size": 11, "limit": 10}


def test_a_file_packed_beyond_belief_is_skipped_unread(monkeypatch):
    data = zipped({"zeros.png": bytes(3 << 20), "good.png": png()})
    found = taken(data)
    assert [one.name for one in found.skipped] == ["zeros.png"]
    assert "packed" in found.skipped[0].message


def test_a_listing_that_names_the_same_bytes_many_times_counts_each_time(monkeypatch):
    """The overlapping bomb (Fifield 2019): one stored kernel, many entries that point at it."""
    monkeypatch.setenv("DLVIZ_MAX_UPLOAD_MB", "1")
    plain = zipped({"a.png": bytes(900_000)})
    end = plain.rindex(b"PK\x05\x06")
    start = struct.unpack("<I", plain[end + 16 : end + 20])[0]
    header = plain[start:end]
    many = 40
    tail = plain[end : end + 8] + struct.pack("<HHII", many, many, len(header) * many, start) + b"\0\0"
    error = refusal(plain[:start] + header * many + tail)
    assert error.values["size"] == round(40 * 900_000 / 2**20)


def test_a_listing_of_too_many_files_is_refused_before_it_is_read(monkeypatch):
    data = zipped({f"{i}.txt": b"" for i in range(21)})
    monkeypatch.setattr(archives, "MOST_FILES", 20)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *a, **k: pytest.fail("the listing was read"))
    assert refusal(data).values == {"most": 20}


def test_a_size_that_is_a_lie_does_not_unpack_more_than_it_says():
    """The listing claims 100 bytes for a file of three million: it is damaged, not three million bytes."""
    data = bytearray(zipped({"a.png": bytes(3 << 20), "good.png": png()}))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 100)
    found = taken(bytes(data))
    assert [one.name for one in found.pictures] == ["good.png"]
    assert [one.name for one in found.skipped] == ["a.png"]


def test_a_file_behind_a_password_is_named():
    data = bytearray(zipped({"a.png": png(), "good.png": png()}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    found = taken(bytes(data))
    assert "password" in found.skipped[0].message and len(found.pictures) == 1


def test_random_damage_is_refused_or_skipped_and_never_anything_else():
    data = zipped({f"{i}.png": png(seed=i) for i in range(3)})
    random = np.random.default_rng(0)
    for _ in range(60):
        broken = bytearray(data)
        for at in random.integers(0, len(data), 8):
            broken[at] = random.integers(0, 256)
        try:
            taken(bytes(broken))
        except Refused:
            continue
