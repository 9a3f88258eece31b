#!/bin/sh
# Install Debian or Ubuntu packages without a question: scripts/apt.sh PACKAGE...
set -eu
root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    echo "This needs an administrator, once: apt-get install $packages" >&2
    exit 1
  fi
}
packages=$*
root apt-get update -q
root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@"
