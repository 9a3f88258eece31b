"""The text gate: what it takes comes out as clean characters, all else is refused with a message."""

from __future__ import annotations

import hashlib
import io
import zipfile

import docx
import pytest
from hypothesis import given
from hypothesis import settings as check
from hypothesis import strategies as st

from dlviz.errors import Refused
from dlviz.intake import texts

FRENCH = (
    "L'été s'achève déjà : où sont passés les élèves ? « Là-bas », répond-il, près de l'étang gelé.\n" * 6
)


def word_file(*paragraphs: str) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "left", "right"
    document.add_paragraph("last")
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()


def pdf_file(content: bytes) -> bytes:
    """The smallest PDF with one page of text, written by hand."""
    stream = b"BT /F1 24 Tf 72 700 Td (" + content + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + trailer


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_files_are_read_without_a_word(encoding: str) -> None:
    read = texts.document(FRENCH.encode(encoding), "été.txt")
    assert read.text == FRENCH
    assert read.notes == ()
    assert read.name == "été.txt"


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "mac-roman"])
def test_older_encodings_are_detected_and_said(encoding: str) -> None:
    text = FRENCH.replace("«", '"').replace("»", '"')
    read = texts.document(text.encode(encoding))
    assert read.text == text
    assert [note.message for note in read.notes] == [texts.DETECTED]
    assert read.notes[0].encoding


def test_other_alphabets_are_detected() -> None:
    text = "Мышь смеётся под дождём, а дети смотрят на реку и считают лодки до самого вечера.\n" * 8
    assert texts.document(text.encode("cp1251")).text == text


def test_line_breaks_become_one_kind_and_names_lose_their_folders() -> None:
    read = texts.document(b"a\r\nb\rc\n", "C:\\folder\\x\x07.csv")
    assert read.text == "a\nb\nc\n"
    assert read.name == "x.csv"
    assert read.digest == hashlib.sha256(b"a\r\nb\rc\n").hexdigest()


def test_a_word_document_gives_paragraphs_and_cells() -> None:
    read = texts.document(word_file("La souris rit", "sous la pluie."), "a.docx")
    assert read.text == "La souris rit\nsous la pluie.\nleft\tright\nlast"
    assert [note.message for note in read.notes] == [texts.PARAGRAPHS]


def test_a_pdf_gives_its_text_layer() -> None:
    read = texts.document(pdf_file(b"la souris rit sous la pluie"))
    assert read.text.strip() == "la souris rit sous la pluie"


def bomb(size: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * size)
    return packed.getvalue()


def other_archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", "text")
    return packed.getvalue()


REFUSED = {
    "nothing": b"",
    "white space": b" \n\t \r\n",
    "a picture": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "a program": b"\x7fELF" + bytes(range(256)) * 4,
    "NUL bytes": b"abc\0def",
    "noise": bytes((i * 7919 + 13 * i * i) % 251 + 1 for i in range(4000)),
    "control characters": b"a\x01b\x02" * 50,
    "a wrong mark": b"\xff\xfe" + b"a\xd8" * 3,
    "half a UTF-16 character": b"\xff\xfea",
    "an archive": other_archive(),
    "a bomb": bomb(texts.MAX_UNPACKED + 1),
    "a damaged document": word_file("x")[:-400],
    "a document without words": bomb(10),
    "a damaged PDF": b"%PDF-1.4\nnothing here",
    "a PDF of pictures": pdf_file(b""),
    "too much": b"a" * (texts.MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_text_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refusal:
        texts.document(REFUSED[name])
    assert str(refusal.value)


def test_ten_megabytes_are_taken() -> None:
    assert len(texts.document(b"a" * texts.MAX_BYTES).text) == 10 * 2**20


def test_a_page_may_take_more() -> None:
    long = "a" * (texts.MAX_BYTES + 1)
    assert texts.document(long.encode(), limit=20 << 20).text == texts.pasted(long, 20 << 20).text == long
    with pytest.raises(Refused, match="at most 1 MB"):
        texts.document(long.encode(), limit=1 << 20)


@pytest.mark.parametrize("text", ["", " \n", "a\0b", "half \ud83d", "x" * (texts.MAX_BYTES + 1), "\x01" * 50])
def test_pasted_text_goes_through_the_same_gate(text: str) -> None:
    with pytest.raises(Refused):
        texts.pasted(text)


def test_pasted_text_keeps_marks_and_emoji() -> None:
    text = "שלום e\u0301 👩‍👩‍👧 🇫🇷 \u200fmark"
    assert texts.pasted(text).text == text


@given(
    st.binary(max_size=400)
    | st.builds(
        bytes.__add__, st.sampled_from([b"PK\x03\x04", b"%PDF-1.7\n", b"\xff\xfe"]), st.binary(max_size=200)
    )
)
@check(deadline=None, max_examples=200)
def test_nothing_but_refused_is_raised(data: bytes) -> None:
    try:
        read = texts.document(data)
    except Refused:
        return
    read.text.encode("utf-8")
    assert "\0" not in read.text and "\r" not in read.text and read.text.strip()


@given(st.integers(0, 3000), st.integers(0, 255))
@check(deadline=None, max_examples=100)
def test_altered_documents_raise_nothing_else(place: int, value: int) -> None:
    for data in (bytearray(pdf_file(b"la souris")), bytearray(WORD)):
        data[place % len(data)] = value
        try:
            texts.document(bytes(data))
        except Refused:
            continue


WORD = word_file("la souris")
