"""A visitor's text or text file to clean characters, or a clear refusal."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from dataclasses import dataclass

from dlviz.errors import Refused
from dlviz.i18n import N_

FORMATS = "TXT, MD, CSV, DOCX, PDF"
MAX_BYTES = 10 << 20
MAX_UNPACKED = 40 << 20
MAX_PAGES = 300

_MEGABYTE = 1 << 20
_BINARY = N_("The file holds no text but binary data. Texts can be {formats}.")
DETECTED = N_("The file does not say in which encoding it was written: it was read as {encoding}.")
PARAGRAPHS = N_("Only the words were taken: pictures, notes and layout stay out.")

_BOMS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
# Control characters but tab, line feed, form feed and carriage return: no text that people write holds them.
_CONTROL = re.compile(r"[\0-\x08\x0b\x0e-\x1f\x7f]")
_OTHER_FILES = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF|\x7fELF|MZ|7z\xbc\xaf|Rar!|\x1f\x8b|\xd0\xcf\x11\xe0|SQLite|OggS|ID3|....ftyp",
    re.DOTALL,
)


_WESTERN = frozenset("àâäçéèêëîïôöùûüÿœæñáíóúßÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŒÆÑ«»“”‘’…–—°€·\xa0")


@dataclass(frozen=True, slots=True)
class Note:
    """A message id of what the visitor should know, with the values of its placeholders."""

    message: str
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that passed the gate.

    Attributes
    ----------
    text
        Characters with line feeds as line breaks; no NUL, no control characters, no half characters.
    name
        The file's name as it may be shown.
    digest
        SHA-256 of the file's bytes (of the UTF-8 form for pasted text), in hexadecimal: what a link carries.
    notes
        What the visitor should know.
    """

    text: str
    name: str
    digest: str
    notes: tuple[Note, ...] = ()


def pasted(text: str, limit: int = MAX_BYTES) -> Text:
    """A text that was typed or pasted, of at most ``limit`` characters.

    Raises
    ------
    Refused
        With a message for the visitor.
    """
    _check_size(len(text), limit)
    return Text(_clean(text, limit), "", hashlib.sha256(text.encode("utf-8", "replace")).hexdigest())


def document(data: bytes, name: str = "", limit: int = MAX_BYTES) -> Text:
    """The text in a file: plain text in any common encoding, a Word document or a PDF with a text layer.

    What the file is, is told from its bytes; its name is only shown. ``limit`` is in bytes, and in characters.

    Raises
    ------
    Refused
        With a message for the visitor. Nothing else is raised, whatever ``data`` holds.
    """
    _check_size(len(data), limit)
    notes: list[Note] = []
    if data.startswith(b"PK\x03\x04"):
        text = _word(data)
        notes.append(Note(PARAGRAPHS))
    elif b"%PDF-" in data[:1024]:
        text = _pdf(data, limit)
        notes.append(Note(PARAGRAPHS))
    else:
        text = _plain(data, notes)
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(letter for letter in last if letter.isprintable())[:80]
    return Text(_clean(text, limit), shown, hashlib.sha256(data).hexdigest(), tuple(notes))


def _check_size(size: int, limit: int) -> None:
    if size == 0:
        raise Refused(N_("The text is empty."))
    if size > limit:
        raise Refused(
            N_("The text takes {size} MB; at most {limit} MB can be read here."),
            size=round(size / _MEGABYTE, 1),
            limit=limit // _MEGABYTE,
        )


