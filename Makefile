# The targets use .venv. The first one that needs it creates it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The libraries that the benchmarks compare with.
BENCH := .venv-bench
# Only what a server of ONNX files needs.
SERVE := .venv-serve
# The lowest and the latest versions within the ranges of pyproject.toml.
OLDEST := .venv-oldest
NEWEST := .venv-newest
# Ray and Spark, which are too large for the others.
ENGINES := .venv-engines
# The version of torch for make test-oldest. On Linux, PyPI has only builds with 3 GB of CUDA: see
# CONTRIBUTING.md.
TORCH ?= $(shell sed -n 's/^torch==//p' constraints-oldest.txt)

# One process for each core, with one thread: more threads than cores wait for each other.
PYTEST := -m pytest --numprocesses=auto --dist=worksteal

.PHONY: demo test test-oldest test-newest test-matrix test-engines java soak fuzz lint format bench \
	accuracy defaults deployment faithfulness figures docs docs-check dist clean
.DEFAULT_GOAL := test

# A complete example: train, compare, search, save, load and label.
# make demo TEXTS='"Fit a linear model." "Move the tensor to CUDA."' labels your own texts.
demo: $(VENV)/.demo
	$(BIN)/python examples/classify_docstrings.py $(TEXTS)

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST)

# The lower bounds of pyproject.toml.
test-oldest: $(OLDEST)/.torch-$(TORCH)
	OMP_NUM_THREADS=1 $(OLDEST)/bin/python $(PYTEST)

test-matrix: test test-oldest

# The newest releases of everything but torch, which may be newer than those of constraints.txt.
test-newest:
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/python -m pip install --quiet --upgrade pip
	$(NEWEST)/bin/python -m pip install --quiet "$$(grep ^torch== constraints.txt)" -e '.[test]'
	$(NEWEST)/bin/python -m pip check
	OMP_NUM_THREADS=1 $(NEWEST)/bin/python $(PYTEST)

# The tests that need Ray or Spark, in one process: each of them starts processes of its own.
test-engines: java $(ENGINES)/.done
	OMP_NUM_THREADS=1 $(ENGINES)/bin/python -m pytest tests/engines

# Spark runs on Java. Root on Debian and Ubuntu gets it here; others are told how.
java:
	@if [ -x "$$JAVA_HOME/bin/java" ] || command -v java > /dev/null; then exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
		apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y openjdk-17-jre-headless; \
	else \
		echo "Spark needs Java 17 or later, which is not installed. Install it, for example with" >&2; \
		echo "  sudo apt-get install openjdk-17-jre-headless" >&2; \
		echo "or set JAVA_HOME to its folder." >&2; \
		exit 1; \
	fi

# The tests marked soak: interrupts at hundreds of places, tens of thousands of calls from threads,
# forked trainings, the slowest examples.
# Then thousands of new examples for each property. Takes an hour or so.
soak: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python $(PYTEST) -m soak
	$(BIN)/python -m pytest tests/text/test_properties.py --hypothesis-profile=long
	$(BIN)/python benchmarks/hostile_text.py

# make fuzz TARGET=model_file FOR=600 looks for so many seconds for files that break a reader.
TARGET ?= vector_files
FOR ?= 1800
fuzz: $(VENV)/.fuzz
	$(BIN)/python -m fuzz.fuzz_$(TARGET) -max_total_time=$(FOR)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# RECORD=--record lets the benchmarks below write their tables to benchmarks/measured.json too.
RECORD ?=

# make bench DATA=folder VECTORS=glove.6B.100d.txt measures the engine and its competitors.
bench: $(BENCH)/.done
	$(BENCH)/bin/python benchmarks/engine.py --data $(DATA) --vectors $(VECTORS) \
		--json benchmarks/engine.json $(RECORD)

# make accuracy DATA=folder VECTORS=glove.6B.100d.txt measures accuracies. It continues a run that was
# stopped.
accuracy: $(BENCH)/.done
	OMP_NUM_THREADS=1 $(BENCH)/bin/python benchmarks/accuracy.py --data $(DATA) --vectors $(VECTORS) \
		--json benchmarks/accuracy.jsonl $(RECORD)
	$(BENCH)/bin/python benchmarks/kim.py --data $(DATA) --vectors $(VECTORS) \
		--json benchmarks/kim.jsonl $(RECORD)
	$(BENCH)/bin/python benchmarks/learning_curves.py --data $(DATA) --vectors $(VECTORS) $(RECORD)
	OMP_NUM_THREADS=1 $(BENCH)/bin/python benchmarks/transfer.py --data $(DATA) --vectors $(VECTORS) \
		--json benchmarks/transfer.jsonl $(RECORD)
	$(BENCH)/bin/python benchmarks/imbalance.py --data $(DATA) --vectors $(VECTORS) $(RECORD)
	$(BENCH)/bin/python benchmarks/calibration.py --data $(DATA) --vectors $(VECTORS) $(RECORD)
	$(BENCH)/bin/python benchmarks/stacked.py --data $(DATA)

