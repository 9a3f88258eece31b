"""Vectors of one's own: equal to gensim's reading and writing, and refused by line when they are wrong."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import settings as check
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dlviz.errors import Refused
from dlviz.language import vector_files
from dlviz.language.vector_files import FORMATS, Format, kind, read, write
from dlviz.language.word_vectors import WordVectors

WORDS = ["the", "l'", "peut-être", "ﬁn", "猫", "👑", "3"]
MATRIX = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32) * np.float32(1e-3)


@pytest.fixture
def vectors() -> WordVectors:
    return WordVectors(WORDS, MATRIX, np.array([70, 60, 5, 4, 3, 2, 1]))


def again(files: dict[str, bytes]) -> WordVectors:
    first, *rest = files.values()
    return read(first, metadata=rest[0] if rest else None)


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_is_read_again_to_the_last_bit(vectors: WordVectors, form: Format) -> None:
    files = write(vectors, form)
    first, *rest = files.values()
    assert kind(first, metadata=rest[0] if rest else None) == form
    back = again(files)
    assert back.words == vectors.words
    np.testing.assert_array_equal(back.matrix, vectors.matrix)
    assert back.counts.tolist() == (vectors.counts.tolist() if form == "npz" else [])


@pytest.mark.parametrize("binary", [True, False])
def test_gensim_reads_ours_and_we_read_gensims(vectors: WordVectors, binary: bool, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.write_bytes(next(iter(write(vectors, "word2vec-binary" if binary else "word2vec-text").values())))
    reference = KeyedVectors.load_word2vec_format(str(ours), binary=binary)
    assert reference.index_to_key == WORDS
    np.testing.assert_array_equal(reference.vectors, MATRIX)
    theirs = tmp_path / "theirs"
    reference.save_word2vec_format(str(theirs), binary=binary)
    back = read(theirs.read_bytes())
    assert back.words == tuple(WORDS)
    np.testing.assert_array_equal(back.matrix, MATRIX)


def test_gensim_reads_our_glove(vectors: WordVectors, tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_bytes(write(vectors, "glove")["vectors.glove.txt"])
    reference = KeyedVectors.load_word2vec_format(str(path), binary=False, no_header=True)
    assert reference.index_to_key == WORDS
    np.testing.assert_array_equal(reference.vectors, MATRIX)


floats = st.floats(-(2.0**49), 2.0**49, width=32)
names = st.lists(
    st.text("aé'-猫0 .", min_size=1, max_size=6).filter(lambda w: w.strip() == w), unique=True, min_size=1
)


@given(names, st.integers(1, 4), st.sampled_from(FORMATS), st.data())
@check(max_examples=150, deadline=None)
def test_any_vectors_come_back_or_are_refused_on_writing(
    words: list[str], dimensions: int, form: Format, data: st.DataObject
) -> None:
    matrix = data.draw(arrays.arrays(np.float32, (len(words), dimensions), elements=floats))
    vectors = WordVectors(words, matrix)
    if form not in ("npz", "tsv") and any(" " in word for word in words):
        with pytest.raises(Refused, match="spaces"):
            write(vectors, form)
        return
    files = write(vectors, form)
    if form == "glove" and vector_files._HEADER.match(files["vectors.glove.txt"]):
        return  # "3 7" is a first line and a row: no reader can tell
    back = again(files)
    assert back.words == tuple(words)
    np.testing.assert_array_equal(back.matrix, matrix)


@pytest.mark.parametrize(
    ("data", "message", "values"),
    [
        (b"", "empty", {}),
        (b" \n\n", "empty", {}),
        (b"0 0\n", "no vectors", {}),
        (b"cat 1 2\ndog 1\n", "Line 2 holds 1 numbers", {"found": 1, "expected": 2}),
        (b"2 2\ncat 1 2\ndog 1 x\n", "Line 3: .x. is not a number", {"line": 3, "text": "x"}),
        (b"cat 1 2\n\ndog 1 nan\n", "Line 3 holds a number that is infinite", {"line": 3}),
        (b"cat 1 inf\n", "Line 1", {"line": 1}),
        (b"cat 1 1e39\n", "Line 1 holds a number that is infinite", {"line": 1}),
        (b"cat\ndog\n", "Line 1 holds a word and no numbers", {"line": 1}),
        (b"cat 1 2\ncat 3 4\n", "comes twice: as number 1 and as number 2", {"word": "cat"}),
        (b"cat 1 2\n\xe9t\xe9 1 2\n", "Line 2 is not in UTF-8", {"line": 2}),
        (b"2 2\ncat 1 2\n\xe9t\xe9 1 2\n", "Line 3 is not in UTF-8", {"line": 3}),
        (b"3 2\ncat 1 2\ndog 1 2\n", "promises 3 words", {"promised": 3, "found": 2}),
        (b"1 2\ncat 1 2\ndog 1 2\n", "promises 1 words", {"promised": 1, "found": 2}),
        (b"999999999 300\ncat 1\n", "999999999 words of 300", {"words": 999999999}),
        (b"3 900000000000\n\0\0\0\0", "of 900000000000 dimensions", {}),
        (b"cat " + b"1 " * 2001, "of 2001 dimensions", {}),
        (b"3 4\ncat \0\0\0\0", "too short", {"promised": 3}),
        (b"a" * 500 + b" 1 2\n", "longer than 400 bytes", {"number": 1}),
        (
            b"A text that somebody took for vectors.\nAnother line.\n",
            "Line 1: .text. is not a number",
            {"line": 1},
        ),
        (b"PK\x03\x04 nothing", "damaged", {}),
        (b"\x80\x04\x95" + pickle.dumps(["a"]), "not in UTF-8", {"line": 1}),
    ],
)
def test_wrong_files_are_refused_by_line(data: bytes, message: str, values: dict[str, object]) -> None:
    with pytest.raises(Refused, match=message) as caught:
        read(data)
    assert values.items() <= caught.value.values.items()


def _binary(rows: list[tuple[bytes, list[float]]], words: int | None = None, after: bytes = b"") -> bytes:
    head = f"{len(rows) if words is None else words} {len(rows[0][1])}\n".encode()
    return head + b"".join(w + b" " + np.array(v, "<f4").tobytes() + b"\n" for w, v in rows) + after


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_binary([(b"cat", [1.0, float("nan")])]), "Vector 1 holds"),
        (_binary([(b"cat", [1.0, 2.0]), (b"dog", [float("inf"), 0])]), "Vector 2 holds"),
        (_binary([(b"cat", [1.0, 2.0])], after=b"more of it"), "goes on"),
        (_binary([(b"\xff\xfe", [1.0, 2.0])]), "Word 1 is not in UTF-8"),
        (_binary([(b"cat", [1.0, 2.0]), (b"cat", [1.0, 2.0])]), "comes twice"),
        (_binary([(b"", [1.0, 2.0])]), "no word"),
        (_binary([(b"cat", [1.0, 2.0]), (b"d", [1.0, 2.0])])[:-6], "breaks off or is damaged after 1 of 2"),
    ],
)
def test_wrong_binary_files_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(Refused, match=message):
        read(data)


def test_a_byte_order_mark_is_no_part_of_the_first_word() -> None:
    mark = b"\xef\xbb\xbf"
    assert read(mark + b"1 2\ncat 1 2\n").words == ("cat",)
    assert read(mark + b"cat 1 2\n").words == ("cat",)
    assert read(mark + b"1\t2\n", metadata=mark + b"cat\n").words == ("cat",)


def test_a_pair_of_tsv_files_must_fit() -> None:
    numbers = b"1\t2\n3\t4\n"
    assert read(numbers, metadata=b"cat\ndog\n").words == ("cat", "dog")
    assert read(numbers, metadata=b"word\tcount\ncat\t3\ndog\t2\n").words == ("cat", "dog")
    with pytest.raises(Refused, match="names 1 words for the 2 vectors"):
        read(numbers, metadata=b"cat\n")
    with pytest.raises(Refused, match="Line 2 holds 1 numbers"):
        read(b"1\t2\n3\n", metadata=b"cat\ndog\n")
    with pytest.raises(Refused, match="Line 1 is not in UTF-8"):
        read(numbers, metadata=b"\xff\n")


def _npz(**held: np.ndarray) -> bytes:
    target = io.BytesIO()
    np.savez_compressed(target, **held)
    return target.getvalue()


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"words": np.array(["a"])}, "holds the arrays"),
        ({"words": np.array(["a", "b"]), "vectors": np.eye(3)}, "2 words for 3 vectors"),
        ({"words": np.array([1, 2]), "vectors": np.eye(2)}, "a list of texts"),
        ({"words": np.array(["a"]), "vectors": np.eye(1, dtype=complex)}, "a list of texts"),
        ({"words": np.array(["a"]), "vectors": np.ones(1)}, "a list of texts"),
        ({"words": np.array(["a"]), "vectors": np.array([[np.nan]])}, "Vector 1"),
        ({"words": np.array(["a"]), "vectors": np.array([[1e300]])}, "Vector 1"),
        ({"words": np.array(["a", "a"]), "vectors": np.eye(2)}, "comes twice"),
        ({"words": np.array(["", "a"]), "vectors": np.eye(2)}, "Vector 1 has no word"),
        ({"words": np.array(["\ud800"]), "vectors": np.eye(1)}, "Vector 1 has no word"),
        ({"words": np.array(["a"]), "vectors": np.eye(1), "counts": np.array([0.5])}, "whole number"),
        ({"words": np.zeros(0, "U3"), "vectors": np.zeros((0, 4))}, "no vectors"),
        ({"words": np.array(["a"], dtype=object), "vectors": np.eye(1)}, "pickle"),
    ],
)
def test_wrong_npz_files_are_refused(held: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(Refused, match=message):
        read(_npz(**held))


def test_nothing_in_a_file_is_ever_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"

    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (trap,))

    data = _npz(words=np.array([Trap()], dtype=object), vectors=np.eye(1))
    for attempt in (data, pickle.dumps(Trap()), data[:-10]):
        with pytest.raises(Refused):
            read(attempt)
    assert not trap.exists()


def test_a_zip_bomb_is_refused_by_its_header() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        header = io.BytesIO()
        description = {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}
        np.lib.format.write_array_header_1_0(header, description)
        archive.writestr("vectors.npy", header.getvalue() + bytes(1000))
        archive.writestr("words.npy", b"")
    with pytest.raises(Refused):
        read(target.getvalue())


def test_a_file_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(Refused, match="at most 64 MB"):
        read(b"cat 1 2\n" * (8 << 20) + b"dog")


@given(
    st.binary(max_size=300)
    | st.binary(max_size=200).map(lambda b: b"2 3\n" + b)
    | st.binary(max_size=200).map(lambda b: b"PK\x03\x04" + b)
)
@check(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        vectors = read(data)
    except Refused:
        return
    assert np.isfinite(vectors.matrix).all() and len(set(vectors.words)) == len(vectors) > 0


@given(st.sampled_from(FORMATS), st.integers(0, 10_000), st.integers(0, 255), st.booleans())
@check(max_examples=300, deadline=None)
def test_a_damaged_file_is_read_or_refused(form: Format, place: int, byte: int, cut: bool) -> None:
    first, *rest = write(WordVectors(WORDS, MATRIX), form).values()
    place %= len(first)
    broken = first[:place] if cut else first[:place] + bytes([byte]) + first[place + 1 :]
    try:
        read(broken, metadata=rest[0] if rest else None)
    except Refused as refusal:
        assert str(refusal)


@pytest.mark.parametrize(
    ("file", "form"),
    [("vectors.txt", "word2vec-text"), ("vectors.bin", "word2vec-binary"), ("vectors.glove", "glove")],
)
@pytest.mark.parametrize("packed", [False, True])
def test_an_operators_file_is_read_from_its_beginning(
    vectors: WordVectors, file: str, form: Format, packed: bool, tmp_path: Path
) -> None:
    data = next(iter(write(vectors, form).values()))
    name = f"{file}.gz" if packed else file
    (tmp_path / name).write_bytes(gzip.compress(data) if packed else data)
    found = vector_files.from_folder(tmp_path, file=name, limit=3)
    assert found.words == tuple(WORDS[:3])
    np.testing.assert_array_equal(found.matrix, MATRIX[:3])
    assert len(vector_files.from_folder(tmp_path, file=name)) == len(WORDS)


def test_of_words_that_come_twice_in_an_operators_file_the_first_stays(tmp_path: Path) -> None:
    (tmp_path / "vectors.txt").write_bytes(b"cat 1 2\ndog 3 4\ncat 5 6\n")
    found = vector_files.from_folder(tmp_path, file="vectors.txt")
    assert found.words == ("cat", "dog") and found.matrix[0].tolist() == [1, 2]


def test_an_operators_pair_and_npz_are_read(vectors: WordVectors, tmp_path: Path) -> None:
    for form, file in (("tsv", "vectors.tsv"), ("npz", "vectors.npz")):
        for name, data in write(vectors, form).items():
            (tmp_path / name).write_bytes(data)
        assert vector_files.from_folder(tmp_path, file=file).words == tuple(WORDS)
