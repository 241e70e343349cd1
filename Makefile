# `make help` lists the targets. Needs git, make and Python 3.11; everything else goes into .venv.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
PYTHON := $(shell for p in python3.11 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
JOBS ?= 2

.DELETE_ON_ERROR:
.PHONY: help setup study test check smoke format lab site

help:
	@echo "make setup   the environment alone, in .venv: enough for segsg predict"
	@echo "make study   the study of params.yaml: data, training, tables, report (JOBS=$(JOBS) stages at a time);"
	@echo "             another one: make study PROFILE=mini"
	@echo "make test    the test suite"
	@echo "make check   style, direction of imports, clean notebooks, generated files"
	@echo "make smoke   the whole pipeline on a few images, in a temporary copy"
	@echo "make format  lay out the code as \`make check\` wants it"
	@echo "make lab     JupyterLab on the notebooks"
	@echo "make site    documents, API reference, reports and notebooks as one folder, site; needs no study"

$(STAMP): requirements.lock pyproject.toml
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 is needed, as python3.11 or python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

setup: $(STAMP)

study: $(STAMP)
	$(if $(filter command line,$(origin PROFILE)),$(BIN)/segsg profile use '$(PROFILE)')
	$(BIN)/segsg repro --jobs $(JOBS)

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --ignore tests/corpus
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/corpus  # last and alone: it prints its counts

check: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/segsg check

smoke: $(STAMP)
	$(BIN)/segsg smoke --jobs $(JOBS)

format: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/segsg clean

lab: $(STAMP)
	$(BIN)/jupyter lab notebooks

site:  # in an environment of its own: what writes pages must not change what the study runs on
	$(PYTHON) -m venv build/site-env
	build/site-env/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[site]'
	build/site-env/bin/python -m mkdocs build --quiet
