# Everything a newcomer needs. `make help` explains the targets.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
STAMP := $(VENV)/.ready
SCALE ?= 1
TOOLS := build/bench-tools

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-faults bench check format up down clean requirements

help: ## explain every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with .venv/bin/windlass, and stop there

$(STAMP): requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "python3 -m venv failed. On Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@$(BIN)/python -m compileall -q src || true
	@touch $(STAMP)

demo: $(STAMP) ## set up, start the local stack, and replay the work log of 2026-02-19 (SCALE=0.05 is quick)
	$(BIN)/windlass demo --scale $(SCALE)

test: $(STAMP) ## set up and run all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile --durations=25

test-faults: $(STAMP) ## the fault suite: 308 seeded runs, 40 minutes (SEED=123 N=1 runs one again; RESUME=1 goes on)
	$(BIN)/python -m tests.faults.suite $(if $(SEED),--seed $(SEED)) $(if $(N),--n $(N)) $(if $(RESUME),--resume) \
	  $(if $(SEED)$(N),,--docs docs/reliability.md)

bench: $(STAMP) $(VENV)/.bench $(TOOLS)/.ready ## the benchmark suite, a quarter of an hour (ROWS= ROUNDS= PARTS="ratios cli" BIG=1)
	$(BIN)/python -m benchmarks $(if $(ROWS),--rows $(ROWS)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
	  $(if $(BIG),--big) --parts "$(PARTS)"

$(VENV)/.bench: benchmarks/requirements.txt $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The tools that Windlass is compared with have an environment of their own; without it, the table
# says that they are not installed.
$(TOOLS)/.ready: benchmarks/tools.txt $(STAMP)
	$(BIN)/python -m venv $(TOOLS)
	-$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $< && touch $@

check: $(STAMP) ## formatter, linter, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## let the formatter and the linter mend what they can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

up: $(STAMP) ## start the local stack (PostgreSQL, ClickHouse, Temporal, workers) in .windlass
	$(BIN)/windlass dev up

down: $(STAMP) ## stop the local stack; its data stays
	$(BIN)/windlass dev down

clean: ## remove .venv and caches (not .windlass)
	rm -rf $(VENV) $(TOOLS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

requirements: ## pin dependencies anew, with hashes and without naming a host
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --extra local --extra fast --extra notify --extra dev pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header -c requirements.txt benchmarks/requirements.in -o benchmarks/requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header benchmarks/tools.in -o benchmarks/tools.txt
