# `make demo` and `make test` do everything, including the set-up.

PYTHON ?= python3
DEMO ?= --rows 3
BIN := .venv/bin

TOOLS := .venv/tools
SECONDS ?= 60

.PHONY: demo test faults fuzz check docs lock audit sbom clean

demo: .venv/installed-demo
	$(BIN)/selfbehave run --batch_dir demo $(DEMO)

# One process more than there are cores, for many tests wait; at most 4, since models keep cores busy.
test: .venv/installed-dev
	$(BIN)/pytest --numprocesses $$(($$(nproc) + 1)) --maxprocesses 4 --dist loadgroup

# The tests of faults at full size, with a table of injected faults. Takes a quarter of an hour.
faults: .venv/installed-dev
	SELFBEHAVE_FAULTS=full $(BIN)/pytest tests/faults

# Feed pathological inputs to every reader (or READERS="…"), then fuzz each one for SECONDS.
fuzz: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=3'
	$(BIN)/python -m tests.hostile.fuzz $(SECONDS) $(READERS)

# The supply chain, see docs/how-to/supply-chain.md. Its tools have a separate environment.
lock: $(TOOLS)/installed
	printf 'hatchling\n' | $(TOOLS)/bin/uv pip compile --quiet --upgrade --universal \
	  --python-version 3.11 --all-extras --generate-hashes --no-annotate --no-emit-package selfbehave \
	  --custom-compile-command 'make lock' --output-file requirements.lock pyproject.toml -

audit: $(TOOLS)/installed
	$(TOOLS)/bin/pip-audit --disable-pip --require-hashes --requirement requirements.lock

sbom: .venv/installed $(TOOLS)/installed
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file sbom.cdx.json $(BIN)/python

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

.venv/installed-demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,small]'
	@touch $@

# --no-compile: most modules of torch and Ray are never imported.
.venv/installed-dev: .venv/bin/python pyproject.toml
	@.ci/system-packages $(PYTHON) tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[dev]'
	@touch $@

.venv/installed-docs: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

$(TOOLS)/installed: .venv/bin/python
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9' 'pip-audit>=2.9' 'cyclonedx-bom>=7'
	@touch $@
