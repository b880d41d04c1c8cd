# Two verbs for a newcomer, `make demo` and `make test`; each sets itself up once.
PYTHON ?= $(or $(shell tools/find-python),$(error without a Python there is no set-up))
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT ?= runs/default
MINUTES ?= 10

# An environment is kept, but where PYTHON=... names another Python than it has.
OTHER = $(if $(filter file,$(origin PYTHON)),,$(shell \
  [ ! -x $(BIN)/python ] || [ "$$($(PYTHON) -V)" = "$$($(BIN)/python -V)" ] || echo $(VENV)/other))

.PHONY: help setup demo test explore lint docs bench bench-quick bench-spine bench-multitask report \
  clean $(VENV)/other

help:  ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

setup: $(READY)  ## make .venv and install, once

# constraints.txt holds sets of versions that were exercised together. RecBole's wheel is pure Python
# and carries MovieLens-100K: where its models cannot run, it comes without what they need.
$(READY): pyproject.toml constraints.txt $(OTHER)
	@[ -x $(BIN)/python ] && [ -z "$(OTHER)" ] || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt recbole
	@$(BIN)/python -c "import sys; sys.version_info < (3, 12) or print('RecBole: its data alone;' \
	  ' its models need Python 3.11, and what tests them is skipped')"
	@touch $@

demo: $(READY)  ## train, evaluate and recommend on MovieLens-100K
	$(BIN)/recsys train --split ro --seed 2020 --out $(OUT)
	$(BIN)/recsys evaluate --bundle $(OUT) --baselines
	$(BIN)/recsys recommend --bundle $(OUT) --user 42 --k 10
	@printf '\nbundle:  %s\nreport:  %s.results.json\nnext:    %s\n         %s\n         %s\n' \
	  '$(OUT)' '$(OUT)' \
	  '$(BIN)/recommend --like "Heat (1995)" --like "Casino (1995)"' \
	  '$(BIN)/recsys similar "Toy Story (1995)"' \
	  '$(BIN)/recsys train --split u1'

test: $(READY)  ## the whole test suite, static checks included
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist worksteal

# Other examples in every run; what it finds is pinned with @example, for 'make test' draws none.
explore: $(READY)  ## draw new examples for the laws, MINUTES=10 of them, as often as you like
	$(BIN)/python tests/explore.py --minutes $(MINUTES)

lint: $(READY)  ## format and check
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)  ## regenerate the documents that are generated
	$(BIN)/python docs/generate_cli.py
	$(BIN)/python docs/generate.py
	$(BIN)/recsys benchmark report

# What is there already is not measured again; run it again to go on after six hours.
bench: $(READY)  ## measure every model under every protocol whose data is there
	$(BIN)/recsys benchmark run --max-hours 6

bench-quick: $(READY)  ## a few protocols, seeds and models, in minutes, into a folder of its own
	$(BIN)/recsys benchmark run --quick --results runs/bench

report: $(READY)  ## write benchmarks/REPORT.md, the other pages and plots from the results that are there
	$(BIN)/recsys benchmark report

bench-spine: $(READY)  ## measure the claims of benchmarks/SPINE.md
	$(BIN)/recsys benchmark run --protocols 'spine-*'

bench-multitask: $(READY)  ## measure the claims of benchmarks/MULTITASK.md and ALIGNMENT.md
	$(BIN)/recsys benchmark run --protocols 'multitask-*'
	$(BIN)/recsys benchmark probe alignment

clean:  ## remove what can be made again
	rm -rf $(VENV) build dist *.egg-info runs
