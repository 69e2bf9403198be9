# Everything a person does with Critter, one target each. Rules stay relative and phony: the path may hold blanks.

PYTHON ?= python3
VENV := .venv/bin/python
SETUP := "$(PYTHON)" bootstrap.py
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help setup dev up check test lint format docs translations bench pictures soak torture rehearse peers clients lock clean
.DEFAULT_GOAL := help

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: ## make or repair .venv from the locks; quick when there is nothing to do
	@$(SETUP)

dev: ## the same, with what tests and checks need
	@$(SETUP) dev

up: setup ## run everything, simulated, until Ctrl-C
	@$(VENV) -m critter up --tied

check: setup ## is this machine, its settings and servers in order?
	@$(VENV) -m critter check

# Three at a time on two cores: a third of a test's time is waiting, for processes and for deadlines.
test: dev ## the tests (about twelve minutes on two cores)
	@$(VENV) -m pytest -n 3 --dist worksteal tests

lint: dev ## ruff and mypy
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy

format: dev ## let ruff repair what it can
	@$(VENV) -m ruff check --fix .
	@$(VENV) -m ruff format .

docs: setup ## write the tables of docs/commands.md anew
	@$(VENV) -m critter.tools.handbook

translations: setup ## bring the catalogs of other languages into step with the code
	@$(VENV) -m critter.tools.translations

bench: dev ## measure; the results go to bench/results.md
	@$(VENV) -m bench

pictures: dev ## draw docs/pictures anew (needs a Chromium)
	@$(VENV) -m tests.support.pictures

soak: dev ## everything that can go wrong, at random, for half an hour (CRITTER_SOAK_SECONDS)
	@CRITTER_SOAK_SECONDS=$${CRITTER_SOAK_SECONDS:-1800} $(VENV) -m pytest -s tests/whole/test_soak.py

torture: dev ## long tests: kills by the thousand, cut connections, full disks, wrong clocks, random input
	@CRITTER_EVERY_PLACE=1 $(VENV) -m pytest -s tests/torture tests/whole/test_*crashes.py tests/whole/test_kills.py
	@CRITTER_EVERY_PLACE=1 $(VENV) -m pytest -m repeats tests
	@$(VENV) -m pytest -m hypothesis --hypothesis-profile random tests

rehearse: dev ## long test: a company on eight machines, of which two are lost (needs root)
	@$(VENV) -m pytest -s tests/rehearsal

peers: dev ## long tests against servers from Debian
	@$(VENV) -m pytest -s tests/peers

clients: dev ## apps that others made, before a whole simulated Critter
	@$(VENV) -m pytest -s tests/clients

lock: ## pin anew what requirements*.in and servers.in ask for (needs uv)
	@$(LOCK) requirements.in -o requirements.lock
	@$(LOCK) requirements-dev.in -c requirements.lock -o requirements-dev.lock
	@$(LOCK) --no-deps servers.in -o servers.lock

clean: ## remove .venv and caches; the state folder var stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
