PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

.PHONY: run test bench check fix

run: .venv/runtime
	@.venv/bin/python -u manage.py quickstart

test: .venv/development
	@.venv/bin/python -u -m tests.run

bench: .venv/development
	@.venv/bin/python -u -m tests.bench

check: .venv/development
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports
	.venv/bin/python manage.py makemigrations --check --dry-run
	.venv/bin/python manage.py check --deploy --fail-level WARNING

fix: .venv/development
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/development: requirements-dev.txt requirements.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ .venv/runtime
