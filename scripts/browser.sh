#!/bin/sh
# Find or install a headless Chromium for the browser tests: scripts/browser.sh PYTHON
set -eu
python=$1

works() {
  "$python" -m tests.browser.chromium >/dev/null 2>&1
}

# In Python, because macOS has no timeout command; as a group, because the download runs in a child of its own.
within_five_minutes() {
  "$python" -c '
import os, signal, subprocess, sys
process = subprocess.Popen(sys.argv[1:], start_new_session=True)
try:
    sys.exit(process.wait(300))
finally:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
' "$@" >/dev/null 2>&1
}

apt() {
  sh "$(dirname "$0")/apt.sh" "$@"
}

# Playwright brings a node of its own, which needs this library on Linux; a bare Debian lacks it.
if ! "$python" -m playwright --version >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
  apt libatomic1
fi
if works; then
  exit 0
fi
echo "Installing Chromium for the browser tests..."
# Playwright's own download needs its server; where that is out of reach the system's package does as well.
if within_five_minutes "$python" -m playwright install chromium; then
  # It also needs some of the system's libraries, which a desktop has and a bare machine lacks.
  if works || { "$python" -m playwright install-deps chromium && works; }; then
    exit 0
  fi
fi
if command -v apt-get >/dev/null 2>&1; then
  apt chromium || apt chromium-browser
fi
"$python" -m tests.browser.chromium