def _plain(data: bytes, notes: list[Note]) -> str:
    """Text by its byte-order mark, as UTF-8, or in the encoding that a detector finds."""
    for mark, encoding in _BOMS.items():
        if data.startswith(mark):
            return _decoded(data, encoding)
    if _OTHER_FILES.match(data):
        raise Refused(_BINARY, formats=FORMATS)
    if b"\0" in data:
        raise Refused(
            N_("The file holds NUL bytes: it is binary, or UTF-16 without its mark. Save it again as UTF-8.")
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        encoding = _detected(data, error)
    notes.append(Note(DETECTED, encoding))
    return _decoded(data, encoding)


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise Refused(
            N_("The file says that it is written in {encoding}, but it is not. Save it again as UTF-8."),
            encoding=encoding.removesuffix("-sig").upper(),
        ) from error


def _detected(data: bytes, error: UnicodeDecodeError) -> str:
    """The encoding that fits best, from the neighbourhood of the first odd byte.

    A detector knows many alphabets and easily takes French for Lithuanian. So the two encodings that French
    files of Windows and of old Macs are in come first, if they give the letters of western Europe; then
    charset-normalizer.
    """
    from charset_normalizer import from_bytes

    sample = data[max(0, error.start - 20_000) : error.start + 40_000]
    for encoding in ("cp1252", "mac_roman"):
        if _is_western(sample, encoding):
            return encoding
    found = from_bytes(sample, threshold=0.15).best()
    if found is None or found.encoding in ("ascii", "utf_8") or _CONTROL.search(str(found)):
        raise Refused(_BINARY, formats=FORMATS)
    return found.encoding


def _is_western(sample: bytes, encoding: str) -> bool:
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    odd = [letter for letter in text if letter > "\x7f"]
    known = sum(letter in _WESTERN for letter in odd)
    return len(odd) < 0.3 * len(text) and known >= 0.95 * len(odd)


def _word(data: bytes) -> str:
    """The paragraphs and table cells of a Word document, unpacked only after its sizes have been added up."""
    import docx

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if "word/document.xml" not in archive.namelist():
                raise Refused(
                    N_("The file is an archive, but no Word document. Take the text out of it first.")
                )
            if len(entries) > 5000 or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
                raise Refused(
                    N_("The document unpacks to more than {limit} MB: save its text alone as TXT."),
                    limit=MAX_UNPACKED // _MEGABYTE,
                )
        opened = docx.Document(io.BytesIO(data))
        return "\n".join(_block_texts(opened))
    except Refused:
        raise
    except Exception as error:  # a damaged archive or XML raises anything
        raise Refused(N_("The document is damaged: it cannot be read.")) from error


def _block_texts(opened: object) -> list[str]:
    """Paragraphs and tables in their order."""
    texts: list[str] = []
    for block in opened.iter_inner_content():  # type: ignore[attr-defined]
        if hasattr(block, "rows"):
            texts += ["\t".join(cell.text for cell in row.cells) for row in block.rows]
        else:
            texts.append(block.text)
    return texts


def _pdf(data: bytes, limit: int) -> str:
    """The text layer of a PDF; pages that are pictures hold none."""
    import pypdf

    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Refused(N_("The PDF asks for a password. Save a copy without one."))
        if len(reader.pages) > MAX_PAGES:
            raise Refused(
                N_("The PDF has {count} pages; at most {limit} can be read here."),
                count=len(reader.pages),
                limit=MAX_PAGES,
            )
        text = _pages(reader, limit)
    except Refused:
        raise
    except Exception as error:  # a damaged file raises anything
        raise Refused(N_("The document is damaged: it cannot be read.")) from error
    if not text.strip():
        raise Refused(
            N_("The PDF holds no text, only pictures of it. Text recognition would be needed first.")
        )
    return text


def _pages(reader: object, limit: int) -> str:
    parts: list[str] = []
    size = 0
    for page in reader.pages:  # type: ignore[attr-defined]
        parts.append(page.extract_text())
        size += len(parts[-1])
        if size > limit:
            break
    # A ligature or an emoji may come out as two halves; where they belong together they are joined again.
    return "\n".join(parts).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _clean(text: str, limit: int) -> str:
    """One kind of line break, and nothing that is no character."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise Refused(N_("The text holds NUL characters: it is binary data."))
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused(
            N_("The text holds half a character (a lone surrogate) at place {place}: it cannot be read."),
            place=error.start + 1,
        ) from error
    control = len(_CONTROL.findall(text))
    if control > max(5, len(text) // 1000):
        raise Refused(_BINARY, formats=FORMATS)
    text = _CONTROL.sub("", text)
    if not text.strip():
        raise Refused(N_("The text holds nothing but white space."))
    if len(text) > limit:
        raise Refused(
            N_("The text has {count} characters; at most {limit} can be read here."),
            count=len(text),
            limit=limit,
        )
    return text
