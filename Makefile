# Two commands do everything on a fresh machine with Python 3.10+, make and a network:
#   make tables   sets up, then trains and evaluates every embedded cell and prints the tables
#   make test     sets up, then runs every test
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := $(shell $(PYTHON) -c 'import sys; print("constraints-py310.txt" if sys.version_info < (3, 11) else "constraints.txt")')

.PHONY: tables test lint types docs setup bench smoke clean

tables: setup
	$(BIN)/python run_all.py

smoke: setup
	$(BIN)/python run_all.py run --suite smoke

test: setup
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile --max-worker-restart 0

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup
	$(BIN)/mypy
	$(BIN)/mypy --strict --follow-imports=silent hrnet benchmarks

docs: setup
	$(BIN)/python -c 'import material, mkdocstrings_handlers.python' 2> /dev/null || \
		PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[docs]'
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: setup
	$(BIN)/python -m benchmarks.speed.bench

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 10), f"Python 3.10 or newer is needed, this is {sys.version.split()[0]}"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --constraint $(CONSTRAINTS) --editable '.[all,test]'
	touch $@

clean:
	rm -rf results/runs results/tables results/report data/embedded
