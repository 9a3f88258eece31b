"""The command line: what it prints and with which code it ends."""

import hashlib
import json
import subprocess
import sys

import pytest

from dlviz import zoo
from dlviz.zoo import __main__ as cli
from dlviz.zoo import files
from tests.zoo.conftest import CLASSES, export_run
from tests.zoo.test_download import NAME, offered, shop  # noqa: F401 - fixtures

OURS = "caltech-cnn"


def test_list_shows_every_model_and_its_state(bundled, capsys):
    assert cli.main(["list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.split()}
    assert set(zoo.names()) <= set(lines)
    assert "ready" in lines[OURS] and "20.0%" in lines[OURS]
    assert "absent" in lines["resnet18"] and "46.8 MB" in lines["resnet18"] and "69.8%" in lines["resnet18"]


def test_show_prints_the_whole_card(bundled, capsys):
    assert cli.main(["show", OURS]) == 0
    shown = "".join(part.strip(" │") for part in capsys.readouterr().out.splitlines())
    weights = hashlib.sha256((bundled / "weights.safetensors").read_bytes()).hexdigest()
    assert weights in shown.replace("│", "").replace(" ", "")
    assert "dlviz.recipes.caltech_cnn:train" in shown


def test_an_unknown_model_ends_with_1_and_lists_the_names(capsys):
    assert cli.main(["show", "alexnet"]) == 1
    assert "caltech-cnn" in capsys.readouterr().err


def test_an_unknown_command_ends_with_2():
    with pytest.raises(SystemExit) as ended:
        cli.main(["destroy"])
    assert ended.value.code == 2


def test_verify_reads_the_files_again(bundled, capsys):
    assert cli.main(["verify", OURS]) == 0
    assert f"{OURS}: 2 files are right" in capsys.readouterr().out
    (bundled / "classes.json").write_text("[]")
    assert cli.main(["verify"]) == 1
    assert "classes.json" in capsys.readouterr().out
    assert cli.main(["verify", "resnet18"]) == 1, "a model asked for by name has to be here"


def test_download_brings_the_model(offered, capsys):  # noqa: F811
    assert cli.main(["download", NAME]) == 0
    assert zoo.status(NAME) == "ready"
    assert str(offered.folder) in capsys.readouterr().out


def test_download_offline_ends_with_1(monkeypatch, capsys):
    monkeypatch.setenv("DLVIZ_OFFLINE", "1")
    assert cli.main(["download", "resnet18"]) == 1
    assert "offline" in capsys.readouterr().err


def test_interrupted_ends_with_130(offered, monkeypatch, capsys):  # noqa: F811
    def interrupted(name):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(cli.download, "download", interrupted)
    assert cli.main(["download", NAME]) == 130


def test_seal_takes_a_run_and_prints_the_sums(tmp_path, capsys):
    export_run(tmp_path / "run")
    assert cli.main(["seal", OURS, "--from", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    stored = json.loads((zoo.bundled_dir(OURS) / "card.json").read_text())
    for file in stored["files"]:
        assert file["sha256"] == files.sha256(zoo.bundled_dir(OURS) / file["name"])
        assert file["sha256"] in printed
    assert zoo.load(OURS).classes == tuple(CLASSES)


def test_seal_without_results_ends_with_1(tmp_path, capsys):
    assert cli.main(["seal", OURS, "--from", str(tmp_path / "nothing")]) == 1
    assert "metrics.json" in capsys.readouterr().err
    assert cli.main(["seal", "resnet18"]) == 1


def test_train_runs_the_recipe_of_the_card(bundled, tmp_path, monkeypatch, capsys):
    """With a recipe of the test's own: the real one is tested in tests/recipes."""
    source = tmp_path / "a_recipe.py"
    source.write_text(
        "def train(run_dir, data_dir=None, *, epochs=None, download=False, report=print):\n"
        "    run_dir.mkdir(parents=True, exist_ok=True)\n"
        "    (run_dir / 'done').write_text(f'{data_dir} {epochs} {download}')\n"
        "    report('epoch [3]/3')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from dataclasses import replace

    card = replace(zoo.card(OURS), recipe="a_recipe:train")
    monkeypatch.setattr(cli.zoo, "card", lambda name: card)
    run = tmp_path / "run-here"
    assert cli.main(["train", OURS, "--run-dir", str(run), "--epochs", "3", "--data-dir", "d"]) == 0
    assert (run / "done").read_text() == "d 3 False"
    printed = capsys.readouterr().out
    assert "epoch [3]/3" in printed and f"seal {OURS} --from {run}" in printed


def test_public_models_are_not_trained_here(capsys):
    assert cli.main(["train", "resnet18"]) == 1
    assert "github.com/pytorch/vision" in capsys.readouterr().out


def test_it_runs_as_a_module(bundled):
    ended = subprocess.run(
        [sys.executable, "-m", "dlviz.zoo", "verify", OURS], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert "2 files are right" in ended.stdout
