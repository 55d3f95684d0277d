from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import torch

from ranker.actor import Actor
from ranker.checkpoint import SAMPLE, Checkpoint, input_shape
from ranker.config import EvaluatorConfig, InputConfig
from ranker.data import GeneratorConfig, generated_log, write_log
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder, shipped_spec
from ranker.utilities import UTILITY_NAMES
from tests.api.conftest import empty_database, setup  # noqa: F401 - fixtures
from tests.ranker.model.cases import SMALL


@pytest.fixture(autouse=True, scope="package")
def one_thread() -> Iterator[None]:
    """Tensors this small are slower on two threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def logged() -> pa.Table:
    """A generated log of few short lists."""
    return generated_log(GeneratorConfig(lists=40, size=6, fewest_candidates=12, most_candidates=18))


@pytest.fixture(scope="session")
def untrained(logged: pa.Table) -> Checkpoint:
    """Small networks that never learned anything, for the features of the log."""
    features = FeatureEncoder.fit(shipped_spec(), logged)
    shape = input_shape(features, UTILITY_NAMES)
    torch.manual_seed(0)
    config = EvaluatorConfig(input=InputConfig(hidden=8), channel=8, heads=2)
    return Checkpoint(
        actor=Actor(shape, SMALL).eval(),
        evaluator=Evaluator(shape, config).frozen(),
        utilities=UTILITY_NAMES,
        features=features,
    )


@pytest.fixture(scope="session")
def folder(untrained: Checkpoint, logged: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The networks and the log as training leaves them."""
    folder = tmp_path_factory.mktemp("ranker") / "checkpoint"
    untrained.save(folder)
    write_log(logged, folder / SAMPLE)
    return folder
