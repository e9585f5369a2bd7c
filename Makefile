# What people and CI run. `make` alone prints what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV := scripts/uv.sh
BIN := $(or $(UV_PROJECT_ENVIRONMENT),.venv)/bin
ARGS ?=
PYTEST_ARGS ?=

.PHONY: help setup run demo test lint format types imports pytest bench lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Install uv if it is missing, and everything in uv.lock
	@$(UV) sync --quiet --locked --compile-bytecode

run: setup ## Serve everything on http://127.0.0.1:8080 with an embedded PostgreSQL (ARGS=... for options)
	@exec $(BIN)/consilium run $(ARGS)

demo: setup ## Send a referral through the running system and show the shared plan
	@exec $(BIN)/consilium demo $(ARGS)

test: lint types imports pytest ## Everything that CI checks: lint, types, imports, tests with real PostgreSQL and RabbitMQ

lint: setup ## Check style and formatting
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/ruff format --quiet --check .

format: setup ## Put files into shape
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format .

types: setup ## Check types, strictly
	@$(BIN)/mypy

imports: setup ## Check who may import whom
	@$(BIN)/lint-imports --no-logo

pytest: setup ## Run the tests (PYTEST_ARGS="tests/unit -k task" for some)
	@scripts/ensure-rabbitmq.sh
	@$(BIN)/pytest $(PYTEST_ARGS)

bench: setup ## Measure, print the ratios, write bench/out/latest.json
	@scripts/ensure-wrk.sh
	@scripts/ensure-rabbitmq.sh
	@exec $(BIN)/python -m bench $(ARGS)

lock: ## Resolve the dependencies anew
	@$(UV) lock --upgrade

clean: ## Remove caches and the embedded installation's files
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .consilium dist
