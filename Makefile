# A target installs into .venv what it needs, and no more, in parts: each has a lock, requirements-<part>.txt, of what it
# adds to the parts below it, and a stamp.
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
LOCAL := $(VENV)/.local
AUDIT := $(VENV)/.audit
TEST := $(VENV)/.test
LINT := $(VENV)/.lint
SCAN := $(VENV)/scan/.installed
LOCKS.local := requirements.txt requirements-local.txt
LOCKS.audit := $(LOCKS.local) requirements-audit.txt
LOCKS.test := $(LOCKS.audit) requirements-test.txt
LOCKS.lint := $(LOCKS.test) requirements-lint.txt
# A source distribution runs code when it is built. All packages have wheels for Linux and for macOS on Apple's processors;
# FROM_SOURCE=cryptography names those to build on another machine.
FROM_SOURCE ?=
SAFELY := --quiet --require-hashes --only-binary :all: $(FROM_SOURCE:%=--no-binary %)
# An installation that was interrupted before there was uv begins again.
UNFINISHED := $(VENV)/.unfinished
ARGS ?=
# They lead Python itself elsewhere, or keep it from starting; proxies, package indexes and accounts of the user's are
# what they are for.
unexport PYTHONHOME PYTHONPATH PYTHONPLATLIBDIR PYTHONSAFEPATH PYTHONSTARTUP PYTHONUSERBASE PYTHONWARNINGS
unexport PYTHONHASHSEED PYTHONINSPECT PYTHONIOENCODING PYTHONOPTIMIZE PYTHONUTF8
PYTEST := $(VENV)/bin/pytest -n 2 --dist loadfile --no-loadscope-reorder
# The marks of tests that `make test` leaves to `make test-all`; pyproject.toml says what each means.
SECOND_TIER := browser or cost or deployment or faults or report or security or stack or story

.DEFAULT_GOAL := help
.PHONY: help demo up down status install test test-all lint hooks scan audit bench conformance format lock clean env dist sbom

help: ## say what each target does
	@grep -hE '^[a-z.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z.-]+):.*## (.*)/  make \1\t\2/' | expand -t 22
	@echo
	@echo 'For example: make demo, make up ARGS="--data DIR", make test ARGS="-k songplays". All commands of the local'
	@echo 'stack: python -m local --help.'

demo: $(LOCAL) ## start everything, load a made-up month by Airflow, and show it (ARGS="--days 7" takes less time)
	@$(PYTHON) -m local demo $(ARGS)

up: $(LOCAL) ## start Airflow, the Redshift stand-in and S3 on this machine
	@$(PYTHON) -m local up $(ARGS)

down: $(LOCAL) ## stop them (ARGS=--purge forgets the data)
	@$(PYTHON) -m local down $(ARGS)

status: $(LOCAL) ## say how they are
	@$(PYTHON) -m local status

install: $(LOCAL) ## install what `python -m local` needs, which demo and up do by themselves

test: $(TEST) ## run the tests that every change needs (ARGS="-k name" runs some of them)
	$(PYTEST) -m "not ($(SECOND_TIER))" --hypothesis-profile half $(ARGS)

test-all: $(LINT) ## run all tests, as CI does (ARGS="-m faults" runs those of one mark)
	$(PYTEST) $(ARGS)

