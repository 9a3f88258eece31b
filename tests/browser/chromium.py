"""Which Chromium the browser tests drive: Playwright's own, else the system's."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SYSTEM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable(playwright: Playwright) -> str | None:
    """The path of a Chromium that is there, or None."""
    if named := os.environ.get("DLVIZ_CHROMIUM"):
        return named
    own = playwright.chromium.executable_path
    if Path(own).exists():
        return own
    return next((found for name in SYSTEM if (found := shutil.which(name))), None)


if __name__ == "__main__":
    with sync_playwright() as playwright:
        found = executable(playwright)
    print(found or "no Chromium found")
    sys.exit(0 if found else 1)