# make defaults DATA=folder VECTORS=glove.6B.100d.txt measures what the defaults are chosen by.
defaults: $(VENV)/.dev
	$(BIN)/python benchmarks/defaults.py --data $(DATA) --vectors $(VECTORS) \
		--json benchmarks/defaults.jsonl

# make deployment DATA=folder VECTORS=glove.6B.100d.txt measures what it takes to serve a model.
deployment: $(VENV)/.dev $(SERVE)/.done
	$(BIN)/python benchmarks/deployment.py --data $(DATA) --vectors $(VECTORS) \
		--python $(SERVE)/bin/python $(RECORD)

# make faithfulness DATA=folder VECTORS=glove.6B.100d.txt measures explanations beside LIME's.
faithfulness: $(BENCH)/.done
	$(BENCH)/bin/python benchmarks/faithfulness.py --data $(DATA) --vectors $(VECTORS) $(RECORD)

# Puts the figures of benchmarks/measured.json into the README and the pages.
figures:
	$(PYTHON) docs/figures.py

# The examples of docs/auto_examples run again only where they changed; plots are drawn anew, as
# they depend on tables. So are the pages of docs/api, as a name may be gone.
docs: $(VENV)/.docs
	rm -rf docs/_build/plot_directive docs/api/*.rst
	$(BIN)/sphinx-build -E -W --keep-going -b html docs docs/_build/html

# Check each link of the built pages to other pages and to anchors in them.
docs-check: docs
	$(BIN)/python docs/check_links.py docs/_build/html

# Build sdist and wheel, check their metadata and contents, and use the wheel in a new environment
# outside of this folder.
dist: $(VENV)/.dist
	rm -rf dist
	PIP_CONSTRAINT='$(CURDIR)/constraints.txt' $(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/python tests/distribution/check_contents.py dist
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
		$(PYTHON) -m venv "$$folder/venv" && \
		"$$folder/venv/bin/python" -m pip install --quiet -c constraints.txt dist/*.whl && \
		"$$folder/venv/bin/python" -m pip check && \
		cp tests/distribution/use_installed.py "$$folder" && cd "$$folder" && \
		venv/bin/python -I use_installed.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip -c constraints.txt

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile -c constraints.txt -e '.[test,lint]'
	# pip would compile on one core, and the tests of all libraries, which are a quarter of their
	# code. Some libraries have files that are templates of Python.
	-@$(BIN)/python -W ignore -m compileall -qq -j 0 -x '/tests?/' $(VENV)/lib
	$(BIN)/python -m pip check
	touch $@ $(VENV)/.demo

$(VENV)/.fuzz: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[fuzz]'
	touch $@

$(VENV)/.dist: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dist]'
	$(BIN)/python -m pip check
	touch $@

$(VENV)/.docs: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	touch $@

# The rest in the versions of constraints.txt, so that an environment is always the same.
$(OLDEST)/.torch-$(TORCH): pyproject.toml constraints.txt constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	rm -f $(OLDEST)/.torch-*
	sed 's/^torch==.*/torch==$(TORCH)/' constraints-oldest.txt > $(OLDEST)/constraints.txt
	awk -F== 'NR == FNR { oldest[$$1]; next } !($$1 in oldest)' constraints-oldest.txt \
		constraints.txt >> $(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet -c $(OLDEST)/constraints.txt -e '.[test]'
	$(OLDEST)/bin/python -m pip check
	touch $@

$(ENGINES)/.done: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(ENGINES)
	$(ENGINES)/bin/python -m pip install --quiet --upgrade pip -c constraints.txt
	$(ENGINES)/bin/python -m pip install --quiet --no-compile -c constraints.txt \
		-e '.[test,engines]'
	-@$(ENGINES)/bin/python -W ignore -m compileall -qq -j 0 $(ENGINES)/lib
	$(ENGINES)/bin/python -m pip check
	touch $@

$(BENCH)/.done: pyproject.toml constraints.txt benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet -c constraints.txt -e . -r benchmarks/requirements.txt
	touch $@

$(SERVE)/.done: constraints.txt
	$(PYTHON) -m venv $(SERVE)
	$(SERVE)/bin/python -m pip install --quiet -c constraints.txt numpy onnxruntime
	touch $@

clean:
	rm -rf $(VENV) $(BENCH) $(SERVE) $(OLDEST) $(NEWEST) $(ENGINES) dist docs/_build docs/api \
		docs/auto_examples .mypy_cache .pytest_cache .ruff_cache