lint: $(LINT) ## check style, types and SQL
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/sqlfluff lint include/sql
	$(VENV)/bin/codespell -D - -D docs/words.txt .
	$(VENV)/bin/cfn-lint include/cloudformation/*.yaml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[!c]*.yml
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml

hooks: $(LINT) ## let git lint what is committed, by the tools of .venv
	$(VENV)/bin/prek install

scan: $(SCAN) ## look for weak spots in the CloudFormation templates and the Dockerfile, by checkov
	$(VENV)/scan/bin/checkov --quiet --compact --skip-download --framework cloudformation dockerfile \
	  --file include/cloudformation/*.yaml Dockerfile

audit: $(AUDIT) ## look up whether a locked package is known to be vulnerable (ARGS="--osv-url URL" names a database)
	@$(PYTHON) -m local.audit $(ARGS)

bench: $(LOCAL) ## measure what a day, a COPY and a page cost (WRITE=1 also writes the pages in docs/)
	@status=0; \
	$(PYTHON) -m benchmarks.a_day_costs_a_day $(if $(WRITE),--write docs/benchmarks.md) || status=1; \
	$(PYTHON) -m benchmarks.copy_speed $(if $(WRITE),--write docs/benchmarks-copy.md) || status=1; \
	$(PYTHON) -m benchmarks.page_speed || status=1; \
	exit $$status

# By the environment: a command line is seen by every user of the machine.
conformance: export CONFORMANCE_DSN := $(or $(DSN),$(CONFORMANCE_DSN))
conformance: $(LOCAL) ## show where a Redshift and its documentation differ (DSN="redshift://…")
	@$(PYTHON) -m local.conformance $(ARGS)

format: $(LINT) ## put Python and SQL into the project's style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(VENV)/bin/sqlfluff fix include/sql

COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
# What a lock adds to others: it takes their versions, and leaves out what they have on every machine.
beyond = $(1:%=-c %) $$(sed -nE 's/^([a-z0-9._-]+)[^;]*==[^;]*$$/--no-emit-package \1/p' $(1))

lock: $(VENV)/.made ## work the requirements files and the digests of images out again (ARGS=--upgrade takes the newest)
	$(COMPILE) $(ARGS) pyproject.toml -o requirements.txt
	$(COMPILE) $(ARGS) pyproject.toml --group local $(call beyond,requirements.txt) -o requirements-local.txt
	$(COMPILE) $(ARGS) pyproject.toml --group local --group audit $(call beyond,$(LOCKS.local)) -o requirements-audit.txt
	$(COMPILE) $(ARGS) pyproject.toml --group local --group audit --group test $(call beyond,$(LOCKS.audit)) \
	  -o requirements-test.txt
	$(COMPILE) $(ARGS) pyproject.toml --group local --group audit --group test --group lint \
	  $(call beyond,$(LOCKS.test)) -o requirements-lint.txt
	$(COMPILE) $(ARGS) pyproject.toml --group container -c requirements-local.txt $(call beyond,requirements.txt) \
	  -o requirements-container.txt
	$(COMPILE) $(ARGS) --group install -o requirements-install.txt
	$(COMPILE) $(ARGS) --group scan -o requirements-scan.txt
	@python3 -m deploy pin

env: ## write the secrets that docker-compose.yaml needs into .env, if they are missing
	@python3 -m deploy env

dist: ## write the project into dist as Amazon MWAA and Astronomer expect it, and the plugin as a wheel
	@python3 -m deploy dist

sbom: $(LOCAL) ## write what the image of docker-compose.yaml holds into dist, as CycloneDX has it
	@$(PYTHON) -m deploy sbom

clean: ## remove what can be made again: .venv and caches, but not the data
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv: $(LINT) ## install everything but checkov, which the other targets do by themselves

# The Python it was made with may be gone since.
ifneq ($(if $(wildcard $(PYTHON)),,gone)$(wildcard $(UNFINISHED)),)
.PHONY: $(VENV)/.made
endif

FAILED = { \
  echo 'The requirements could not be installed; the reason stands above. Check that this machine reaches its' >&2; \
  echo 'package index (PIP_INDEX_URL names another, HTTPS_PROXY a proxy), then run make again.' >&2; \
  exit 1; \
}

$(VENV)/.made: requirements-install.txt
	@python=''; \
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
	$(PYTHON) -m pip install --disable-pip-version-check $(SAFELY) -r $< || $(FAILED); \
	rm $(UNFINISHED); \
	touch $@

$(LOCAL): $(VENV)/.made $(LOCKS.local)
$(AUDIT): $(LOCAL) $(LOCKS.audit)
$(TEST): $(AUDIT) $(LOCKS.test)
$(LINT): $(TEST) $(LOCKS.lint)
# A part that was interrupted may have left half a package; the parts below it are whole, and stay.
$(LOCAL) $(AUDIT) $(TEST) $(LINT):
	@uv='' pip=''; \
	if [ -e $@.unfinished ]; then uv=--reinstall; pip=--force-reinstall; fi; \
	touch $@.unfinished; \
	locks="$(LOCKS$(suffix $@):%=-r %)"; \
	$(UV) pip install --python $(PYTHON) $(SAFELY) $$uv $$locks || { \
	  echo 'uv could not install the requirements; pip does it, which takes longer.' >&2; \
	  $(PYTHON) -m pip install --disable-pip-version-check $(SAFELY) $$pip $$locks || $(FAILED); \
	}; \
	rm $@.unfinished; \
	touch $@

$(SCAN): $(VENV)/.made requirements-scan.txt
	@$(PYTHON) -m venv --clear --without-pip $(VENV)/scan
	@$(UV) pip install --python $(VENV)/scan/bin/python $(SAFELY) -r requirements-scan.txt || $(FAILED)
	@touch $@
