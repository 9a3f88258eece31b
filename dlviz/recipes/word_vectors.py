"""How the bundled English and French word vectors were trained: skip-gram on a hundred novels each.

Ten million words are little for word vectors (those that Mikolov et al. published in 2013 had seen a hundred
billion), so the recipe keeps every word of five uses and more, draws ten negatives a pair, thins out the frequent
words, and goes over the novels several times. The novels are of 1840 to 1920: what these vectors know of the world
is what such novels say of it.

The shipped vectors were planned for ten epochs and shortened in steps to six while they trained, to fit the time
there was; `schedule` in their `card.json` says at which epochs. A straight run of the settings below is the same
recipe but will not give the same numbers.

Run it with `python -m dlviz.recipes.word_vectors en RUN_DIR`; stopped at any moment, the same command goes on
from the last whole epoch, to the same vectors (one thread, and each epoch draws from a seed of its own).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import KeyedVectors, Word2Vec

from dlviz.language import word_files
from dlviz.language.word_tokens import LANGUAGES, Language, sentences
from dlviz.recipes import word_quality
from dlviz.zoo.texts_data import eltec

Report = Callable[[str], None]

# What a checkpoint holds beside the two matrices.
KEPT = ("epoch", "seconds", "history", "schedule")


@dataclass(frozen=True, slots=True)
class Settings:
    """Every number of the recipe. Equal settings on one machine give equal vectors."""

    epochs: int = 10
    dimensions: int = 100
    window: int = 5
    negatives: int = 10
    # A word of relative frequency f is kept with probability (sqrt(f / t) + 1) t / f (word2vec's own code).
    subsampling: float = 1e-4
    min_count: int = 5
    learning_rate: float = 0.025
    last_rate: float = 1e-4
    seed: int = 0

    def rate(self, epoch: int) -> float:
        """The learning rate falls linearly over all epochs."""
        part = epoch / self.epochs
        return self.learning_rate + (self.last_rate - self.learning_rate) * part


class Training:
    """The state that a checkpoint holds: both matrices of word2vec, the epoch, the time it took."""

    def __init__(self, settings: Settings, tokens: Path) -> None:
        self.settings, self.tokens = settings, tokens
        self.model = Word2Vec(
            vector_size=settings.dimensions,
            window=settings.window,
            negative=settings.negatives,
            sample=settings.subsampling,
            min_count=settings.min_count,
            sg=1,
            workers=1,
            seed=settings.seed,
        )
        self.model.build_vocab(corpus_file=str(tokens))
        self.epoch, self.seconds = 0, 0.0
        self.history: list[dict[str, float]] = []
        # A row [from this epoch on, of so many epochs] each time that the plan was changed.
        self.schedule: list[list[int]] = []

    def run_epoch(self) -> None:
        """One pass over the novels; what it draws depends on the seed and the number of the epoch alone."""
        started = time.perf_counter()
        self.model.random = np.random.RandomState([self.settings.seed, self.epoch])
        self.model.train(
            corpus_file=str(self.tokens),
            total_examples=self.model.corpus_count,
            total_words=self.model.corpus_total_words,
            epochs=1,
            start_alpha=self.settings.rate(self.epoch),
            end_alpha=self.settings.rate(self.epoch + 1),
        )
        self.epoch += 1
        self.seconds += time.perf_counter() - started

    def save(self, path: Path) -> None:
        """Write the checkpoint beside its place and move it there, so that a crash leaves a whole one."""
        part = path.with_suffix(".part.npz")
        np.savez(
            part,
            words=np.array(self.model.wv.index_to_key),
            vectors=self.model.wv.vectors,
            context=self.model.syn1neg,
            state=json.dumps({name: getattr(self, name) for name in KEPT}),
        )
        part.replace(path)

    def load(self, path: Path) -> None:
        """Take the state from a checkpoint; arrays and JSON, no code.

        Raises
        ------
        ValueError
            It was made from other texts.
        """
        with np.load(path, allow_pickle=False) as stored:
            if stored["words"].tolist() != self.model.wv.index_to_key:
                raise ValueError(f"{path} belongs to other texts: delete it to begin again")
            self.model.wv.vectors[:] = stored["vectors"]
            self.model.syn1neg[:] = stored["context"]
            state = json.loads(str(stored["state"]))
        for name in KEPT:
            setattr(self, name, state[name])


def train(
    run_dir: Path,
    data_dir: Path | None = None,
    *,
    language: Language,
    epochs: int | None = None,
    settings: Settings | None = None,
    resume: bool = True,
    download: bool = False,
    report: Report = print,
) -> dict[str, Any]:
    """Train word vectors on the novels of one language and write them with their metrics into `run_dir`.

    Parameters
    ----------
    run_dir
        Where the tokens, the checkpoint and the results go.
    data_dir
        Folder that holds `eltec/`; `DLVIZ_DATA_DIR` where it is None.
    language
        `"en"` or `"fr"`.
    epochs
        Overrides the recipe's number of epochs; the learning rate falls over all of them.
    settings
        Overrides everything else.
    resume
        Go on from `run_dir/checkpoint.npz` where there is one.
    download
        Taken for the sake of the other recipes; there is nothing to fetch the novels from by itself: they are at
        https://github.com/COST-ELTeC, as TEI files whose bodies have to be made plain text first.
    report
        Called with one line after each epoch, once the checkpoint is safe.

    Returns
    -------
    dict
        The content of `metrics.json`.

    Raises
    ------
    NotAvailable
        The novels are not on this machine.
    """
    settings = settings or Settings()
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    run_dir.mkdir(parents=True, exist_ok=True)
    checkpoint = run_dir / "checkpoint.npz"
    training = Training(settings, write_tokens(language, run_dir, data_dir))
    report(f"{len(training.model.wv)} words, {training.model.corpus_total_words} tokens")
    if resume and checkpoint.exists():
        training.load(checkpoint)
        report(f"resumed after epoch {training.epoch}")
    if not training.schedule or training.schedule[-1][1] != settings.epochs:
        training.schedule.append([training.epoch, settings.epochs])
    while training.epoch < settings.epochs:
        training.run_epoch()
        moment = word_quality.quick(training.model.wv, language)
        training.history.append({"epoch": training.epoch, **moment})
        training.save(checkpoint)
        said = "  ".join(f"{name} {value:.3f}" for name, value in moment.items())
        report(f"epoch {training.epoch}/{settings.epochs}  {said}  {training.seconds / 60:.1f} min")
    return export(training, language, run_dir)


def write_tokens(language: Language, run_dir: Path, data_dir: Path | None = None) -> Path:
    """The words of the novels, one sentence a line: cut once, then read at every epoch."""
    tokens = run_dir / "tokens.txt"
    if not tokens.exists():
        part = run_dir / "tokens.part"
        with part.open("w", encoding="utf-8") as target:
            for paragraph in eltec(language, data_dir):
                target.writelines(" ".join(words) + "\n" for words in sentences(paragraph, language))
        part.replace(tokens)
    return tokens


def export(training: Training, language: Language, folder: Path) -> dict[str, Any]:
    """Write vectors, words and metrics; the metrics are measured on the rounded vectors, read back."""
    exact: KeyedVectors = training.model.wv
    counts = np.array([exact.get_vecattr(word, "count") for word in exact.index_to_key])
    word_files.save(folder, exact.index_to_key, exact.vectors, counts)
    words, matrix, _counts = word_files.load(folder)
    stored = KeyedVectors(matrix.shape[1])
    stored.add_vectors(list(words), matrix)
    measured, unrounded = (word_quality.full(vectors, language) for vectors in (stored, exact))
    metrics = {
        "files": [word_files.WEIGHTS, word_files.WORDS],
        **measured,
        "before_rounding": {name: unrounded[name] for name in word_quality.FIGURES if name in unrounded},
        "words": len(words),
        "dimensions": matrix.shape[1],
        "tokens": training.model.corpus_total_words,
        "parameters": matrix.size,
        "epochs": training.epoch,
        "schedule": training.schedule,
        "training_minutes": round(training.seconds / 60, 1),
        "seed": training.settings.seed,
        "language": language,
        "history": training.history,
        "settings": asdict(training.settings),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return metrics


def main() -> None:
    """The command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("language", choices=LANGUAGES)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--data-dir", type=Path, help="folder that holds eltec/ (default: DLVIZ_DATA_DIR)")
    parser.add_argument("--epochs", type=int)
    chosen = parser.parse_args()
    train(
        chosen.run_dir,
        chosen.data_dir,
        language=chosen.language,
        epochs=chosen.epochs,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
