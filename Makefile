# What people and CI run. `make` alone prints what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

UV := scripts/uv.sh
BIN := $(or $(UV_PROJECT_ENVIRONMENT),.venv)/bin
ARGS ?=
PYTEST_ARGS ?=
# most tests wait for a process, a broker or a database; each worker has servers of its own
WORKERS ?= 3

.PHONY: help setup run demo up down test lint format types imports pytest compose-test scale-test bench bench-board bench-contributions bench-growth bench-telemetry bench-worklists generated release lock clean

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## Install uv if it is missing, and everything in uv.lock
	@$(UV) sync --quiet --locked --compile-bytecode

run: setup ## Serve everything on http://127.0.0.1:8080 with an embedded PostgreSQL
	@exec $(BIN)/consilium run

demo: setup ## Send a referral through the running system and show the shared plan
	@exec $(BIN)/consilium demo $(ARGS)

up: setup ## The same in containers: PostgreSQL, RabbitMQ, each service as API and worker (ARGS="--env-file deploy/compose/observability.env" watches them)
	@$(BIN)/consilium keys >/dev/null
	@docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0 COMPOSE_PARALLEL_LIMIT=1; \
		docker compose $(ARGS) up --build --wait

down: ## End the containers; what they stored stays (ARGS=--volumes forgets it)
	@docker compose --profile '*' down $(ARGS)

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

pytest: setup ## Run the tests (PYTEST_ARGS="tests/unit -k task" for some, WORKERS=0 one after the other)
	@scripts/ensure-rabbitmq.sh
	@scripts/ensure-kubectl.sh
	@scripts/ensure-promtool.sh
	@scripts/ensure-node.sh
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

bench: setup ## Measure, print the ratios, write bench/out/latest.json
	@scripts/ensure-wrk.sh
	@scripts/ensure-rabbitmq.sh
	@exec $(BIN)/python -m bench $(ARGS)

bench-contributions: setup ## Measure 200 contributions to one plan at once (half a minute)
	@exec $(BIN)/python -m bench.contributions $(ARGS)

bench-growth: setup ## Compare the searches of 10,000 and of 1,000,000 CarePlans (a quarter of an hour)
	@scripts/ensure-wrk.sh
	@exec $(BIN)/python -m bench.growth $(ARGS)

bench-worklists: setup ## Measure the worklists and statistics of 1,000,000 referrals (a few minutes)
	@exec $(BIN)/python -m bench.worklists $(ARGS)

bench-board: setup ## Measure the plan board at 100,000 shared plans (a minute)
	@exec $(BIN)/python -m bench.board $(ARGS)

bench-telemetry: setup ## Measure what telemetry costs
	@scripts/ensure-wrk.sh
	@exec $(BIN)/python -m bench.telemetry $(ARGS)

compose-test: setup ## Build the images, run them, kill each container under load, look whether anything was lost
	@scripts/compose-test.sh

scale-test: setup ## End-to-end tests on three processes of each kind, and a rolling restart at 100 requests/s
	@scripts/ensure-rabbitmq.sh
	@CONSILIUM_TEST_SCALE=3 $(BIN)/pytest -s tests/e2e/apart
	@CONSILIUM_TEST_SCALE=3 $(BIN)/pytest -rs tests/e2e --ignore tests/e2e/apart

generated: setup ## Write anew what is made from the code: configuration reference, routes, alerts, dashboards
	@$(BIN)/python -m tools.configuration
	@$(BIN)/python -m tools.slo_rules
	@$(BIN)/python -m tools.dashboards
	@$(BIN)/python -m tools.kubernetes

release: setup ## Build what a release holds: images, wheel, SBOMs; nothing is pushed (ARGS=--rehearse to try)
	@exec $(BIN)/python -m tools.release $(ARGS)

lock: ## Resolve the dependencies anew
	@$(UV) lock --upgrade

clean: ## Remove caches and the embedded installation's files
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .consilium dist
