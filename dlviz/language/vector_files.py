r"""Word vectors of one's own: files in five formats, read with care and written again.

- **word2vec, text**: a first line with the number of words and of dimensions, then a word a line.
- **word2vec, binary**: the same first line, then each word, a space, and its float32 numbers (little endian).
- **GloVe, text**: a word a line, no first line.
- **TSV pair**: ``vectors.tsv``, tabs between the numbers, and ``metadata.tsv``, a word a line (as TensorFlow's
  projector takes them; with several columns a first line names them, and the first column is the word).
- **NPZ**: arrays ``words`` (text) and ``vectors``; ``counts`` if there are any. Arrays of Python objects are
  refused: to read them means to run code that came with the file (pickle).

Whatever the bytes are, the answer is a store of vectors or a :class:`~dlviz.errors.Refused` that says which
line is wrong.
"""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import numpy as np
from jaxtyping import Float, Int

from dlviz.errors import Refused
from dlviz.i18n import N_
from dlviz.language.word_vectors import WordVectors

Format = Literal["word2vec-text", "word2vec-binary", "glove", "tsv", "npz"]
FORMATS: tuple[Format, ...] = ("word2vec-text", "word2vec-binary", "glove", "tsv", "npz")

METADATA = "metadata.tsv"

MAX_BYTES = 64 << 20
MAX_WORDS = 200_000
MAX_DIMENSIONS = 2_000
# Numbers in all, 128 MB as float32: what the memory is asked for before anything is believed.
MAX_NUMBERS = 32 << 20
MAX_WORD_BYTES = 400
# The square of a longer vector leaves float32.
LARGEST = 1e15
_MAX_ARRAY = 4 * MAX_NUMBERS + (1 << 16)

_HEADER = re.compile(rb"[ \t]*(\d{1,12})[ \t]+(\d{1,12})[ \t]*\r?(?:\n|$)")
# What unpacking a file that is not what it claims to be can raise.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    TypeError,
    OverflowError,
    RuntimeError,
    SyntaxError,
)
_Table = tuple[Sequence[str], Float[np.ndarray, "word dim"]]


def read(data: bytes, *, metadata: bytes | None = None) -> WordVectors:
    """The vectors in a file; its format is told from its bytes.

    Parameters
    ----------
    data
        The file, at most 64 MB.
    metadata
        ``metadata.tsv``, where ``data`` is ``vectors.tsv``.

    Raises
    ------
    Refused
        With a message for the visitor that names the line, where there is one. Nothing else is raised,
        whatever the bytes are.
    """
    for part in (data, metadata or b"-"):
        _check_bytes(part)
    data = data.removeprefix(codecs.BOM_UTF8)
    if metadata is not None:
        return _store(_tsv(data, metadata))
    if data.startswith(b"PK"):
        return _npz(data)
    return _store(_by_first_line(data))


def from_folder(folder: Path, *, file: str, limit: int = 50_000) -> WordVectors:
    """Builder of the zoo: the first words of a file of the operator's, however large the file is.

    Public files hold up to three million words in the order of how frequent they are; the first 50,000 are
    what a lesson needs. Text and binary files of word2vec and GloVe may be packed with gzip.

    Raises
    ------
    Refused
        As :func:`read` does.
    """
    path = folder / file
    beside = (folder / METADATA).read_bytes() if path.suffix == ".tsv" else None
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as source:
        form = kind(source.read(8192), metadata=beside)
        source.seek(0)
        if form in ("npz", "tsv"):
            return read(source.read(), metadata=beside)
        return _store(_first_of_equals(_beginning(cast(BinaryIO, source), form, limit)))


def _beginning(source: BinaryIO, form: Format, limit: int) -> _Table:
    if form == "glove":
        return _text(b"".join(islice(source, limit)), 1, None)
    words, dimensions = (int(number) for number in source.readline().split())
    words = min(words, limit)
    _check_size(words, dimensions)
    if form == "word2vec-text":
        return _text(b"".join(islice(source, words)), 2, dimensions)
    return _binary(source.read(words * (4 * dimensions + MAX_WORD_BYTES)), 0, words, dimensions, whole=False)


def _first_of_equals(table: _Table) -> _Table:
    """Public files hold some words twice; gensim keeps the first of them, and so do we."""
    words, matrix = table
    first: dict[str, int] = {}
    for row, word in enumerate(words):
        first.setdefault(word, row)
    return list(first), matrix[list(first.values())]


def kind(data: bytes, *, metadata: bytes | None = None) -> Format:
    """Which of the formats a file claims to be, by its first bytes."""
    if metadata is not None:
        return "tsv"
    if data.startswith(b"PK"):
        return "npz"
    header = _HEADER.match(data)
    if not header:
        return "glove"
    binary = _is_binary(data[header.end() :], int(header[1]), int(header[2]))
    return "word2vec-binary" if binary else "word2vec-text"


