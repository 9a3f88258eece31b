"""Settings of the server, each an environment variable that an option of ``python -m dlviz`` also sets."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"


def _flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() in {"1", "true", "yes", "on"}


def _home() -> Path:
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dlviz"
    return Path(os.environ.get("DLVIZ_HOME", default))


def _paths(name: str) -> tuple[Path, ...]:
    return tuple(Path(part) for part in os.environ.get(name, "").split(os.pathsep) if part)


@dataclass(frozen=True, slots=True)
class Settings:
    """What whoever runs the server has chosen.

    Read afresh by :func:`settings`, so that a test or a command line can set
    the environment first.
    """

    device: str = field(default_factory=lambda: os.environ.get("DLVIZ_DEVICE", "auto"))
    offline: bool = field(default_factory=lambda: _flag("DLVIZ_OFFLINE"))
    verbose: bool = field(default_factory=lambda: _flag("DLVIZ_VERBOSE"))
    home: Path = field(default_factory=_home)
    assets: Path = field(default_factory=lambda: Path(os.environ.get("DLVIZ_ASSETS_DIR", ASSETS)))
    model_dirs: tuple[Path, ...] = field(default_factory=lambda: _paths("DLVIZ_MODEL_DIRS"))
    model_memory_mb: int = field(default_factory=lambda: int(os.environ.get("DLVIZ_MODEL_MEMORY_MB", "2048")))
    data_dir: Path | None = field(
        default_factory=lambda: Path(d) if (d := os.environ.get("DLVIZ_DATA_DIR")) else None
    )
    operator_token: str = field(default_factory=lambda: os.environ.get("DLVIZ_OPERATOR_TOKEN", ""))
    max_upload_mb: int = field(default_factory=lambda: int(os.environ.get("DLVIZ_MAX_UPLOAD_MB", "20")))
    max_memory_mb: int = field(default_factory=lambda: int(os.environ.get("DLVIZ_MAX_MEMORY_MB", "0")))
    jobs_per_visitor: int = field(default_factory=lambda: int(os.environ.get("DLVIZ_JOBS_PER_VISITOR", "1")))


def settings() -> Settings:
    """The settings in force now."""
    return Settings()
