# `make help` lists the targets from the comments behind them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# uv lives beside the environment that it makes; nothing is installed outside this directory.
UV_VERSION := 0.13.8
UV_HOME := $(VENV)/uv-$(UV_VERSION)
UV := $(UV_HOME)/bin/uv
STAMP := $(VENV)/.ready
INTEROP_PACKAGES := awscli ca-certificates curl default-jdk-headless gnutls-bin knot nats-server nginx-light openssl pebble rabbitmq-server softhsm2 wrk
BENCH_STAMP := $(VENV)/bench/.ready
BENCH_PACKAGES := apache2-utils golang-cfssl openssl wrk $(if $(FULL),knot softhsm2)

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test faults interop check docs bench sbom audit format clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z]+):[^#]*## (.*)/\1\t\2/' | \
	  while IFS="$$(printf '\t')" read -r name text; do printf '  make %-9s %s\n' "$$name" "$$text"; done

setup: $(STAMP) ## Make .venv with everything; repeated, it takes seconds

$(STAMP): pyproject.toml uv.lock | $(UV)
	@echo "setting up $(VENV) (the first time takes a minute)"
	@UV_PROJECT_ENVIRONMENT=$(VENV) VIRTUAL_ENV= $(UV) sync --frozen --quiet --python $(BIN)/python
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV) || \
	  { echo "the venv module is missing (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || \
	  { echo "pip is missing (Debian: apt-get install python3-pip)" >&2; exit 1; }
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-compile --upgrade \
	  --target $(UV_HOME) "uv==$(UV_VERSION)"

demo: setup ## Walk the main job on a temporary service with the real AWS CLI and OpenSSL
	@$(BIN)/python tools/demo.py

serve: setup ## Run a development service on ./data
	@$(BIN)/greatseal serve --data ./data

test: setup ## Run every test that needs nothing but PyPI packages
	@$(BIN)/python -m pytest -n 2 -m "not interop and not faults"

faults: setup ## Raise and kill at every side effect, kill nodes, overload: all in the long form (docs/faults.md)
	@$(BIN)/python -m pytest -m "not interop" --durations=10 -s tests/faults tests/service/test_workers.py tests/service/test_overload.py

interop: setup ## Install real programs from Debian and run the tests against them
	@tools/install-interop $(INTEROP_PACKAGES)
	@$(BIN)/python -m pytest -m interop

check: setup ## ruff, mypy, import-linter and the house rules; under 60 s
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -n 2 tests/house

docs: setup ## Render the generated pages of docs/
	@$(BIN)/python tools/render_docs.py

bench: $(BENCH_STAMP) ## Run the benchmarks beside their peers; FULL=1 at length, DOCS=1 writes docs/benchmarks.md
	@tools/install-interop $(BENCH_PACKAGES) || echo "what is missing is left out"
	@$(BIN)/python bench/run.py $(if $(FULL),--full) $(if $(SAMPLES),--samples $(SAMPLES)) $(if $(DOCS),--docs)

# The peer from PyPI has an environment of its own, from the same lock.
$(BENCH_STAMP): $(STAMP)
	@UV_PROJECT_ENVIRONMENT=$(VENV)/bench VIRTUAL_ENV= $(UV) sync --frozen --quiet --only-group bench --python $(BIN)/python
	@touch $@

sbom: setup ## Write the bill of materials of uv.lock, CycloneDX, to dist/
	@$(BIN)/python tools/supply_chain.py sbom

audit: setup ## Ask the OSV database about every version of uv.lock
	@$(BIN)/python tools/supply_chain.py audit

format: setup ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean: ## Remove what the targets made, except ./data
	@rm -rf $(VENV) bench/results dist .mypy_cache .ruff_cache .import_linter_cache .pytest_cache
