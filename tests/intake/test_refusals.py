"""Each bad file has its own message, in both languages."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile

import pytest
from PIL import Image

from dlviz import i18n
from dlviz.errors import Refused
from dlviz.intake import photo
from tests.intake.pictures import SAVED, blank_png, example, png, saved, scene

CORRUPT = bytearray(example("PNG"))
CORRUPT[60:90] = random.Random(0).randbytes(30)


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", example("PNG"))
    return file.getvalue()


SVG = b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>'
CASES = {
    "nothing": (b"", "0 bytes", "0 octet"),
    "text": ("Ceci n'est pas une image, été.".encode(), "holds text", "contient du texte"),
    "web page": (b"<!DOCTYPE html><html><body>404</body></html>", "holds text", "contient du texte"),
    "svg": (SVG, "SVG drawing", "dessin SVG"),
    "bare svg": (b"<svg/>".replace(b"/", b" /"), "SVG drawing", "dessin SVG"),
    "one pixel": (saved(Image.new("RGB", (1, 1)), "PNG"), "too small: 1 × 1", "trop petite : 1 × 1"),
    "a line": (
        saved(Image.new("RGB", (20000, 1)), "PNG"),
        "too narrow: 20,000 × 1 pixels",
        "trop étroite : 20\u202f000 × 1 pixels",
    ),
    "bomb": (blank_png(8000, 7000), "56 million pixels", "56 millions de pixels"),
    "great bomb": (png(60000, 60000), "claims far more", "annonce bien plus"),
    "cut JPEG": (example("JPEG")[:-60], "cut short", "tronqué"),
    "cut PNG": (example("PNG")[:-40], "cut short", "tronqué"),
    "cut WebP": (example("WebP")[:-20], "cut short", "tronqué"),
    "cut TIFF": (example("TIFF")[:2000], "cut short", "tronqué"),
    "corrupt": (bytes(CORRUPT), "is damaged", "est abîmé"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF document", "document PDF"),
    "psd": (b"8BPS\0\1" + b"\0" * 60, "Photoshop", "Photoshop"),
    "mp4": (b"\0\0\0\x20ftypisom\0\0\2\0" + b"\0" * 40, "a video", "une vidéo"),
    "matroska": (b"\x1a\x45\xdf\xa3" + b"\0" * 40, "a video", "une vidéo"),
    "avif": (saved(scene(), "AVIF"), "AVIF", "AVIF"),
    "zip": (_zip(), "an archive", "une archive"),
    "noise": (random.Random(1).randbytes(500), "unknown here", "inconnu ici"),
    "icon": (saved(scene(), "ICO"), "unknown here", "inconnu ici"),
    "many passes": (
        example("progressive JPEG")[:-2] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 200 + b"\xff\xd9",
        "too long to decode",
        "trop longue à décoder",
    ),
    "no number": (
        saved(Image.new("F", (32, 32), float("nan")), "TIFF"),
        "no finite number",
        "aucun nombre fini",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_bad_file_has_its_own_words_in_both_languages(case):
    data, english, french = CASES[case]
    with pytest.raises(Refused) as refusal:
        photo(data, "picture.png")
    said = {
        language: i18n.translate(language, refusal.value.message, **refusal.value.values)
        for language in ("en", "fr")
    }
    assert english in said["en"]
    assert french in said["fr"].replace("\u00a0", " ")


def test_a_file_above_the_servers_limit_is_refused_before_it_is_looked_at(monkeypatch):
    monkeypatch.setenv("DLVIZ_MAX_UPLOAD_MB", "1")
    with pytest.raises(Refused) as refusal:
        photo(b"\xff\xd8\xff" + b"\0" * 1_600_000)
    assert "1.5 MB; at most 1 MB" in str(refusal.value)
    french = i18n.translate("fr", refusal.value.message, **refusal.value.values)
    assert "1,5 Mo" in french.replace("\u00a0", " ")


@pytest.mark.parametrize("kind", SAVED)
def test_every_cut_is_a_picture_or_a_refusal(kind):
    data = example(kind)
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            photo(data[:end])
        except Refused:
            continue


_PEAK = """
import resource, sys
from pathlib import Path
from dlviz.errors import Refused
from dlviz.intake import photo
from tests.intake.pictures import example
for kind in ("PNG", "JPEG", "HEIC"):
    photo(example(kind))
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(photo(Path(sys.argv[1]).read_bytes()).original_size, file=sys.stderr)
except Refused as refusal:
    print(refusal, file=sys.stderr)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


def _peak(data: bytes, folder) -> int:
    """Bytes by which one reading of ``data`` raises the peak memory of a fresh process."""
    file = folder / "picture"
    file.write_bytes(data)
    ran = subprocess.run([sys.executable, "-c", _PEAK, str(file)], capture_output=True, text=True, check=True)
    return int(ran.stdout)


def _claimed(data: bytes, at: int, width: bytes, height: bytes) -> bytes:
    return data[:at] + width + height + data[at + len(width) + len(height) :]


def test_bombs_are_refused_before_they_take_memory(tmp_path):
    webp = saved(scene().convert("RGBA"), "WEBP", save_all=True, append_images=[scene().convert("RGBA")])
    claims = [
        blank_png(13000, 13000),
        _claimed(example("GIF"), 6, b"\xff\xff", b"\xff\xff"),
        _claimed(webp, 24, b"\xfe\x3f\0", b"\xfe\x3f\0"),
    ]
    for data in claims:
        assert _peak(data, tmp_path) < 60 << 20


def test_the_largest_picture_taken_stays_within_its_memory(tmp_path):
    assert _peak(blank_png(7071, 7071), tmp_path) < 300 << 20
