"""The recipe of the word vectors on a few made-up sentences: it runs, stops, goes on to the same end."""

from __future__ import annotations

import json
import lzma
from pathlib import Path

import numpy as np
import pytest
from gensim import downloader
from gensim.models import KeyedVectors

from dlviz import zoo
from dlviz.errors import NotAvailable
from dlviz.language import word_questions, word_vectors
from dlviz.recipes import french_questions, word_quality
from dlviz.recipes import word_vectors as recipe
from dlviz.recipes.word_vectors import Settings
from dlviz.zoo import word_cards
from dlviz.zoo.__main__ import main
from dlviz.zoo.seal import seal
from dlviz.zoo.texts_data import eltec

TINY = Settings(epochs=3, dimensions=8, window=2, negatives=3, subsampling=0.0, min_count=1)
LINES = {
    "en": ["The king loved the queen. The old queen loved money, computer and cash!", "A tiger is a cat."],
    "fr": ["L'homme aime la femme, dit-il. Le père et la mère, le frère, la sœur : la fenêtre !", "Le roi."],
}


class PowerCutError(Exception):
    """Stands for a closed lid or a power cut."""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "eltec").mkdir()
    for language, file in (("en", "eltec_eng.txt.xz"), ("fr", "eltec_fra.txt.xz")):
        with lzma.open(folder / "eltec" / file, "wt", encoding="utf-8") as novels:
            novels.write("\n".join(LINES[language] * 30) + "\n")
    return folder


