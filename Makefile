# Two commands matter: `make run` opens the app, `make test` checks everything. Both set up what they need.
VENV ?= .venv
PY := $(VENV)/bin/python
# `make run PORT=8600 HOST=0.0.0.0`. Not from the environment, where some shells keep the machine's own name as HOST.
PORT =
HOST =

.PHONY: run test lint unit pages browser load gpu bench lock messages clean

run: $(VENV)/.installed
	$(PY) -m dlviz $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT)) --open

# The gpu tier skips itself on most machines, so it runs early: the last tier's summary is the one that readers see.
test: lint gpu unit pages browser load

$(VENV)/.installed: requirements.txt scripts/setup.sh scripts/apt.sh
	sh scripts/setup.sh $(VENV) requirements.txt
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt scripts/browser.sh
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	sh scripts/browser.sh $(PY)
	touch $@

lint: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

unit: $(VENV)/.installed-dev
	$(PY) -m pytest -m "not browser and not load and not gpu" --ignore=tests/pages

pages: $(VENV)/.installed-dev
	$(PY) -m pytest tests/pages

browser: $(VENV)/.installed-dev
	$(PY) -m pytest -m browser tests/browser

load: $(VENV)/.installed-dev
	$(PY) -m pytest -m load tests/load

# Exit code 5 means that no test was collected; every gpu test skips itself without a GPU, which is a pass.
gpu: $(VENV)/.installed-dev
	$(PY) -m pytest -m gpu tests/gpu

# The peers live in an environment of their own, because some of them pin old libraries.
bench: $(VENV)/.installed-dev
	sh scripts/bench.sh $(VENV)

# Resolve the versions again, for every supported Python and platform at once.
lock: $(VENV)/.installed-dev
	$(PY) -m uv pip compile --universal --python-version 3.11 --upgrade --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" requirements.in -o requirements.txt
	$(PY) -m uv pip compile --universal --python-version 3.11 --upgrade --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" -c requirements.txt requirements-dev.in -o requirements-dev.txt

messages: $(VENV)/.installed-dev
	$(PY) -m tests.messages

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis screenshots
