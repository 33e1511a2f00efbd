# `make help` lists everything.
PYTHON ?= python3
TICKERS ?= AAPL MSFT GOOG IBM
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
BENCH_STAMP := $(VENV)/.installed-bench
# Quix Streams pins an older confluent-kafka, so it has an environment of its own.
QUIX_VENV := $(VENV)/quixstreams
QUIX_STAMP := $(VENV)/.installed-bench-quixstreams
# Other values of an environment that was active before must not leak in.
export PYTHONNOUSERSITE := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-long check lint types format doctor up down status reset clean bench bench-growth bench-shapes bench-indicators bench-sentiment pressure flood profile screenshots chaos chaos-controls fuzz audit

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(DEV_STAMP) ## install everything into .venv; start nothing
	@echo "installed; next: make run"

run: $(RUN_STAMP) ## stream recorded prices through a real Kafka into a real MongoDB (ARGS="--duration 1" adds options)
	@$(BIN)/python run_streaming_pipeline.py $(TICKERS) --initial-load --source replay $(ARGS)

# Tests mostly wait for servers, so three processes, each with servers of its own, take a third of the time.
# Given servers are one broker with one set of topics: one process.
PARALLEL := $(if $(KAFKA_BOOTSTRAP_SERVERS),,-n 3 --dist loadfile)

# After the others, as it measures nothing but needs the machine: six servers and three workers.
SHORT_CHAOS := tests/chaos/test_short_run.py

test: $(DEV_STAMP) ## run the tests, on servers of their own, then the short chaos run (ARGS="-k indicators" adds options, without it)
	@$(BIN)/python -m pytest $(PARALLEL) -m "not long" $(ARGS)
	$(if $(ARGS)$(KAFKA_BOOTSTRAP_SERVERS),,@$(BIN)/python -m pytest $(SHORT_CHAOS))

test-long: $(DEV_STAMP) ## run the tests that take half a minute and more each: kills, handovers, restarts
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m long --deselect $(SHORT_CHAOS) $(ARGS)

check: lint types audit test ## what every commit must pass: ruff, mypy, no known vulnerability, tests

lint: $(DEV_STAMP) ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV_STAMP) ## mypy
	@$(BIN)/mypy .

format: $(DEV_STAMP) ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

doctor: $(RUN_STAMP) ## print the settings in force and what answers
	@$(BIN)/faust -A app doctor

up: $(RUN_STAMP) ## start the embedded Kafka and MongoDB, and leave them running
	@$(BIN)/python -m embedded up

down: ## stop the embedded servers
	@$(BIN)/python -m embedded down

status: ## say which embedded servers run, and where
	@$(BIN)/python -m embedded status

reset: ## stop the embedded servers and delete their data
	@$(BIN)/python -m embedded reset

bench: $(BENCH_STAMP) $(QUIX_STAMP) ## bars per second and latency, beside Quix Streams and others (QUICK=1: 4 minutes, not 15)
	@$(BIN)/python -m benchmarks.speed $(if $(QUICK),--quick)

bench-growth: $(BENCH_STAMP) $(QUIX_STAMP) ## what changes with the number of tickers, bars and workers (QUICK=1: fewer bars)
	@$(BIN)/python -m benchmarks.growth $(if $(QUICK),--quick)

bench-shapes: $(BENCH_STAMP) $(QUIX_STAMP) ## one and 50,000 tickers, small and large messages, stories, bursts, beside Quix Streams (QUICK=1: fewer bars)
	@$(BIN)/python -m benchmarks.shapes $(if $(QUICK),--quick)

pressure: $(DEV_STAMP) ## a worker's memory, membership and lag while MongoDB is ten times too slow
	@$(BIN)/python -m benchmarks.pressure

flood: $(DEV_STAMP) ## a worker's memory, membership, lag and answers while providers send as much as they may
	@$(BIN)/python -m benchmarks.flood

profile: $(BENCH_STAMP) ## a flame graph of a worker under load, benchmarks/results/profile.svg
	@$(BIN)/python -m benchmarks.flame

bench-indicators: $(BENCH_STAMP) ## microseconds per bar of each indicator, beside ta, talipp, TA-Lib and wickra
	@$(BIN)/python -m benchmarks.indicators

bench-sentiment: $(DEV_STAMP) ## accuracy and texts per second of the sentiment, beside plain VADER
	@$(BIN)/python -m benchmarks.sentiment

screenshots: $(DEV_STAMP) ## take the pictures of the page that the README shows (needs Chromium)
	@$(BIN)/python -m scripts.screenshots

SECONDS ?= 900
chaos: $(DEV_STAMP) ## kill, stop and freeze parts of a cluster under load, then judge the result (SEED=, SECONDS=)
	@$(BIN)/python -m chaos --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

chaos-controls: $(DEV_STAMP) ## show that the judge of `make chaos` sees a program that is broken on purpose
	@$(BIN)/python -m chaos.controls

MESSAGES ?= 20000
fuzz: $(DEV_STAMP) ## hostile messages, requests and answers of providers into a running worker (SEED=, MESSAGES=)
	@$(BIN)/python -m fuzz --messages $(MESSAGES) $(if $(SEED),--seed $(SEED)) $(ARGS)

audit: $(DEV_STAMP) ## ask OSV for known vulnerabilities of what is installed
	@$(BIN)/python -m scripts.audit

clean: ## delete .venv and caches (data in .data stays; see reset)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@sh scripts/make-venv.sh "$(PYTHON)" "$(VENV)"

$(RUN_STAMP): requirements.txt requirements-embedded.txt | $(BIN)/python
	@echo "installing packages (the first time only)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-embedded.txt
	@sh scripts/system-libraries.sh "$(BIN)/python"
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(BENCH_STAMP): requirements-bench.txt $(DEV_STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

$(QUIX_STAMP): requirements-bench-quixstreams.txt | $(BIN)/python
	@sh scripts/make-venv.sh "$(BIN)/python" "$(QUIX_VENV)"
	@$(QUIX_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench-quixstreams.txt
	@touch $@
