"""The layers keep their borders, and importing the package stays cheap."""

from __future__ import annotations

import subprocess
import sys

from importlinter.cli import lint_imports

from dlviz.settings import ROOT

HEAVY = ("torch", "diffusers", "open_clip", "umap", "torch_geometric", "transformers", "streamlit", "gensim")


def test_layers_keep_their_borders() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml")) == 0


def test_importing_dlviz_loads_nothing_heavy() -> None:
    code = f"import dlviz, dlviz.lessons, dlviz.i18n, sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_figures_and_jobs_load_no_torch() -> None:
    code = (
        "import dlviz.figures.home, dlviz.figures.cnn_filters, dlviz.jobs, sys; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "False"


def test_no_module_beside_the_script_hides_one_of_pythons() -> None:
    """Streamlit puts the script's folder on the path: ``operator.py`` there would be everybody's ``operator``."""
    beside = {path.stem for path in (ROOT / "dlviz" / "ui").glob("*.py")} - {"__init__"}
    assert not beside & set(sys.stdlib_module_names)


def test_pages_import_no_torch_and_no_other_page() -> None:
    for page in (ROOT / "pages").glob("*.py"):
        source = page.read_text("utf-8")
        assert "import torch" not in source, page.name
        assert "from pages" not in source, page.name
