"""The whole bench of a checkpoint."""

# B requests, K utilities

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ranker.bench.control import Sweep, control
from ranker.bench.latency import Latency, first_candidates, latency
from ranker.bench.optimum import Optimum, Rank, Trials, optimum, spread_weights
from ranker.bench.problem import Effort
from ranker.bench.separable import CASES, FIRST_SEED, load_actor, separable_objective
from ranker.checkpoint import SAMPLE
from ranker.data import read_log
from ranker.errors import CandidatesMissing, LogInvalid, ModelInvalid
from ranker.references.case import random_requests
from ranker.requests import Requests
from ranker.rules import Rules
from ranker.scorer import Scorer, ScorerConfig
from ranker.training.journal import OnProgress, unseen

SMALL: Final = (10, 5)
LARGE: Final = (50, 10)
"""Candidates and slots of the requests in closed form, and of those that are timed."""
UNRULED: Final = Rules(())
"""The searches know no rules, so that the scorer is held against them without its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchConfig:
    """How much is done."""

    small: tuple[int, int] = (100, 10)
    """Requests of 10 candidates: with weights drawn, and rounds of all corners."""
    large: tuple[int, int] = (60, 6)
    """The same of 50 candidates."""
    learned: tuple[int, int] = (40, 3)
    """The same of logged requests, by the evaluator."""
    effort: Effort = field(default_factory=lambda: Effort(beam=512, cp_sat_s=10.0))
    """To find the best slate, in closed form."""
    learned_effort: Effort = field(default_factory=lambda: Effort(beam=512))
    sweep: int = 200
    """Logged requests at most that weights are swept on."""
    calls: int = 2_000
    """Timed calls."""
    seed: int = 0


QUICK: Final = BenchConfig(
    small=(14, 1),
    large=(14, 1),
    learned=(5, 1),
    effort=Effort(),
    learned_effort=Effort(),
    sweep=48,
    calls=300,
)
"""Some tens of seconds on an idle core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchReport:
    """What was found."""

    checkpoint: str
    optimum: tuple[Optimum, ...]
    control: tuple[Sweep, ...]
    latency: Latency | None
    """None where no logged request has candidates enough."""
    missing: tuple[str, ...]
    """What could not be looked at, and why."""

    def document(self) -> dict[str, Any]:
        """Give it for JSON."""
        return asdict(self)


def bench(
    folder: Path, config: BenchConfig, log: Path | None = None, on_progress: OnProgress = unseen
) -> BenchReport:
    """Hold a checkpoint against the best slates, sweep its weights, time it.

    Args:
        folder: Of the checkpoint.
        config: How much is done.
        log: Lists that nothing was fitted to; the checkpoint's own sample without it.
        on_progress: Told of every step.

    Raises:
        ModelInvalid: If the folder holds no checkpoint.
        LogInvalid: If the log isn't one.
    """
    scorer = Scorer.load(folder, rules=UNRULED)
    requests, size = benched_requests(scorer, log or folder / SAMPLE)
    missing = []
    tables: tuple[Optimum, ...] = ()
    try:
        tables = separable_tables(folder / CASES, config, on_progress)
    except ModelInvalid as error:
        missing.append(f"optimum in closed form: {error.message}")
    tables += (learned_table(scorer, requests, size, config, on_progress),)
    swept = requests.select(slice(0, config.sweep))
    sweeps = control(scorer.greedy, scorer.objective, swept, size, on_progress=on_progress)
    timed = None
    try:
        timed = _timed(Scorer.load(folder), requests, size, config)
    except CandidatesMissing as error:
        missing.append(f"latency: {error.message}")
    return BenchReport(checkpoint=str(folder), optimum=tables, control=sweeps, latency=timed, missing=tuple(missing))


def benched_requests(scorer: Scorer, log: Path) -> tuple[Requests, int]:
    """Give the requests of a log that slates of the bench's size can be written for, and the size.

    Raises:
        LogInvalid: If it isn't a log, or has none.
    """
    requests = scorer.features.requests(read_log(log))
    size = min(LARGE[1], scorer.largest_slate or LARGE[1])
    requests = requests.select(requests.allowed_BM.sum(1) >= size)
    if not requests.B:
        raise LogInvalid(f"no list of the log has {size} candidates", hint="name another with --log")
    return requests, size


def separable_tables(folder: Path, config: BenchConfig, on_progress: OnProgress = unseen) -> tuple[Optimum, ...]:
    """Give the tables of requests in closed form, for the actor in the folder.

    Raises:
        ModelInvalid: If there is none.
    """
    actor, objective = load_actor(folder), separable_objective()
    # The evaluator that the kernels know isn't asked here, so that PyTorch does it all.
    rankers = ranks(Scorer(actor, objective, config=replace(ScorerConfig(), compiled=False), rules=UNRULED))
    tables = []
    for (candidates, size), (drawn, rounds) in ((SMALL, config.small), (LARGE, config.large)):
        weights_BK, kinds = spread_weights(drawn, rounds, len(objective.utilities), config.seed)
        generator = torch.Generator().manual_seed(FIRST_SEED + config.seed)
        trials = Trials(
            requests=random_requests(len(kinds), candidates, generator),
            weights_BK=weights_BK,
            kinds=kinds,
            size=size,
            objective=objective,
        )
        name = f"optimum {candidates} → {size}"
        tables.append(optimum(name, trials, rankers, config.effort, on_progress))
    return tuple(tables)


def learned_table(
    scorer: Scorer, requests: Requests, size: int, config: BenchConfig, on_progress: OnProgress = unseen
) -> Optimum:
    """Give the table of logged requests by the scorer's evaluator."""
    weights_BK, kinds = spread_weights(*config.learned, len(scorer.utilities), config.seed)
    trials = Trials(
        requests=_cycled(requests, len(kinds)),
        weights_BK=weights_BK,
        kinds=kinds,
        size=size,
        objective=scorer.objective,
    )
    return optimum("optimum by the evaluator", trials, ranks(scorer), config.learned_effort, on_progress)


def ranks(scorer: Scorer) -> dict[str, Rank]:
    """Give the actor alone and the whole path, as contestants."""

    def full(requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
        return scorer.rank(requests, weights_BK, size).slate_BN

    return {"actor": scorer.greedy, "scorer": full}


def _timed(scorer: Scorer, requests: Requests, size: int, config: BenchConfig) -> Latency:
    candidates = LARGE[0] if int(requests.valid_BM.sum(1).max()) >= LARGE[0] else size
    wide = first_candidates(requests, candidates)
    weights_BK, _ = spread_weights(wide.B, 0, len(scorer.utilities), config.seed)
    return latency(scorer, wide, weights_BK, size, calls=config.calls)


def _cycled(requests: Requests, count: int) -> Requests:
    return requests.select([row % requests.B for row in range(count)])
