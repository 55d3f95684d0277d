from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from ranker.scorer import Scorer, ScorerConfig
from ranker.scorer.library import COMPILERS
from tests.ranker.scorer.cases import networks

FEW = {"samples": 2, "greedy_positions": 60, "sweep_positions": 150}
"""Bounds so low that small requests reach them."""


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Tensors this small are slower on two threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the compiled path is kept for the length of the run."""
    if not any(map(shutil.which, COMPILERS)):
        pytest.skip("there is no C++ compiler")
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture(scope="session")
def compiled(kernels: Path) -> Scorer:
    scorer = Scorer(*networks(), config=ScorerConfig(cache=kernels, **FEW))
    assert scorer.path == "compiled", scorer.eager_reason
    return scorer


@pytest.fixture(scope="session")
def eager() -> Scorer:
    return Scorer(*networks(), config=ScorerConfig(compiled=False, **FEW))
