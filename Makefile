# Every target makes .venv when it is missing and installs what it needs at the versions of
# constraints.txt; the stamps inside .venv keep a second run from installing again.

VENV  := .venv
BIN   := $(VENV)/bin
# pytest processes; 0 runs the tests in one process (a GPU, a debugger).
WORKERS ?= 2

# One BLAS thread: threads that fight for cores make small eigenproblems a hundred times slower.
TEST_ENV := OPENBLAS_NUM_THREADS=1
# Most of a run is compilation. At level 0 it takes a third of a user's time, at 1 a half; the demo
# compiles as a user does. At 0 networks learn several times slower, and derivatives of events in
# reverse mode were 1e-3 off, which they are not at 1 and at the default: those are tested at 1, and
# so are five hundred fits by one program.
XLA       = --xla_backend_optimization_level=$(LEVEL) --xla_llvm_disable_expensive_passes=true \
	--xla_cpu_use_fusion_emitters=false
LEVEL    := 0
AT_ONE   := tests/networks tests/training tests/studies/test_fault_slip.py tests/studies/test_fault_slip_study.py \
	tests/studies/test_slide_hold_learn.py tests/ratestate/test_catalogue.py \
	tests/inversion/test_fit_synthetic.py
# Commands choose their precision themselves, and reading and drawing have none.
NO_FLOAT := tests/test_cli.py tests/test_drawing.py tests/programs tests/plotting tests/records
# Programs that may raise call back to Python, and no cache takes those; what fails is NaN instead.
QUICK_ENV = $(TEST_ENV) EQX_ON_ERROR=nan XLA_FLAGS="$(XLA) $$XLA_FLAGS"
# A worker that dies ends the run: a replaced one was seen to leave the rest waiting for ever.
PYTEST    = $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder \
	--max-worker-restart 0

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-at-one test-fast check programs docs bench clean quick-xla

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: $(VENV)/.app ## run the demonstration; figures and tables go to demo-output/
	$(BIN)/jaxfric demo

test: $(VENV)/.test ## the whole suite: float64 with doctests, then float32
	$(QUICK_ENV) JAX_ENABLE_X64=1 $(PYTEST) $(addprefix --ignore=,$(AT_ONE))
	$(MAKE) LEVEL=1 test-at-one
	$(QUICK_ENV) JAX_ENABLE_X64=0 $(PYTEST) $(addprefix --ignore=,$(NO_FLOAT)) -m "not slow" tests

test-at-one: $(VENV)/.test # the part of float64 that is compiled at level 1
	$(QUICK_ENV) JAX_ENABLE_X64=1 $(PYTEST) $(AT_ONE)

test-fast: $(VENV)/.test ## float64 without the slow tests
	$(QUICK_ENV) JAX_ENABLE_X64=1 $(PYTEST) -m "not slow"

check: $(VENV)/.test ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --cache-dir .cache/import-linter

programs: $(VENV)/.test ## trace the programs that ship with the package anew, after a change of the code
	$(BIN)/python -m jaxfric.cli._ship

docs: $(VENV)/.docs ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.bench ## measure beside the peers (installs torch); rows go to benchmarks/results/
	@set -e; for script in benchmarks/[!_]*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

quick-xla: # the settings, for scripts whose times mean nothing
	@echo "$(XLA)"

clean: ## remove the environment and everything the commands wrote
	rm -rf $(VENV) .cache demo-output site dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- environment

$(VENV)/.app: extras := app
$(VENV)/.test: extras := app,bayes,mesh,dev
$(VENV)/.docs: extras := docs
$(VENV)/.bench: extras := bench,app

$(VENV)/.app $(VENV)/.test $(VENV)/.docs $(VENV)/.bench: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "Installing jaxfric[$(extras)] into $(VENV) (the first time takes a few minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		-c constraints.txt -e '.[$(extras)]'
	@touch $@ $(if $(findstring app,$(extras)),$(VENV)/.app)

$(VENV)/.made:
	@for python in $(PYTHON) python3.11 python3; do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			"$$python" -m venv $(VENV) && touch $@; exit; \
		fi; \
	done; \
	echo "jaxfric needs Python 3.11 or newer, and neither python3.11 nor python3 is that." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	exit 1
