"""From a log to a checkpoint.

log --(time)--> earlier --> features fitted --> evaluator trained, frozen --> actor trained --.
            '--> later --------------------------------> sample, scores ----------------------+--> folder

The folder gets the checkpoint (`ranker.checkpoint`), `report.json`, the model card `README.md`, `sample.parquet`, the
lines of both runs (`evaluator.csv`, `actor.csv`) and their curves (`curves.html`). While it goes on, `run-…` holds
where it stands; the name is made of the log, the spec and the config, so that another of these is another run.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import torch

from ranker.checkpoint import CARD, REPORT, SAMPLE, Checkpoint, input_shape
from ranker.config import InputShape
from ranker.data import check_log, split_by_time, write_log
from ranker.data.ragged import lengths
from ranker.errors import LogInvalid
from ranker.features import FeatureEncoder, FeatureSpec
from ranker.objective import Objective
from ranker.requests import LoggedLists
from ranker.training.actor import train_actor
from ranker.training.assessment import assess, usual_size
from ranker.training.card import model_card
from ranker.training.curves import curves_page
from ranker.training.evaluator import train_evaluator
from ranker.training.journal import OnProgress, read_journal, unseen
from ranker.training.lessons import Lessons
from ranker.training.pace import Clock, Steps, actor_pace, evaluator_pace, most_evaluator_steps, steps_in
from ranker.training.ranges import fitted_ranges
from ranker.training.recipe import PipelineConfig
from ranker.training.report import LogFacts, PipelineReport, as_json
from ranker.training.run import reached
from ranker.utilities import UtilityRegistry, default_utilities, stretched

DAY_S: Final = 86_400
FEWEST_LISTS: Final = 100
"""Lists that training and scores need at least."""
CURVES: Final = "curves.html"
PLAN: Final = "plan.json"
NETWORKS: Final = ("evaluator", "actor")
LOG: Final = "log.csv"

_ROWS_AT_ONCE: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What is trained on, and what isn't."""

    features: FeatureEncoder
    lists: LoggedLists
    later: pa.Table
    shape: InputShape
    facts: LogFacts


@dataclass(slots=True)
class _Stopwatch:
    clock: Clock
    elapsed_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = self.clock()
        yield
        self.elapsed_s[stage] = self.clock() - began


def train(
    log: pa.Table,
    spec: FeatureSpec,
    config: PipelineConfig,
    folder: Path,
    on_progress: OnProgress = unseen,
    *,
    source: str = "",
    clock: Clock = time.perf_counter,
) -> PipelineReport:
    """Train a checkpoint; a run that was broken off goes on from its folder.

    Raises:
        LogInvalid: If it isn't a list-wise log, or has too few lists.
        FeatureSpecInvalid: If it lacks a column of the spec.
        UtilityUnknown: If a utility isn't known.
        ValueOutOfRange: If its lists are too long or have too many candidates.
        TrainingFailed: If a network collapses or diverges.
    """
    utilities = default_utilities().only(config.utilities)
    log = check_log(log)
    material, watch = _material(log, spec, config, source), _Stopwatch(clock)
    run = run_folder(folder, log, spec, config)
    resumed_at = {name: reached(run / name) for name in NETWORKS}
    config = config.for_size(config.size or usual_size(material.lists))
    with watch("timing"):
        config = _planned(run, material, config, utilities, clock)
    with watch("evaluator"):
        evaluator, evaluator_report = train_evaluator(
            *(material.lists, material.shape, config.evaluator, config.evaluator_training),
            *(run / "evaluator", on_progress),
        )
    lessons = Lessons(requests=material.lists.requests, shown_BN=material.lists.shown_BN)
    with watch("ranges"):
        ranges = _ranges(Objective(utilities=utilities, evaluator=evaluator), lessons, config)
    with watch("actor"):
        actor, actor_report = train_actor(
            lessons,
            *(material.shape, config.actor, config.actor_training),
            Objective(utilities=stretched(utilities, ranges), evaluator=evaluator),
            *(run / "actor", on_progress),
        )
    checkpoint = Checkpoint(
        actor=actor, evaluator=evaluator, utilities=config.utilities, features=material.features, ranges=ranges
    )
    with watch("assessment"):
        assessment = assess(checkpoint, material.later, config.assessment, on_progress)
    report = PipelineReport(
        config=config,
        log=material.facts,
        resumed_at=resumed_at,
        ranges=ranges,
        parameters={"evaluator": _parameters(evaluator), "actor": _parameters(actor)},
        elapsed_s=watch.elapsed_s,
        evaluator=evaluator_report,
        actor=actor_report,
        assessment=assessment,
    )
    _write(folder, checkpoint, report, _sample(material.later, config), run)
    return report


