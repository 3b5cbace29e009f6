# Everything is installed into .venv by the first target that needs it.
VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed
# An installation that was interrupted begins anew.
UNFINISHED := $(VENV)/.unfinished
ARGS ?=
PYTEST := $(VENV)/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder
# The marks of tests that `make test` leaves to `make test-all`; pyproject.toml says what each means.
SECOND_TIER := browser or cost or deployment or faults or security or stack or story

.DEFAULT_GOAL := help
.PHONY: help demo up down status test test-all lint audit bench conformance format lock clean env dist

help: ## say what each target does
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z.-]+):.*## (.*)/  make \1\t\2/' | expand -t 22
	@echo
	@echo 'For example: make demo, make up ARGS="--data DIR", make test ARGS="-k songplays". All commands of the local'
	@echo 'stack: python -m local --help.'

demo: $(STAMP) ## start everything, load a made-up month by Airflow, and show it (ARGS="--days 7" takes less time)
	@$(PYTHON) -m local demo $(ARGS)

up: $(STAMP) ## start Airflow, the Redshift stand-in and S3 on this machine
	@$(PYTHON) -m local up $(ARGS)

down: $(STAMP) ## stop them (ARGS=--purge forgets the data)
	@$(PYTHON) -m local down $(ARGS)

status: $(STAMP) ## say how they are
	@$(PYTHON) -m local status

test: $(STAMP) ## run the tests that every change needs (ARGS="-k name" runs some of them)
	$(PYTEST) -m "not ($(SECOND_TIER))" $(ARGS)

test-all: $(STAMP) ## run all tests, as CI does (ARGS="-m faults" runs those of one mark)
	$(PYTEST) $(ARGS)

lint: $(STAMP) ## check style, types and SQL
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/sqlfluff lint include/sql
	$(VENV)/bin/cfn-lint include/cloudformation/*.yaml

audit: $(STAMP) ## look the locked packages up in a database of known holes (ARGS="--osv-url URL" names another)
	@$(PYTHON) -m local.known_holes $(ARGS)

bench: $(STAMP) ## measure what a day, a COPY and a page cost (WRITE=1 also writes the pages in docs/)
	@status=0; \
	$(PYTHON) -m benchmarks.a_day_costs_a_day $(if $(WRITE),--write docs/benchmarks.md) || status=1; \
	$(PYTHON) -m benchmarks.copy_speed $(if $(WRITE),--write docs/benchmarks-copy.md) || status=1; \
	$(PYTHON) -m benchmarks.page_speed || status=1; \
	exit $$status

conformance: $(STAMP) ## show where a Redshift and its documentation differ (DSN="redshift://…")
	@$(PYTHON) -m local.conformance "$(DSN)" $(ARGS)

format: $(STAMP) ## put Python and SQL into the project's style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/sqlfluff fix include/sql

lock: $(STAMP) ## work out the requirements files anew from pyproject.toml
	$(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header pyproject.toml -o requirements.txt
	$(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(VENV)/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-header pyproject.toml --group container -c requirements.txt -o requirements-container.txt

env: ## write the secrets that docker-compose.yaml needs into .env, if they are missing
	@python3 -m deploy env

dist: ## write the project into dist as Amazon MWAA and Astronomer expect it
	@python3 -m deploy dist

clean: ## remove what can be made again: .venv and caches, but not the data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The Python it was made with may be gone since.
ifeq ($(wildcard $(PYTHON)),)
.PHONY: $(STAMP)
endif

.venv: $(STAMP) ## install everything, which the other targets do by themselves

$(STAMP): requirements-dev.txt
	@set -e; \
	python=''; \
	for candidate in python3.13 python3.12 python3.11 python3 python; do \
	  if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then \
	    python="$$candidate"; break; \
	  fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'No Python from 3.11 to 3.13 was found, and the project needs one. Install python3.13, 3.12 or 3.11.' >&2; \
	  exit 1; \
	fi; \
	if [ -e $(UNFINISHED) ] || ! $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  "$$python" -m venv --clear $(VENV) || { \
	    echo "$$python cannot make a virtual environment. Install its venv package, e.g. python3-venv." >&2; \
	    exit 1; \
	  }; \
	fi; \
	touch $(UNFINISHED); \
	failed() { \
	  echo 'The requirements could not be installed; the reason stands above. Check that this machine reaches its' >&2; \
	  echo 'package index (PIP_INDEX_URL names another, HTTPS_PROXY a proxy), then run make again.' >&2; \
	  exit 1; \
	}; \
	uv=$$(sed -nE 's/^(uv==[^ ]+).*/\1/p' requirements-dev.txt); \
	pip="$(PYTHON) -m pip install --quiet --disable-pip-version-check"; \
	$$pip "$$uv" || failed; \
	VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet -r requirements-dev.txt || { \
	  echo 'uv could not install the requirements; pip does it, which takes longer.' >&2; \
	  $$pip -r requirements-dev.txt || failed; \
	}; \
	rm $(UNFINISHED); \
	touch $@
