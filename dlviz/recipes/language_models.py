"""How the bundled language models were trained: a decoder, an encoder and a translator, from scratch, on one CPU.

The decoder (GPT-2's architecture) and the encoder (BERT's) learn from 189 French and English novels of ELTeC, half of
each batch in each language; the translator (Marian's) from Tatoeba's English sentences with French translations.
They are small, a few million weights, so that they come with the app and answer at once: enough to see what their
heads do, not enough to write a page. What is shipped is the end of the schedule; the held-out texts are measured
then, and choose nothing.

Run it with `python -m dlviz.recipes.language_models NAME RUN_DIR`; stopped at any moment, the same command goes on
from the last whole epoch (here a number of steps).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from torch import nn

from dlviz.recipes import tokenizers
from dlviz.recipes.lm_decoder import Decoder
from dlviz.recipes.lm_encoder import Encoder
from dlviz.recipes.lm_training import Report, Settings, Task, Training, run
from dlviz.recipes.lm_translator import Translator

FILES = ("config.json", "generation_config.json", "model.safetensors", *tokenizers.FILES)

MODELS: dict[str, tuple[Callable[..., Task], Settings]] = {
    "novels-gpt2": (Decoder, Settings()),
    "novels-bert": (Encoder, Settings(layers=4, epochs=80)),
    "tatoeba-marian": (
        Translator,
        Settings(layers=3, positions=128, dropout=0.1, label_smoothing=0.1, batch_tokens=3000),
    ),
}


def train(
    run_dir: Path,
    data_dir: Path | None = None,
    *,
    name: str,
    epochs: int | None = None,
    settings: Settings | None = None,
    resume: bool = True,
    download: bool = False,
    report: Report = print,
) -> dict[str, Any]:
    """Train one of `MODELS` and write it into `run_dir`, as transformers' `from_pretrained` reads it.

    Parameters
    ----------
    run_dir
        Where tokenizer, checkpoint and results go; a tokenizer that is there is used.
    data_dir
        Folder that holds `eltec/` or `eng-fra/`; `DLVIZ_DATA_DIR` where it is None.
    name
        Key of `MODELS`.
    epochs
        Overrides the recipe's number of epochs; the learning rate falls at the end of the last.
    settings
        Overrides everything else.
    resume
        Go on from `run_dir/checkpoint.pt` where there is one.
    download
        Taken for the sake of the other recipes: :mod:`dlviz.zoo.texts_data` says where the texts come from.
    report
        Called with one line after each epoch, once the checkpoint is safe.

    Returns
    -------
    dict
        The content of `metrics.json`.

    Raises
    ------
    NotAvailable
        The texts are not on this machine.
    """
    kind, planned = MODELS[name]
    settings = settings or planned
    if epochs is not None:
        settings = replace(settings, epochs=epochs)
    run_dir.mkdir(parents=True, exist_ok=True)
    if not (run_dir / "tokenizer.json").exists():
        tokenizers.train(run_dir, data_dir, name=name, report=report)
    tokenizer = Tokenizer.from_file(str(run_dir / "tokenizer.json"))
    task = kind(settings, tokenizer, run_dir, data_dir)
    training = Training(settings, task)
    report(f"{sum(p.numel() for p in training.network.parameters())} weights")
    run(training, run_dir / "checkpoint.pt", resume=resume, report=report)
    return export(training, name, run_dir, data_dir)


def export(training: Training, name: str, folder: Path, data_dir: Path | None = None) -> dict[str, Any]:
    """Write weights in half precision, and metrics: measured on what is read back from the file."""
    trained: Any = training.network
    trained.half().save_pretrained(folder)
    network = read_back(type(training.network), folder)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    metrics = {
        "files": [file for file in FILES if (folder / file).exists()],
        **training.task.full(network),
        "entries": tokenizer.get_vocab_size(),
        **tokenizers.measure(tokenizer, name, data_dir),
        "parameters": sum(p.numel() for p in trained.parameters() if p.requires_grad),
        "epochs": training.epoch,
        "steps": training.step,
        "tokens": training.tokens,
        "schedule": training.schedule,
        "training_minutes": round(training.seconds / 60, 1),
        "history": training.history,
        "settings": asdict(training.settings),
    }
    (folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return metrics


def read_back(kind: Any, folder: Path) -> nn.Module:
    """The network of a folder, its half-precision weights in single precision for a CPU."""
    import torch

    network: nn.Module = kind.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    return network.eval()


def main() -> None:
    """The command line of the recipe."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=MODELS)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--data-dir", type=Path, help="folder of the data sets (default: DLVIZ_DATA_DIR)")
    parser.add_argument("--epochs", type=int)
    chosen = parser.parse_args()
    train(
        chosen.run_dir,
        chosen.data_dir,
        name=chosen.name,
        epochs=chosen.epochs,
        report=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    main()