def run_folder(folder: Path, log: pa.Table, spec: FeatureSpec, config: PipelineConfig) -> Path:
    """Where a run keeps its state: the same for the same log, spec and config."""
    digest = sha256(f"{spec.model_dump_json()}{config!r}".encode())
    for batch in log.to_batches(_ROWS_AT_ONCE):
        digest.update(batch.serialize())
    return folder / f"run-{digest.hexdigest()[:12]}"


def _material(log: pa.Table, spec: FeatureSpec, config: PipelineConfig, source: str) -> _Material:
    if log.num_rows < FEWEST_LISTS:
        raise LogInvalid(f"the log has {log.num_rows} lists", hint=f"training needs {FEWEST_LISTS}, and likes 10,000")
    knows_returns = pc.any(log.column("returned")).as_py()
    gap_s = config.gap_s if config.gap_s is not None else DAY_S * knows_returns
    earlier, later = split_by_time(log, (1 - config.test_share, config.test_share), gap_s=gap_s)
    features = FeatureEncoder.fit(spec, earlier)
    times = pc.min_max(log.column("timestamp")).as_py()
    facts = LogFacts(
        source=source,
        trained=earlier.num_rows,
        assessed=later.num_rows,
        candidates=float(lengths(log.column("item_id")).mean()),
        first=times["min"],
        last=times["max"],
        knows_examination="propensity" in log.column_names,
    )
    return _Material(
        features=features,
        lists=features.lists(earlier),
        later=later,
        shape=input_shape(features, config.utilities),
        facts=facts,
    )


def _planned(
    run: Path,
    material: _Material,
    config: PipelineConfig,
    utilities: UtilityRegistry,
    clock: Clock,
) -> PipelineConfig:
    """The config with the steps that fit into its time, kept once the first start of a run has found them."""
    if config.minutes is None:
        return config
    plan = run / PLAN
    if plan.is_file():
        return config.for_steps(Steps(**json.loads(plan.read_text(encoding="utf-8"))))
    evaluator = evaluator_pace(material.lists, material.shape, config.evaluator, config.evaluator_training, clock)
    actor = actor_pace(
        *(material.lists, material.shape, (config.actor, config.evaluator)),
        *(config.actor_training, utilities, clock),
    )
    most = most_evaluator_steps(material.lists.B, config.evaluator_training)
    steps = steps_in(config.minutes, evaluator, actor, most_evaluator=most)
    run.mkdir(parents=True, exist_ok=True)
    fresh = plan.with_suffix(".new")
    fresh.write_text(json.dumps(asdict(steps)), encoding="utf-8")
    fresh.replace(plan)
    return config.for_steps(steps)


def _ranges(objective: Objective, lessons: Lessons, config: PipelineConfig) -> dict[str, tuple[float, float]]:
    size = config.actor_training.size
    return fitted_ranges(objective, lessons, size, requests=config.range_requests, seed=config.seed)


def _sample(later: pa.Table, config: PipelineConfig) -> pa.Table:
    """Some lists of the later part, in the order of time."""
    order = torch.randperm(later.num_rows, generator=torch.Generator().manual_seed(config.seed))
    return later.take(pa.array(order[: config.sample].sort().values.numpy()))


def _write(folder: Path, checkpoint: Checkpoint, report: PipelineReport, sample: pa.Table, run: Path) -> None:
    """Put everything into the folder, and the state of the run away."""
    checkpoint.save(folder)
    write_log(sample, folder / SAMPLE)
    for name in NETWORKS:
        shutil.copyfile(run / name / LOG, folder / f"{name}.csv")
    journals = {name: read_journal(folder / f"{name}.csv") for name in NETWORKS}
    (folder / CURVES).write_text(curves_page(journals), encoding="utf-8")
    (folder / CARD).write_text(model_card(report), encoding="utf-8")
    (folder / REPORT).write_text(as_json(report), encoding="utf-8")
    shutil.rmtree(run)


def _parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
