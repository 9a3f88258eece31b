"""Which Chromium the browser tests drive: Playwright's own where it starts, else the system's."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Error, Playwright, sync_playwright

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
    """The path of a Chromium that starts, or None.

    One that is there need not start: Playwright's download lacks the system's libraries on a bare machine.
    """
    if named := os.environ.get("DLVIZ_CHROMIUM"):
        return named
    own = playwright.chromium.executable_path
    installed = [own if Path(own).exists() else None, *map(shutil.which, SYSTEM)]
    return next((path for path in installed if path and starts(playwright, path)), None)


def starts(playwright: Playwright, path: str) -> bool:
    """Whether this Chromium opens; what it says goes to standard error if it does not."""
    try:
        playwright.chromium.launch(executable_path=path, args=FLAGS, timeout=60_000).close()
    except Error as error:
        print(f"{path} does not start: {error.message}", file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    with sync_playwright() as playwright:
        found = executable(playwright)
    print(found or "no Chromium found")
    sys.exit(0 if found else 1)
