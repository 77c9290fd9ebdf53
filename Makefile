# `make` alone lists what can be made. Python 3.11 elsewhere: make PYTHON=/path/to/python3.11 book
PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
BIN := .venv/bin
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
SITE_TESTS := $(if $(SKIP_BROWSER),-m "not browser",)

# Compiled modules are kept, whatever the shell says: without them every kernel starts a second later.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup book test lab data bench clean
.DEFAULT_GOAL := help

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 14

setup:
	@$(PYTHON) bootstrap.py

book: setup  ## run the notebooks on the best data to be had and make the site in _build/html
	@$(BIN)/exprml build

data: setup  ## fetch and verify the data, and say which data each notebook gets
	@$(BIN)/exprml data resolve

lab: setup  ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks

# The build comes first and does not stop the tests: tests/graph tells of it, and pytest has the last word.
test: setup browser  ## check everything: style, every notebook on small made data, the site, the library
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/exprml build --profile smoke --policy simulated || true
	@EXPRML_SMOKE=1 $(BIN)/python -m pytest -n 2 $(SITE_TESTS)

.PHONY: browser
browser:
	@if [ -n "$(SKIP_BROWSER)" ]; then echo "SKIP_BROWSER is set: the pages are not opened in a browser"; \
	elif [ -z "$(CHROMIUM)" ]; then echo "make test opens the pages in Chromium, which is not here. Install it:" >&2; \
	echo "    sudo apt-get install -y chromium chromium-driver" >&2; \
	echo "or leave that part out: make test SKIP_BROWSER=1" >&2; exit 1; fi

bench: setup  ## measure speed against the usual tools (needs R with limma for one of them)
	@for bench in bench/*.py; do $(BIN)/python $$bench; done | awk 'NR == 1 || !/^bench,/' | tee bench/report.csv

clean:  ## remove what can be made again; downloads in data/raw and .venv stay
	@rm -rf _build data/prepared data/results data/plan.json data/*.lock .snakemake .pytest_cache .ruff_cache
	@find lib tests -name __pycache__ -type d -prune -exec rm -rf {} +
