# `make demo` and `make test` work from a fresh clone with Python 3.11 or newer and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
MESSAGES ?= 24000

.PHONY: help demo test check bench docs lock clean

help:
	@echo 'make demo   sample estate, rehearsal, reconciliation, report: prints the verdict'
	@echo 'make test   the whole test suite'
	@echo 'make check  formatting, lint, types, import contracts'
	@echo 'make bench  the speed of each stage, against named rivals'
	@echo 'make docs   write the generated pages again'
	@echo 'make lock   write the lock files again'

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "isb-migrate needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(RUNTIME)
	@rm -rf demo
	$(BIN)/isb-migrate sample demo/estate --messages $(MESSAGES) --seed 22
	$(BIN)/isb-migrate check demo/estate/plan.toml --runs demo/runs
	$(BIN)/isb-migrate rehearse demo/estate/plan.toml --runs demo/runs --run-id demo

test: $(DEV)
	$(BIN)/python -m pytest $(PYTEST)

check: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DEV)
	$(BIN)/python -m bench $(BENCH)

docs: $(RUNTIME)
	$(BIN)/python -m docs.generate

lock: $(DEV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-header --group runtime-build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras \
	  --no-emit-index-url --no-emit-find-links --no-header --group dev pyproject.toml \
	  -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
