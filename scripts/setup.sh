#!/bin/sh
# Make a virtual environment and install the requirements: scripts/setup.sh VENV REQUIREMENTS
set -eu
venv=$1
requirements=$2

# gensim has wheels for Python 3.11 to 3.13 only, so a newer default python3 does not do.
suitable() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 && suitable "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  echo "dlviz needs Python 3.11, 3.12 or 3.13; none was found. Set PYTHON=/path/to/python3.12 and try again." >&2
  exit 1
}

# Debian and Ubuntu ship what venv needs as a package of its own.
install_venv_package() {
  package="$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  command -v apt-get >/dev/null 2>&1 || return 0
  echo "Installing $package, which Debian and Ubuntu keep apart from Python..."
  sh "$(dirname "$0")/apt.sh" "$package"
}

python=$(find_python)
if [ ! -x "$venv/bin/pip" ]; then
  "$python" -c 'import ensurepip, venv' 2>/dev/null || install_venv_package "$python"
  "$python" -m venv "$venv"
fi
echo "Installing dlviz's libraries (about 7 GB on Linux, a few minutes the first time)..."
# Who watches sees what is fetched; a log needs none of it.
quiet=--quiet
[ ! -t 1 ] || quiet=
"$venv/bin/python" -m pip install $quiet --disable-pip-version-check -r "$requirements"
