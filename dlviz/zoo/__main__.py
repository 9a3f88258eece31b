"""The zoo's command line: ``python -m dlviz.zoo list | show | download | verify | train | seal``.

It ends with 0 when all went well, 1 when something is broken or could not be had, 2 when the command
was not understood, and 130 when it was interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

from dlviz import events, zoo
from dlviz.errors import DlvizError, NotAvailable
from dlviz.zoo import download, files
from dlviz.zoo.cards import ModelCard
from dlviz.zoo.seal import seal

_COLOURS = {"ready": "green", "absent": "yellow", "broken": "red"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    console = Console(soft_wrap=False)
    command: Callable[[Console, argparse.Namespace], int] = options.command
    try:
        return command(console, options)
    except (DlvizError, OSError) as error:
        _say(Console(stderr=True), str(error), "red")
        return 1
    except KeyboardInterrupt:
        _say(Console(stderr=True), "Interrupted. The same command goes on from here.")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m dlviz.zoo", description="The models of dlviz.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        command: Callable[[Console, argparse.Namespace], int], word: str, says: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(word, help=says, description=says)
        added.set_defaults(command=command)
        return added

    add(_list, "list", "List all models and whether they are here.")
    add(_show, "show", "Show the card of a model.").add_argument("name")
    added = add(_fetch, "download", "Download public models; a download that was stopped goes on.")
    added.add_argument("names", nargs="+", metavar="NAME")
    added = add(_verify, "verify", "Read every file of the models that are here and check its sum.")
    added.add_argument("names", nargs="*", metavar="NAME")
    added = add(_train, "train", "Train a bundled model by its recipe; training that was stopped goes on.")
    added.add_argument("name")
    added.add_argument("--run-dir", type=Path, help="checkpoint and results (default: runs/NAME)")
    added.add_argument("--data-dir", type=Path, help="folder of the data sets (default: DLVIZ_DATA_DIR)")
    added.add_argument(
        "--download", action="store_true", help="let the recipe fetch a data set that is not here"
    )
    added.add_argument("--epochs", type=int, help="instead of the recipe's own number")
    added = add(_seal, "seal", "Write a bundled model's card.json: sizes, sums and measured numbers.")
    added.add_argument("name")
    added.add_argument(
        "--from", dest="run_dir", type=Path, help="take the results of this training run first"
    )
    return parser


def _list(console: Console, options: argparse.Namespace) -> int:
    # What is there to be read or copied is never cut, however narrow the terminal; the title is.
    rows = [_list_row(card) for card in zoo.cards()]
    words = ("name", "source", "status", "size", "quality")
    widths = (max(len(word), *(len(row[i]) for row in rows)) for i, word in enumerate(words))
    columns = (Column(word, no_wrap=True, min_width=width) for word, width in zip(words, widths, strict=True))
    table = Table(*columns, Column("model", no_wrap=True, overflow="ellipsis"), box=SIMPLE)
    for row in rows:
        table.add_row(*row[:2], f"[{_COLOURS[row[2]]}]{row[2]}[/]", *row[3:])
    console.print(table)
    return 0


def _list_row(card: ModelCard) -> tuple[str, ...]:
    quality = _measured(card.metrics[0]) if card.metrics else ""
    return (card.name, card.source, zoo.status(card.name), _size(card), quality, card.title)


def _show(console: Console, options: argparse.Namespace) -> int:
    card = zoo.card(options.name)
    table = Table(Column(), Column(overflow="fold"), show_header=False, title=card.title)
    rows = {
        "name": card.name,
        "status": zoo.status(card.name),
        "task": card.task,
        "architecture": card.architecture,
        "source": card.source,
        "folder": str(card.folder),
        "size": _size(card),
        "parameters": f"{card.parameters:,}",
        "licence": str(card.licence),
        "training data": str(card.training_data),
        "recipe": card.recipe,
        "input": str(card.input),
        "where it fails": str(card.fails),
        **{metric.name: f"{_measured(metric)}. {metric.how}" for metric in card.metrics},
        **{f"file {file.name}": _origin(file) for file in card.files},
    }
    for word, value in rows.items():
        table.add_row(word, value)
    console.print(table, markup=False)
    return 0


def _measured(metric: zoo.Metric) -> str:
    """A metric's value in its unit."""
    if metric.unit == "share":
        return f"{metric.value:.1%}"
    return f"{metric.value:g}" + (" nats" if metric.unit == "nats" else "")


def _origin(file: zoo.CardFile) -> str:
    if file.sha256:
        return f"SHA-256 {file.sha256}"
    prefix = f", SHA-256 begins with {file.sha256_prefix}" if file.sha256_prefix else ""
    return f"{file.url or file.repo or 'local'}{prefix}"


def _size(card: ModelCard) -> str:
    return f"{card.size / 1e6:.1f} MB" if card.size else ""


def _fetch(console: Console, options: argparse.Namespace) -> int:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    for name in options.names:
        with Progress(*columns, console=console) as bars:
            bar = bars.add_task(name, total=None)
            for event in download.download(name):
                if isinstance(event, events.Progress):
                    bars.update(bar, completed=event.done, total=event.total)
        _say(console, f"{name} is in {zoo.card(name).folder}")
    return 0


def _verify(console: Console, options: argparse.Namespace) -> int:
    broken = 0
    for name in options.names or zoo.names():
        try:
            sums = files.verify(zoo.card(name), reread=True)
            _say(console, f"{name}: {len(sums)} files are right", "green")
        except NotAvailable as error:
            named = bool(options.names)
            broken += named
            _say(console, f"{name}: {error}" if named else f"{name}: not here", "yellow")
        except DlvizError as error:
            broken += 1
            _say(console, f"{name}: {error}", "red")
    return 1 if broken else 0


def _train(console: Console, options: argparse.Namespace) -> int:
    card = zoo.card(options.name)
    if card.source != "bundled":
        _say(console, f"{card.name} was not trained by dlviz. Its recipe: {card.recipe}")
        return 1
    module, _, function = card.recipe.partition(":")
    recipe = getattr(importlib.import_module(module), function)
    run_dir = options.run_dir or Path("runs") / card.name
    recipe(
        run_dir,
        options.data_dir,
        epochs=options.epochs,
        download=options.download,
        report=lambda line: _say(console, line),
        **card.recipe_options,
    )
    _say(console, f"To ship it: python -m dlviz.zoo seal {card.name} --from {run_dir}")
    return 0


def _seal(console: Console, options: argparse.Namespace) -> int:
    card = zoo.card(options.name)
    if card.source != "bundled":
        _say(console, f"{card.name} is not a bundled model.")
        return 1
    for file in seal(card.folder, options.run_dir).files:
        _say(console, f"{file.sha256}  {file.size:>10,}  {file.name}")
    return 0


def _say(console: Console, line: str, style: str | None = None) -> None:
    """One line, never wrapped or read as markup, so that it can be copied and searched."""
    console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
