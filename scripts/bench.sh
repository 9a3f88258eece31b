#!/bin/sh
# Run the benchmarks, dlviz and its peers in one process: scripts/bench.sh VENV
# The peers live in an environment of their own that sees dlviz's, because some of them pin old libraries.
set -eu
venv=$1
bench="$venv-bench"
if [ ! -x "$bench/bin/python" ]; then
  "$venv/bin/python" -m venv "$bench"
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  echo "$site" > "$("$bench/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dlviz.pth"
  "$bench/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-bench.txt
fi
for benchmark in benchmarks/*.py; do
  name=$(basename "$benchmark" .py)
  [ "$name" != __init__ ] || continue
  runner=$bench
  # Peers that need an older numpy than dlviz's get an environment that does not see dlviz's libraries.
  if [ -f "requirements-bench-$name.txt" ]; then
    runner="$venv-bench-$name"
    if [ ! -x "$runner/bin/python" ]; then
      "$venv/bin/python" -m venv "$runner"
      if ! "$runner/bin/python" -m pip install --quiet --disable-pip-version-check -r "requirements-bench-$name.txt"; then
        rm -r "$runner"
        echo "benchmarks.$name left out: its peers do not install on this Python." >&2
        continue
      fi
    fi
  fi
  "$runner/bin/python" -m "benchmarks.$name"
done
