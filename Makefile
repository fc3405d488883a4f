# A thin face over the tools; `make` alone lists what there is.
.DEFAULT_GOAL := help
.PHONY: help setup engine run stop test test-long check bench compose-test lock sbom events new-service clean types rules

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2

# The house starts hundreds of processes in its tests: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv and install everything (needs Python 3.11 or newer; does nothing when nothing changed)
	@tools/setup.sh

engine: setup ## install ClickHouse inside Python (182 MB), against which its adapter is tested
	@tools/engine.sh

run: setup ## start everything in the background, play the demonstration, print the addresses
	@$(BIN)/kantis up --detach
	@$(BIN)/kantis demo

stop: setup ## end what `make run` has started
	@$(BIN)/kantis stop

check: setup ## read the code without running it: format, lint, types, imports, migrations, our own rules
	@$(MAKE) --no-print-directory --jobs=2 types rules

types:
	$(BIN)/mypy

rules:
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/lint_kantis.py
	$(BIN)/python tools/lint_migrations.py
	$(BIN)/lint-imports --no-logo > .import_linter.log 2>&1 || { cat .import_linter.log; exit 1; }; rm -f .import_linter.log
	$(BIN)/python tools/check_dependencies.py

test: check engine ## check, then every test but the slow ones, with a real PostgreSQL and RabbitMQ
	$(PYTEST) -q -n $(WORKERS) --dist worksteal -m "not slow" --ignore=tests/compose

test-long: setup ## the tests that take minutes
	$(PYTEST) -q -m slow --ignore=tests/compose --timeout=3600

bench: setup ## every benchmark; each figure is a ratio against a limit or a peer of the same run
	@set -e; for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

compose-test: setup ## bring docker-compose.yml up and play the main job through it
	$(PYTEST) -q tests/compose -p no:randomly --timeout=1800

lock: setup ## resolve the dependencies anew and write requirements.lock
	tools/lock.sh
	@tools/setup.sh

sbom: setup ## write dist/kantis.cdx.json: what the image is made of, as CycloneDX
	$(BIN)/python tools/sbom.py

events: setup ## write docs/events.md, docs/asyncapi.json, schemas and golden files from kantis_contracts
	$(BIN)/python tools/event_docs.py

new-service: setup ## make the skeleton of a service: make new-service name=loyalty-svc
	@$(BIN)/python tools/new_service.py "$(name)"

clean: ## remove .venv and every cache; data/ stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage*
	find libs services tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