@pytest.fixture(scope="module", params=["en", "fr"])
def finished(
    data_dir: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[str, Path]:
    """A run of the zoo's own command for one language."""
    run_dir = tmp_path_factory.mktemp(f"run_{request.param}")
    patch = pytest.MonkeyPatch()
    patch.setattr(recipe, "Settings", lambda: TINY)
    try:
        assert (
            main(["train", f"words-{request.param}", "--run-dir", str(run_dir), "--data-dir", str(data_dir)])
            == 0
        )
    finally:
        patch.undo()
    return request.param, run_dir


def test_it_writes_what_the_page_needs(finished: tuple[str, Path]) -> None:
    language, run_dir = finished
    metrics = json.loads((run_dir / "metrics.json").read_text())
    vectors = word_vectors.bundled(run_dir)
    assert (metrics["words"], metrics["dimensions"]) == vectors.matrix.shape
    assert metrics["tokens"] == vectors.counts.sum()
    assert (np.diff(vectors.counts) <= 0).all()
    assert vectors.index[{"en": "queen", "fr": "femme"}[language]] < len(vectors)
    assert metrics["language"] == language and metrics["schedule"] == [[0, 3]]
    assert [moment["epoch"] for moment in metrics["history"]] == [1, 2, 3]
    assert set(metrics["before_rounding"]) <= set(word_quality.FIGURES)


def test_a_stopped_run_goes_on_to_the_same_vectors(
    finished: tuple[str, Path], data_dir: Path, tmp_path: Path
) -> None:
    language, whole = finished

    def stop(line: str) -> None:
        if line.startswith("epoch 1/"):
            raise PowerCutError

    with pytest.raises(PowerCutError):
        recipe.train(tmp_path, data_dir, language=language, settings=TINY, report=stop)
    assert not (tmp_path / "weights.safetensors").exists()
    said: list[str] = []
    recipe.train(tmp_path, data_dir, language=language, settings=TINY, report=said.append)
    assert said[1] == "resumed after epoch 1"
    one, other = word_vectors.bundled(whole), word_vectors.bundled(tmp_path)
    assert one.words == other.words
    np.testing.assert_array_equal(one.matrix, other.matrix)


def test_a_checkpoint_of_other_texts_is_not_taken(finished: tuple[str, Path], tmp_path: Path) -> None:
    _language, whole = finished
    (tmp_path / "tokens.txt").write_text("some other words\n" * 20)
    (tmp_path / "checkpoint.npz").write_bytes((whole / "checkpoint.npz").read_bytes())
    with pytest.raises(ValueError, match="other texts"):
        recipe.train(tmp_path, language="en", settings=TINY)


def test_sealed_it_is_a_model_of_the_zoo(
    finished: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    language, run_dir = finished
    monkeypatch.setenv("DLVIZ_ASSETS_DIR", str(tmp_path))
    name = f"words-{language}"
    assert zoo.status(name) == "broken"
    seal(zoo.bundled_dir(name), run_dir)
    assert zoo.status(name) == "ready"
    card = zoo.card(name)
    assert card.languages == (language,)
    assert card.metrics and all("{" not in str(metric.how) for metric in card.metrics)
    assert str(card.training_data).endswith("words.")
    zoo.unload(name)
    try:
        model = zoo.load(name)
        assert len(word_vectors.neighbours(model, model.words[0], count=3).words) == 3
    finally:
        zoo.unload(name)


def test_missing_novels_are_one_clear_message(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable, match=r"eltec_fra\.txt\.xz is missing"):
        eltec("fr", tmp_path)


def test_figures_are_those_of_ones_own_queries() -> None:
    """On vectors where the answers are known: our queries and gensim's evaluation agree."""
    words = sorted({word for row in french_questions.ODD_ONES for word in row.split()})
    kinds = {word: row for row, text in enumerate(french_questions.ODD_ONES) for word in text.split()[:-1]}
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(len(words), 60)).astype(np.float32) * 0.03
    for place, word in enumerate(words):
        matrix[place, kinds.get(word, 50)] += 1
    reference = KeyedVectors(60)
    reference.add_vectors(words, matrix)
    found = word_quality.odd_ones(reference)
    ours = word_vectors.WordVectors(words, matrix)
    hits = 0
    for row in french_questions.ODD_ONES:
        answer = word_questions.odd_one_out(ours, row.split())
        hits += answer.words[answer.odd] == row.split()[-1]
    assert found["odd_ones"] == pytest.approx(hits / len(french_questions.ODD_ONES), abs=1e-4)
    assert found["odd_ones"] > 0.9 and found["odd_ones_coverage"] == 1


def test_analogies_are_counted_with_their_coverage() -> None:
    words = ["roi", "reine", "homme", "femme", "chat"]
    matrix = np.array([[1, 0, 1], [1, 1, 1], [0, 0, 1], [0, 1, 1], [-1, 0, 0.2]], dtype=np.float32)
    vectors = KeyedVectors(3)
    vectors.add_vectors(words, matrix)
    text = ": famille\nhomme roi femme reine\nroi homme reine femme\nhomme roi femme chat\nhomme roi tante oncle\n"
    found = word_quality.analogies(vectors, text)
    assert (found["analogies_asked"], found["analogies_coverage"]) == (4, 0.75)
    assert found["analogies"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["analogy_sections"] == {"famille": {"right": 2, "of": 3}}


def test_analogies_are_gensims(tmp_path: Path) -> None:
    text = french_questions.questions()
    words = sorted({word for line in text.splitlines() if line[0] != ":" for word in line.split()})[:70]
    matrix = np.random.default_rng(3).normal(size=(len(words), 6)).astype(np.float32)
    vectors = KeyedVectors(6)
    vectors.add_vectors(words, matrix)
    (tmp_path / "questions.txt").write_text(text, encoding="utf-8")
    score, sections = vectors.evaluate_word_analogies(str(tmp_path / "questions.txt"))
    found = word_quality.analogies(vectors, text)
    assert found["analogies"] == pytest.approx(score, abs=1e-4) and 0 < score < 1
    for section in sections[:-1]:
        asked = len(section["correct"]) + len(section["incorrect"])
        ours = found["analogy_sections"].get(section["section"], {"right": 0, "of": 0})
        assert ours == {"right": len(section["correct"]), "of": asked}


def test_the_french_questions_are_well_formed() -> None:
    lines = french_questions.questions().splitlines()
    assert sum(line.startswith(": ") for line in lines) == len(french_questions.PAIRS) == 10
    assert all(len(line.split()) == 4 for line in lines if not line.startswith(":"))
    assert len(lines) == len(set(lines))
    assert all(len(set(row.split())) == 5 for row in french_questions.ODD_ONES)


def test_public_vectors_are_where_gensim_has_them() -> None:
    assert downloader.DOWNLOAD_BASE_URL == word_cards.GENSIM_DATA
    for name in word_cards.PUBLIC:
        (file,) = zoo.card(name).files
        assert file.url == f"{downloader.DOWNLOAD_BASE_URL}/{name}/{name}.gz"
        assert (file.sha256, file.sha256_prefix) == ("", "")
        assert zoo.card(name).task == word_cards.WORD_VECTORS


def test_a_folder_with_vectors_is_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "vectors.txt").write_text("2 3\ncat 1 2 3\ndog 1 2 4\n")
    monkeypatch.setenv("DLVIZ_MODEL_DIRS", str(folder))
    card = zoo.card("folder-mine")
    assert (card.task, card.title) == ("word-vectors", "mine")
    assert zoo.status("folder-mine") == "ready"
    assert zoo.load("folder-mine").words == ("cat", "dog")
    zoo.unload("folder-mine")
