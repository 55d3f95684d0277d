"""Training and assessment of re-rankers, for the command line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa

from ranker import errors as theirs
from ranker.checkpoint import SAMPLE, Checkpoint, shipped_checkpoint
from ranker.data import GeneratorConfig, generated_log, movielens_log, read_log, trivago_log, write_log
from ranker.features import FeatureSpec, drafted_spec, shipped_spec
from ranker.training.assessment import Assessment, AssessmentConfig, assess
from ranker.training.assessment_page import assessment_page
from ranker.training.card import prediction_rows, slate_row
from ranker.training.journal import progress_bar
from ranker.training.pace import Steps
from ranker.training.pipeline import run_folder, train
from ranker.training.recipe import PipelineConfig
from ranker.training.report import PipelineReport, document
from ranker.utilities import UTILITY_NAMES
from reward_llm.errors import ConfigurationInvalid, InvalidInput, RewardLLMError

DEFAULT_LISTS: Final = 10_000
"""Of a generated log."""
Source = Literal["trivago", "movielens"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOrder:
    """What somebody asks a training for; None leaves the choice to the recipe."""

    out: Path
    log: Path | None = None
    """Without it, a log is generated."""
    lists: int = DEFAULT_LISTS
    """Of the generated log."""
    spec: Path | None = None
    """Without it, the spec for generated logs."""
    minutes: float | None = None
    steps: int | None = None
    evaluator_steps: int | None = None
    seed: int = 0
    size: int | None = None
    utilities: tuple[str, ...] = UTILITY_NAMES
    gap_hours: float | None = None
    resume: bool = True

    def config(self) -> PipelineConfig:
        """The whole recipe."""
        config = PipelineConfig(
            seed=self.seed,
            minutes=self.minutes,
            size=self.size,
            utilities=self.utilities,
            gap_s=None if self.gap_hours is None else round(3_600 * self.gap_hours),
        )
        steps = Steps(
            evaluator=self.evaluator_steps or config.evaluator_training.schedule.steps,
            actor=self.steps or config.actor_training.schedule.steps,
        )
        return config if self.minutes is not None else config.for_steps(steps)


def train_ranker(order: TrainingOrder) -> PipelineReport:
    """Train a re-ranker, with bars on standard error.

    Raises:
        InvalidInput: If the log, the spec or a number can't be used.
        ConfigurationInvalid: If the generator isn't installed.
        RewardLLMError: If training fails.
    """
    with _translated():
        if order.minutes is not None and (order.steps or order.evaluator_steps):
            raise InvalidInput("--minutes and a number of steps exclude each other", hint="leave one out")
        log, source = _log(order)
        spec, config = FeatureSpec.load(order.spec) if order.spec else shipped_spec(), order.config()
        if not order.resume:
            shutil.rmtree(run_folder(order.out, log, spec, config), ignore_errors=True)
        with progress_bar() as show:
            return train(log, spec, config, order.out, show, source=source)


def assess_ranker(folder: Path | None, log: Path | None, config: AssessmentConfig) -> Assessment:
    """Hold a checkpoint against a log, with a bar on standard error; without either, what ships.

    Raises:
        InvalidInput: If the checkpoint or the log can't be used.
    """
    folder = folder or shipped_checkpoint()
    with _translated(), progress_bar() as show:
        return assess(Checkpoint.load(folder), read_log(log or folder / SAMPLE), config, show)


def generate_log(out: Path, *, lists: int, size: int, seed: int) -> int:
    """Write a generated log and give its number of lists.

    Raises:
        InvalidInput: If a number is out of range, or the file can't be written.
        ConfigurationInvalid: If the generator isn't installed.
    """
    with _translated():
        config = GeneratorConfig(lists=lists, size=size, seed=seed)
        return _written(generated_log(config, progress=True), out)


def convert_log(source: Source, path: Path, out: Path) -> int:
    """Write a public data set as a log and give its number of lists.

    Raises:
        InvalidInput: If it isn't the data set, or the file can't be written.
    """
    with _translated():
        return _written(trivago_log(path) if source == "trivago" else movielens_log(path), out)


def draft_spec(log: Path) -> str:
    """A first feature spec for a log, in YAML.

    Raises:
        InvalidInput: If it isn't a log.
    """
    with _translated():
        return drafted_spec(read_log(log))


def _log(order: TrainingOrder) -> tuple[pa.Table, str]:
    if order.log is not None:
        return read_log(order.log), f"`{order.log.name}`"
    config = replace(GeneratorConfig(), lists=order.lists, seed=order.seed, size=order.size or GeneratorConfig().size)
    return generated_log(config, progress=True), "A generated log (`ranker.data.generator`)"


def _written(log: pa.Table, out: Path) -> int:
    write_log(log, out)
    return int(log.num_rows)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except theirs.DependencyMissing as exc:
        raise ConfigurationInvalid(exc.message, hint=exc.hint) from exc
    except theirs.TrainingFailed as exc:
        raise RewardLLMError(exc.message, hint=exc.hint) from exc
    except theirs.RankerError as exc:
        raise InvalidInput(exc.message, hint=exc.hint) from exc
    except (ValueError, OSError) as exc:
        raise InvalidInput(str(exc)) from exc


__all__ = [
    "DEFAULT_LISTS",
    "Assessment",
    "AssessmentConfig",
    "PipelineReport",
    "TrainingOrder",
    "assess_ranker",
    "assessment_page",
    "convert_log",
    "document",
    "draft_spec",
    "generate_log",
    "prediction_rows",
    "slate_row",
    "train_ranker",
]