def _by_first_line(data: bytes) -> _Table:
    header = _HEADER.match(data)
    if header is None:
        return _text(data, 1, None)
    words, dimensions = int(header[1]), int(header[2])
    _check_size(words, dimensions)
    if kind(data) == "word2vec-binary":
        return _binary(data, header.end(), words, dimensions)
    table = _text(data[header.end() :], 2, dimensions)
    if len(table[0]) != words:
        raise Refused(
            N_("The first line promises {promised} words, and the file holds {found}: it may be cut short."),
            promised=words,
            found=len(table[0]),
        )
    return table


def _is_binary(body: bytes, words: int, dimensions: int) -> bool:
    """Raw numbers hold bytes that no text holds, but for very few of them; then the whole is tried."""
    if any(byte < 32 and byte not in b"\t\r\n\f" for byte in body[:4096]):
        return True
    fields = body.split(b"\n", 1)[0].split()[1:]
    if fields and all(_is_number(field.decode("latin-1")) for field in fields):
        return False
    try:
        _binary(body, 0, words, dimensions)
    except Refused:
        return False
    return True


def _check_bytes(data: bytes) -> None:
    if not data.strip():
        raise Refused(N_("The file is empty."))
    if len(data) > MAX_BYTES:
        raise Refused(
            N_("The file takes {size} MB; vector files of at most {limit} MB can be read here."),
            size=round(len(data) / 2**20, 1),
            limit=MAX_BYTES >> 20,
        )


def _check_size(words: int, dimensions: int) -> None:
    if not words or not dimensions:
        raise Refused(N_("The file holds no vectors."))
    if words > MAX_WORDS or dimensions > MAX_DIMENSIONS or words * dimensions > MAX_NUMBERS:
        raise Refused(
            N_(
                "The file holds {words} words of {dimensions} dimensions. Here at most {most} words of at most "
                "{widest} dimensions can be read, and {numbers} numbers in all."
            ),
            words=words,
            dimensions=dimensions,
            most=MAX_WORDS,
            widest=MAX_DIMENSIONS,
            numbers=MAX_NUMBERS,
        )


def _decoded(data: bytes, first: int = 1) -> str:
    """UTF-8, or a refusal that names the line of the first byte that is not."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(
            N_("Line {line} is not in UTF-8. Save the file again in this encoding."),
            line=first + data.count(b"\n", 0, error.start),
        ) from error


def _lines(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers. Only line feeds end a line: words may hold odd spaces."""
    for number, line in enumerate(text.split("\n"), first):
        if line.strip():
            yield number, line.rstrip("\r")


def _text(data: bytes, first: int, dimensions: int | None) -> _Table:
    """Rows of a word and numbers between single spaces (or tabs), as word2vec and GloVe write them."""
    words: list[str] = []
    rows: list[Float[np.ndarray, " dim"]] = []
    for number, line in _lines(_decoded(data, first), first):
        fields = line.strip(" \t").replace("\t", " ").split(" ")
        dimensions = dimensions or len(fields) - 1
        # A word may hold spaces itself ("New York" in some GloVe files): the numbers are counted from the end.
        cut = max(1, len(fields) - dimensions)
        words.append(" ".join(fields[:cut]))
        rows.append(_row(fields[cut:], dimensions, number))
        _check_size(len(rows), dimensions)
    return words, _matrix(rows)


def _check_row(found: int, expected: int, number: int) -> None:
    if expected < 1:
        raise Refused(N_("Line {line} holds a word and no numbers: this is no file of vectors."), line=number)
    if found != expected:
        raise Refused(
            N_("Line {line} holds {found} numbers where {expected} are due."),
            line=number,
            found=found,
            expected=expected,
        )


def _matrix(rows: Sequence[Float[np.ndarray, " dim"]]) -> Float[np.ndarray, "word dim"]:
    _check_size(len(rows), len(rows[0]) if rows else 0)
    return np.stack(rows)


def _row(fields: Sequence[str], dimensions: int, number: int) -> Float[np.ndarray, " dim"]:
    """The numbers of a line, as many as the other lines hold, each of them finite."""
    _check_row(len(fields), dimensions, number)
    try:
        values = np.array(fields, dtype=np.float64)
    except ValueError as error:
        wrong = next((field for field in fields if not _is_number(field)), "")
        raise Refused(N_("Line {line}: “{text}” is not a number."), line=number, text=wrong[:40]) from error
    if not (np.abs(values) <= LARGEST).all():
        raise Refused(
            N_("Line {line} holds a number that is infinite, above 10^15 or not a number (NaN)."), line=number
        )
    return values.astype(np.float32)


