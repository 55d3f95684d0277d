# `make demo` shows the main job, `make test` tests all of it; both install what they need into .venv.

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Where PyTorch's CPU build lies, for machines whose package index only has the CUDA one:
# make demo PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_ARGS ?=
# vLLM has an environment of its own: its pins collide with everybody else's. `cpu` or `gpu`.
VLLM_BUILD ?= cpu
VLLM_VENV  := .venv-vllm
VLLM_STAMP := $(VLLM_VENV)/.installed-$(VLLM_BUILD)
# Broken or unused beside the CPU build of torch.
VLLM_DROP_cpu := torchvision torchaudio torchcodec triton

.PHONY: demo vllm-env test lint format schemas constraints clean

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## two goals become served weights
	$(BIN)/python examples/demo.py

vllm-env: $(VLLM_STAMP)  ## what `reward-llm model serve` starts

$(VLLM_STAMP): deploy/vllm/requirements-$(VLLM_BUILD).txt
	$(PYTHON) -m venv --clear $(VLLM_VENV)
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -r $<
	$(if $(VLLM_DROP_$(VLLM_BUILD)),$(VLLM_VENV)/bin/pip uninstall --quiet --yes $(VLLM_DROP_$(VLLM_BUILD)))
	@touch $@

test: lint  ## linters, types, import rules and every test
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schemas: $(STAMP)  ## write schemas/ from the domain
	$(BIN)/python -m reward_llm.validation.publish

constraints: $(STAMP)  ## pin what is installed now
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt

clean:
	rm -rf $(VENV) $(VLLM_VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
