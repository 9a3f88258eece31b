"""Write the ``card.json`` of a bundled model: the only place where its checksums come from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from dlviz.zoo import files
from dlviz.zoo.cards import CardFile, Facts, read_facts, write_facts

METRICS_FILE = "metrics.json"


def seal(folder: Path, run_dir: Path | None = None) -> Facts:
    """Take a recipe's results into ``folder`` and hold every file by its SHA-256.

    The recipe's ``metrics.json`` names them, under ``files``.

    Parameters
    ----------
    folder
        The model's folder below ``assets/models``.
    run_dir
        Where the recipe has left its results; without it, what is in ``folder`` is sealed again, with
        the measured numbers that its card already carries.

    Raises
    ------
    FileNotFoundError
        A result is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if run_dir is not None:
        metrics = json.loads((run_dir / METRICS_FILE).read_text(encoding="utf-8"))
        for name in metrics["files"]:
            shutil.copyfile(run_dir / name, folder / name)
    else:
        metrics = read_facts(folder).metrics
    sealed = tuple(
        CardFile(name, (folder / name).stat().st_size, files.sha256(folder / name, reread=True))
        for name in metrics["files"]
    )
    facts = Facts(sealed, metrics)
    write_facts(folder, facts)
    return facts
