# The two commands a newcomer needs: `make run` and `make test`. `make help` lists all.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lint fuzz kills scanners tasks-life deadlines fold-kills bench-send bench-report bench-wave bench-answer bench-themes lock manage clean

# Where the benchmarks find their files, and nowhere else.
DATA ?= ../shared/data
export DATA

# The first Python 3.11 or newer that works (a version manager's shim may be there and not work).
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
    $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; \
  done)
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes

UV := uv==0.13.8
VIRTUALENV := virtualenv==21.15.7
LOCK := var/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header --no-annotate

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: .venv/.run-installed ## Run everything on this machine, filled with a demo (PORT=8000 SMTP_PORT=8025)
	@exec $(PY) -m voc.embedded

test: .venv/.test-installed ## Run the tests (ARGS='-k queue'; REQUIRE_BROWSER=1 insists on Chromium)
	@sh tests/browser/chromium.sh install
	@$(PY) -m pytest -n auto $(ARGS)
	@sh tests/browser/chromium.sh report

lint: .venv/.test-installed ## Check style, types, migrations, and the files for containers
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	TESTING=1 $(PY) -m mypy
	TESTING=1 $(PY) manage.py makemigrations --check --dry-run
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/hadolint Dockerfile

fuzz: .venv/.test-installed ## Try 2,000 new examples on each property (ARGS='-k closure')
	@$(PY) -m pytest -m hypothesis --hypothesis-profile=fuzz $(ARGS)

kills: .venv/.test-installed ## Kill senders of mail at random (KILLS=10000) and look for lost and double mails
	@$(PY) -m tests.bench.kills

scanners: .venv/.test-installed ## Let mail scanners loose on the customers' pages (LINKS=10000; CARELESS=1: the control)
	@$(PY) -m tests.bench.scanners

tasks-life: .venv/.test-installed ## Lead tasks through 50,000 random steps (STEPS=50000), and 20 clients through 1,000 claims (CLAIMS=1000)
	@STEPS=$(or $(STEPS),50000) CLAIMS=$(or $(CLAIMS),1000) $(PY) -m pytest --timeout=0 \
	  -s tests/faults/test_a_tasks_life.py tests/faults/test_claims.py $(ARGS)

fold-kills: .venv/.test-installed ## Kill workers while they count for the reports (KILLS=200) and look for lost and double answers
	@KILLS=$(or $(KILLS),200) $(PY) -m pytest --timeout=0 tests/faults/test_dying_folders.py $(ARGS)

deadlines: .venv/.test-installed ## Look at the deadlines of a million answers, in all time zones (PAIRS=1000000)
	@$(PY) -m tests.bench.deadlines

bench-send: .venv/.test-installed ## Invitations a second, against smtplib on one connection
	@$(PY) -m tests.bench.send

lock: | .venv/bin/python ## Pin requirements*.txt with hashes again
	@test -x var/uv/bin/uv || { $(PYTHON) -m venv var/uv && var/uv/bin/pip install --quiet $(UV); }
	$(LOCK) requirements.txt --output-file requirements.lock
	$(LOCK) requirements-test.txt --constraint requirements.lock --output-file requirements-test.lock

bench-answer: .venv/.test-installed ## Complete answers a second and their CPU, against a minimal page with the ORM
	@$(PY) -m tests.bench.answer

bench-report: .venv/.test-installed ## The reports' pages at ten million answers, against the raw GROUP BY (ROWS=500000)
	@$(PY) -m tests.bench.report

bench-wave: .venv/.test-installed ## Plan a wave of a million customers, killed and resumed (CUSTOMERS=1000000)
	@$(PY) tests/bench/wave.py

bench-themes: .venv/.test-installed ## Themes against labels, beside BERTopic (FILES=nhs1, SIZES=100000, MONTHS=5, BERTOPIC=0)
	@$(PY) -m tests.bench.themes

manage: ## Run a command beside a running `make run` (ARGS='import_customers FILE')
	@test -f var/run.env || { echo "Nothing is running here. Start it first: make run" >&2; exit 1; }
	@set -a; . ./var/run.env; exec $(PY) manage.py $(ARGS)

clean: ## Remove what was installed and cached; the data in var/ stay
	rm -rf .venv .bootstrap .mypy_cache .pytest_cache .ruff_cache .hypothesis staticfiles

.venv/.run-installed: requirements.lock | .venv/bin/python
	@echo "Installing what voc runs on; the first time this takes a minute or two."
	@$(PIP) -r requirements.lock
	@touch $@

.venv/.test-installed: requirements-test.lock | .venv/bin/python
	@echo "Installing what the tests need; the first time this takes two minutes or three."
	@$(PIP) -r requirements-test.lock
	@touch $@ .venv/.run-installed

# Debian keeps a part of venv in a package of its own. Without it, pip brings virtualenv.
.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "voc needs Python 3.11 or newer, and none was found on the PATH." \
	  "Install it (Debian: apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) does not run, or is older than Python 3.11." >&2; exit 1; }
	@rm -rf .venv
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then $(PYTHON) -m venv .venv; \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  $(PYTHON) -m pip install --quiet --disable-pip-version-check --target .bootstrap $(VIRTUALENV) \
	  && PYTHONPATH=.bootstrap $(PYTHON) -m virtualenv --quiet .venv; \
	else echo "$(PYTHON) has neither venv nor pip. Install one (Debian: apt install python3-venv)." >&2; exit 1; fi
