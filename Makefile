# Two commands do everything, set-up included: `make demo` and `make test`.

PYTHON ?= python3
INSTRUCTIONS ?= 10
BIN := .venv/bin

.PHONY: demo test faults check docs clean

demo: .venv/installed
	$(BIN)/selfbehave run --batch_dir demo --num_instructions_to_generate $(INSTRUCTIONS)

test: .venv/installed-dev
	$(BIN)/pytest

# The tests of faults at their full size, and a table of what was injected: a quarter of an hour.
faults: .venv/installed-dev
	SELFBEHAVE_FAULTS=full $(BIN)/pytest tests/faults

check: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: .venv/installed-docs
	$(BIN)/python -m website --to site

clean:
	rm -rf .venv demo site

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "selfbehave needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
	@.ci/system-packages $(PYTHON)
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/installed-dev: .venv/installed
	@.ci/system-packages $(PYTHON) tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

.venv/installed-docs: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@
