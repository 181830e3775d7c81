# The menu: `make` alone lists it.
# PYTHON chooses the interpreter of the environment; ARGS goes to the command (make demo ARGS="--target DELI").
.DEFAULT_GOAL := help
.PHONY: help setup demo serve bench bench-peers test check lint constraints clean
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
ARGS ?=
TORCH := torch==2.13.0
PEERS := .venv-peers/.installed .venv-peers-recbole/.installed
# The oldest supported Python first: constraints.txt was resolved on it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## .venv with everything (again only when pyproject.toml or constraints.txt changed)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it, or name one: make setup PYTHON=/path/to/python" >&2; exit 2; }
	@echo 'installing into $(VENV): about 2.8 GB, some minutes, once …'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet $(TORCH)
	@$(PIP) install --quiet --editable '.[all,dev]' --constraint constraints.txt
	@touch $@

demo: $(STAMP) ## a real supermarket launches NUTRITION, with and without the old knowledge (ARGS="--target DELI" …)
	$(BIN)/crossaisle demo $(ARGS)

serve: $(STAMP) ## the same supermarket live, with recorded traffic and the dashboard (ARGS="--port 8010" …)
	$(BIN)/python examples/live_demo.py $(ARGS)

bench: $(STAMP) ## the long study over several departments; hours, resumable
	$(BIN)/crossaisle bench demo $(ARGS)

bench-peers: $(STAMP) $(PEERS) ## other libraries on the same splits; hours, resumable
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/peers/run.py --out docs/results $(ARGS)

.venv-peers/.installed: benchmarks/peers/requirements.txt
.venv-peers-recbole/.installed: benchmarks/peers/requirements-recbole.txt
$(PEERS):
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install --quiet $(TORCH)
	@grep -v '^#' $< | while read -r line; do \
		$(@D)/bin/python -m pip --disable-pip-version-check install --quiet $$line \
		|| echo "passed over: $$line does not install here" >&2; done
	@touch $@

test: $(STAMP) ## all tests on all cores (ARGS="tests/data -x" for some)
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses auto --dist worksteal $(ARGS)

lint: $(STAMP) ## format, style, types, direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: lint test ## what must be clean before a change is handed in: lint and test

constraints: $(STAMP) ## write constraints.txt from what .venv holds now
	@{ sed -n '/^#/p' constraints.txt; $(PIP) freeze --exclude crossaisle | sed 's/+[a-z0-9.]*$$//'; } > $(VENV)/constraints
	@mv $(VENV)/constraints constraints.txt && touch $(STAMP)

clean: ## remove the environment and caches
	rm -rf $(VENV) .venv-peers .venv-peers-recbole .mypy_cache .ruff_cache .hypothesis .import_linter_cache
