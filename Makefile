# Every target sets itself up: a fresh clone needs nothing but Python and make.
#   PYTHON=/path/to/python3.12 make test     another Python (3.11 or later)
#   ARGS='--help' make demo                  arguments for the demo; for `make test`, pytest's

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PYTHON ARGS
BIN := .venv/bin

.PHONY: help demo test lint types format bench models setup pin

help:  ## what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 10

demo:  ## a spoken conversation with the embedded models, measured; no key needed
	@scripts/setup.sh demo
	@$(BIN)/antiphon demo $(ARGS)

test:  ## everything CI runs: lint, types, import rules, tests
	@scripts/setup.sh test
	@scripts/check.sh lint format types imports tests

lint:  ## ruff, formatting, import rules
	@scripts/setup.sh dev
	@scripts/check.sh lint format imports

types:  ## mypy --strict over src, tests, scripts and examples
	@scripts/setup.sh dev
	@scripts/check.sh types

format:  ## rewrites what can be rewritten, and the stub of the public names
	@scripts/setup.sh dev
	@$(BIN)/python scripts/stub.py
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench:  ## the kernel's costs, measured here
	@scripts/setup.sh dev
	@$(BIN)/python benchmarks/kernel.py $(ARGS)

models:  ## only the embedded models
	@scripts/setup.sh models

setup:  ## all that `make test` needs, without running it
	@scripts/setup.sh test

pin:  ## new pins in requirements/*.txt, from requirements/*.in
	@scripts/setup.sh dev
	@$(BIN)/python scripts/pin.py
