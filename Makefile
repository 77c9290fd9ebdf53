# `make` alone lists what can be made. Another Python, 3.11 to 3.13: make PYTHON=/path/to/python3.12 book
PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3 python; do \
	$$one -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$one && exit; done; echo python3)
BIN := .venv/bin
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
# Every command is make's own child, without a shell between: whoever ends make ends it too.
test: setup browser  ## check everything: style, every notebook on small made data, the site, the library
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	-@$(BIN)/exprml build --profile smoke --policy simulated
	-@$(BIN)/exprml build --profile paper --rehearse
	@exec env EXPRML_SMOKE=1 $(BIN)/python -m pytest -n 2 --dist worksteal $(SITE_TESTS)

.PHONY: browser
browser: setup
	@$(if $(SKIP_BROWSER),echo "SKIP_BROWSER is set: the pages are not opened in a browser",$(BIN)/python tests/browser/chromium.py)

bench: setup  ## measure speed against the usual tools (needs R with limma for one of them)
	@for bench in bench/*.py; do $(BIN)/python $$bench; done | awk 'NR == 1 || !/^bench,/' | tee bench/report.csv

clean:  ## remove what can be made again; downloads in data/raw and .venv stay
	@rm -rf _build data/prepared data/results data/plan.json data/*.lock .snakemake .pytest_cache .ruff_cache
	@find lib tests -name __pycache__ -type d -prune -exec rm -rf {} +
