# Each target sets up what it needs: Debian packages when root, else a line that says which;
# Python packages in .venv. What is made goes to dist/ and .cache/, never into build/ (source).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp

.DEFAULT_GOAL := help
.PHONY: help venv lint test demo freeze image bench clean

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

venv: $(STAMP) ## .venv with all dependencies: .venv/bin/weavewait, .venv/bin/wait-for-weave

$(STAMP): pyproject.toml build/constraints.txt
	@PYTHON=$(PYTHON) build/need.sh venv
	@echo "venv: installing into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c build/constraints.txt -e '.[dev,freeze]'
	@touch $@

lint: venv ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean: ## remove what was made here
	rm -rf dist .cache .venv .mypy_cache .ruff_cache .pytest_cache