def _is_number(text: str) -> bool:
    try:
        np.float64(text)
    except ValueError:
        return False
    return True


def _binary(data: bytes, start: int, words: int, dimensions: int, *, whole: bool = True) -> _Table:
    """The binary form of word2vec: some writers end a row with a line feed, others do not.

    ``whole`` is false for the beginning of a larger file.
    """
    width = 4 * dimensions
    if words * (width + 2) > len(data) - start + words:
        raise _short(words)
    found: list[str] = []
    matrix = np.empty((words, dimensions), np.float32)
    for place in range(words):
        space = data.find(b" ", start, start + MAX_WORD_BYTES)
        if space < 0 or space + 1 + width > len(data):
            raise _short(words, place)
        found.append(_word(data[start:space].lstrip(b"\r\n"), place))
        matrix[place] = np.frombuffer(data, "<f4", dimensions, space + 1)
        start = space + 1 + width
    if whole and data[start:].strip(b"\r\n"):
        raise Refused(
            N_("After {words} vectors the file goes on: its first line does not fit what it holds."),
            words=words,
        )
    _check_finite(matrix)
    return found, matrix


def _word(data: bytes, place: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(N_("Word {number} is not in UTF-8."), number=place + 1) from error


def _short(promised: int, found: int | None = None) -> Refused:
    if found is None:
        return Refused(
            N_("The first line promises {promised} words, and the file is too short to hold them."),
            promised=promised,
        )
    return Refused(
        N_("The file breaks off or is damaged after {found} of {promised} words."),
        found=found,
        promised=promised,
    )


def _check_finite(matrix: Float[np.ndarray, "word dim"]) -> None:
    bad = np.flatnonzero(~(np.abs(matrix) <= LARGEST).all(axis=1))
    if len(bad):
        raise Refused(
            N_("Vector {number} holds a number that is infinite, above 10^15 or not a number (NaN)."),
            number=int(bad[0]) + 1,
        )


def _tsv(vectors: bytes, metadata: bytes) -> _Table:
    """``vectors.tsv`` and ``metadata.tsv``, whose lines belong together one to one."""
    rows: list[Float[np.ndarray, " dim"]] = []
    for number, line in _lines(_decoded(vectors), 1):
        fields = line.strip(" ").split("\t")
        rows.append(_row(fields, len(rows[0]) if rows else len(fields), number))
        _check_size(len(rows), len(fields))
    matrix = _matrix(rows)
    labels = [
        line.rstrip("\r")
        for line in _decoded(metadata.removeprefix(codecs.BOM_UTF8)).removesuffix("\n").split("\n")
    ]
    # With one column the first line is a word already; with several it names them.
    if "\t" in labels[0]:
        labels = labels[1:]
    if len(labels) != len(matrix):
        raise Refused(
            N_("metadata.tsv names {words} words for the {vectors} vectors of vectors.tsv."),
            words=len(labels),
            vectors=len(matrix),
        )
    return [label.split("\t")[0] for label in labels], matrix


def _npz(data: bytes) -> WordVectors:
    """Arrays of an NPZ file, their sizes read from their headers before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            arrays = {
                name: _array(archive, f"{name}.npy")
                for name in ("words", "vectors", "counts")
                if f"{name}.npy" in archive.namelist()
            }
    except _DAMAGED as error:
        raise Refused(N_("The file is no NPZ file that can be read: it is damaged.")) from error
    if not {"words", "vectors"} <= set(arrays):
        raise Refused(N_("An NPZ file of vectors holds the arrays “words” and “vectors”."))
    return _from_arrays(arrays)


def _from_arrays(arrays: dict[str, np.ndarray]) -> WordVectors:
    words, vectors, counts = arrays["words"], arrays["vectors"], arrays.get("counts")
    if words.dtype.kind != "U" or words.ndim != 1 or vectors.dtype.kind not in "fiu" or vectors.ndim != 2:
        raise Refused(
            N_("In an NPZ file, “words” is a list of texts and “vectors” a table of numbers, a row a word.")
        )
    if len(words) != len(vectors):
        raise Refused(
            N_("The file holds {words} words for {vectors} vectors."), words=len(words), vectors=len(vectors)
        )
    if counts is not None and (counts.shape != words.shape or counts.dtype.kind not in "iu"):
        raise Refused(N_("“counts” is to hold a whole number for each word."))
    _check_size(*vectors.shape)
    with np.errstate(over="ignore"):
        matrix = vectors.astype(np.float32)
    _check_finite(matrix)
    try:
        named = words.tolist()
    except (ValueError, SystemError, OverflowError) as error:
        raise Refused(N_("The file is no NPZ file that can be read: it is damaged.")) from error
    return _store((named, matrix), counts)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """One array; its header says how large it is before it is read, and objects are refused."""
    if archive.getinfo(name).file_size > _MAX_ARRAY:
        raise _too_large(name)
    with archive.open(name) as member:
        if np.lib.format.read_magic(member) == (1, 0):
            shape, _fortran, dtype = np.lib.format.read_array_header_1_0(member)
        else:
            shape, _fortran, dtype = np.lib.format.read_array_header_2_0(member)
    if dtype.hasobject:
        raise Refused(
            N_(
                "The file holds Python objects (pickle), which could run code here. Save plain arrays of text "
                "and numbers."
            )
        )
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > _MAX_ARRAY:
        raise _too_large(name)
    with archive.open(name) as member:
        stored: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
    return stored


def _too_large(name: str) -> Refused:
    return Refused(
        N_("The array “{name}” would take more than {limit} MB."),
        name=name.removesuffix(".npy"),
        limit=_MAX_ARRAY >> 20,
    )


def _store(table: _Table, counts: Int[np.ndarray, " word"] | None = None) -> WordVectors:
    """Words and vectors as a store; a word that comes twice or is empty is refused by name."""
    words, matrix = table
    first: dict[str, int] = {}
    for place, word in enumerate(words, 1):
        if not word or (not word.isascii() and any(0xD800 <= ord(letter) < 0xE000 for letter in word)):
            raise Refused(N_("Vector {number} has no word that can be read."), number=place)
        if len(word.encode("utf-8", "surrogatepass")) > MAX_WORD_BYTES:
            raise Refused(
                N_("Word {number} is longer than {limit} bytes."), number=place, limit=MAX_WORD_BYTES
            )
        if word in first:
            raise Refused(
                N_("The word “{word}” comes twice: as number {first} and as number {second}."),
                word=word[:60],
                first=first[word],
                second=place,
            )
        first[word] = place
    return WordVectors(words, matrix, counts)


def write(vectors: WordVectors, form: Format) -> dict[str, bytes]:
    """The vectors as files: name and content of each (two for a TSV pair).

    Text formats hold as many digits as bring each float32 back to the last bit. The formats but NPZ have no
    place for the counts; the order of the words keeps which are frequent.

    Raises
    ------
    Refused
        A word holds a space, a tab or a line break that the format cannot carry.
    """
    _check_writable(vectors, form)
    return _WRITERS[form](vectors)


def _check_writable(vectors: WordVectors, form: Format) -> None:
    forbidden = {"npz": "\0", "tsv": "\t\r\n"}.get(form, " \t\r\n")
    for word in vectors.words:
        if any(letter in word for letter in forbidden) or word.strip() != word:
            raise Refused(
                N_(
                    "The word “{word}” cannot be written in this format because of the spaces in it. NPZ can hold it."
                ),
                word=word[:60],
            )


def _written_rows(vectors: WordVectors, between: str) -> Iterator[str]:
    for row in vectors.matrix:
        yield between.join(row.astype(str).tolist())


def _write_text(vectors: WordVectors) -> dict[str, bytes]:
    header = f"{len(vectors)} {vectors.dimensions}\n".encode()
    return {"vectors.txt": header + _write_glove(vectors)["vectors.glove.txt"]}


def _write_glove(vectors: WordVectors) -> dict[str, bytes]:
    rows = zip(vectors.words, _written_rows(vectors, " "), strict=True)
    return {"vectors.glove.txt": "".join(f"{word} {row}\n" for word, row in rows).encode()}


def _write_binary(vectors: WordVectors) -> dict[str, bytes]:
    target = io.BytesIO()
    target.write(f"{len(vectors)} {vectors.dimensions}\n".encode())
    for word, row in zip(vectors.words, vectors.matrix, strict=True):
        target.write(word.encode() + b" " + row.astype("<f4").tobytes() + b"\n")
    return {"vectors.bin": target.getvalue()}


def _write_tsv(vectors: WordVectors) -> dict[str, bytes]:
    rows = "".join(row + "\n" for row in _written_rows(vectors, "\t"))
    return {
        "vectors.tsv": rows.encode(),
        "metadata.tsv": "".join(word + "\n" for word in vectors.words).encode(),
    }


def _write_npz(vectors: WordVectors) -> dict[str, bytes]:
    target = io.BytesIO()
    counts: dict[str, Any] = {"counts": vectors.counts} if len(vectors.counts) else {}
    np.savez_compressed(target, words=np.array(vectors.words), vectors=vectors.matrix, **counts)
    return {"vectors.npz": target.getvalue()}


_WRITERS: dict[Format, Callable[[WordVectors], dict[str, bytes]]] = {
    "word2vec-text": _write_text,
    "word2vec-binary": _write_binary,
    "glove": _write_glove,
    "tsv": _write_tsv,
    "npz": _write_npz,
}
