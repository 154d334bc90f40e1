# Needs Python >= 3.11 with pip, and nothing else; everything is installed into this folder.
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
PYTHON ?= python3

.PHONY: up setup test fast e2e lint types imports check fmt docs bench chaos containers clean

up: .venv/.run       ## install what is needed and start the whole system (Ctrl-C stops it)
	@exec $(BIN)/sovereign up $(SERVICES)

setup: .venv/.dev    ## install the tools of development too

$(UV):
	@echo "installing uv into .tools" >&2
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
		--target .tools uv==$(UV_VERSION)

.venv/.run: pyproject.toml uv.lock | $(UV)
	@echo "installing Sovereign into .venv" >&2
	@$(UV) sync --quiet --frozen --no-dev --inexact --all-extras --python $(PYTHON)
	@touch $@

.venv/.dev: pyproject.toml uv.lock | $(UV)
	@echo "installing Sovereign and its tools into .venv" >&2
	@$(UV) sync --quiet --frozen --all-extras --python $(PYTHON)
	@touch .venv/.run $@

test: fast e2e       ## the fast suite, then the whole system as real processes

fast: setup
	$(BIN)/pytest -n 3 --dist loadfile -m "not e2e and not chaos and not containers"

e2e: setup
	$(BIN)/pytest -m "e2e or containers" tests/e2e tests/containers --timeout 300

chaos: setup         ## kill, pause and cut real processes
	$(BIN)/pytest -m chaos tests/chaos --timeout 900

containers: setup
	$(BIN)/pytest -m containers tests/containers --timeout 900 -rs

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

check: lint types imports test

fmt: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup          ## regenerate docs/events and docs/asyncapi.json
	$(BIN)/python -m shared.event_names
	$(BIN)/python -m shared.schemas docs

bench: setup         ## measure, beside a floor, in one run
	$(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache artifacts
