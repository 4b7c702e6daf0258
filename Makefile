# Every command sets up what it needs in .venv and is safe to repeat.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STORE ?= data
RUNS ?= runs

.DEFAULT_GOAL := help
.PHONY: help install quickstart test test-real check bench clean

help: ## List the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Ninefold needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check]'
	@touch $@

install: $(VENV)/.installed ## Make .venv and install Ninefold with the tested versions

quickstart: $(VENV)/.installed ## Simulate a market, run the nine heads, write a report
	$(BIN)/ninefold run experiments/configs/quickstart.yaml --store $(STORE) --runs $(RUNS)

test: $(VENV)/.installed ## Run the whole suite, a file at a time on each core
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile

test-real: $(VENV)/.installed ## Run the tests on real market data; fails where the folder is missing
	NINEFOLD_REAL_DATA="$${NINEFOLD_REAL_DATA:-../shared/data}" $(BIN)/python -m pytest -m real

check: $(VENV)/.installed ## Lint, format, strict types, import order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed ## Run every benchmark; prints a table, writes runs/bench.json
	$(BIN)/python -m benchmarks --out $(RUNS)/bench.json

clean: ## Remove the environment and every cache (data and runs stay)
	rm -rf $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
