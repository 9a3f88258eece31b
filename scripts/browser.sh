#!/bin/sh
# Find or install a headless Chromium for the browser tests: scripts/browser.sh PYTHON
set -eu
python=$1

if "$python" -m tests.browser.chromium >/dev/null 2>&1; then
  exit 0
fi
echo "Installing Chromium for the browser tests..."
# Playwright's own download needs its server; where that is out of reach the system's package does as well.
if timeout 300 "$python" -m playwright install --with-deps chromium >/dev/null 2>&1 \
  || timeout 300 "$python" -m playwright install chromium >/dev/null 2>&1; then
  exit 0
fi
if command -v apt-get >/dev/null 2>&1; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  $sudo apt-get update -q
  $sudo apt-get install -y -q chromium || $sudo apt-get install -y -q chromium-browser
fi
"$python" -m tests.browser.chromium
