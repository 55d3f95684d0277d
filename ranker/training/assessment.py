"""How good a checkpoint is on logged lists: its predictions beside what came, its slates beside other ones.

The rewards are the evaluator's: they say how well the actor finds what the evaluator holds to be good, and not what
users would do. How far the evaluator can be believed is what its own scores are for.

B requests, N slate, K utilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import torch
from torch import Tensor

from ranker.checkpoint import Checkpoint
from ranker.config import MAX_SLATE
from ranker.errors import LogInvalid
from ranker.objective import Objective
from ranker.requests import LoggedLists
from ranker.training.config import WeightRanges
from ranker.training.journal import OnProgress, TrainingProgress, unseen
from ranker.training.quality import EvaluatorReport, evaluator_report
from ranker.training.teacher import marginal_greedy_in_parts
from ranker.training.weights import draw_weights

DRAWN, EQUAL = "drawn", "equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentConfig:
    """What is assessed.

    Raises:
        ValueError: If a number is out of range.
    """

    size: int | None = None
    """Slots of the slates; without it, the median length of the logged lists."""
    lists: int = 128
    """Logged lists at most that slates are written for, again for every row of weights."""
    bins: int = 15
    """Of the calibration error."""
    seed: int = 0
    """Of the lists, and of the weights drawn."""

    def __post_init__(self) -> None:
        if self.lists < 1 or self.bins < 1 or not (self.size is None or 1 <= self.size <= MAX_SLATE):
            raise ValueError(f"lists and bins are at least 1, a size is 1 to {MAX_SLATE}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorScores:
    """Mean rewards R_w of the slates of one kind of weights, all for the same requests."""

    weights: str
    """`drawn`: others for every request, uniform on the simplex; `equal`; or the utility that has all the weight."""
    actor: float
    greedy: float
    """Of marginal-gain greedy lists, which ask the evaluator for every candidate of every slot."""
    logged: float
    """Of what was shown."""
    better_than_logged: float
    """Share of requests."""
    at_least_greedy: float
    """Share of requests, with a tolerance of float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What a checkpoint can do."""

    size: int
    actor_lists: int
    """Requests of every row of `actor`."""
    evaluator: EvaluatorReport
    actor: tuple[ActorScores, ...]


def assess(
    checkpoint: Checkpoint, log: pa.Table, config: AssessmentConfig | None = None, on_progress: OnProgress = unseen
) -> Assessment:
    """Hold a checkpoint against a log that it wasn't trained on.

    Raises:
        LogInvalid: If it isn't a list-wise log, or all its lists are shorter than the slates asked for.
        FeatureSpecInvalid: If it lacks a column of the checkpoint's features.
        ValueOutOfRange: If its lists are longer than the evaluator's, or have too many candidates.
    """
    config = config or AssessmentConfig()
    lists = checkpoint.features.lists(log)
    size = config.size or usual_size(lists)
    chosen = _chosen(lists, size, config)
    rows = list(_weights(checkpoint.utilities, chosen.B, config.seed))
    scores = []
    for done, (name, weights_BK) in enumerate(rows, start=1):
        scores.append(_scores(checkpoint, chosen, size, name, weights_BK))
        on_progress(TrainingProgress(name="assessment", step=done, steps=len(rows), figures={}))
    return Assessment(
        size=size,
        actor_lists=chosen.B,
        evaluator=evaluator_report(checkpoint.evaluator, lists, config.bins),
        actor=tuple(scores),
    )


def usual_size(lists: LoggedLists) -> int:
    """The median length of the lists."""
    return int(lists.filled_BN.sum(-1).median())


def _chosen(lists: LoggedLists, size: int, config: AssessmentConfig) -> LoggedLists:
    """Some lists of at least so many items, or all of them."""
    (long,) = torch.where(lists.filled_BN.sum(-1) >= size)
    if not len(long):
        raise LogInvalid(f"no list of the log has {size} items", hint="assess shorter slates")
    order = torch.randperm(len(long), generator=torch.Generator().manual_seed(config.seed))
    return lists.select(long[order[: config.lists].sort().values])


def _weights(utilities: tuple[str, ...], batch: int, seed: int) -> Iterator[tuple[str, Tensor]]:
    count = len(utilities)
    uniform = WeightRanges(concentration=1.0, corner_share=0.0)
    yield DRAWN, draw_weights(uniform, batch, count, torch.Generator().manual_seed(seed))
    yield EQUAL, torch.full((batch, count), 1 / count)
    for name, corner_K in zip(utilities, torch.eye(count), strict=True):
        yield name, corner_K.expand(batch, -1)


def _scores(checkpoint: Checkpoint, lists: LoggedLists, size: int, name: str, weights_BK: Tensor) -> ActorScores:
    requests, objective = lists.requests, checkpoint.objective()
    own_B = _reward(objective, lists, weights_BK, checkpoint.actor.greedy(requests, weights_BK, size))
    greedy_BN = marginal_greedy_in_parts(objective, requests, weights_BK, size)
    greedy_B = _reward(objective, lists, weights_BK, greedy_BN)
    logged_B = _reward(objective, lists, weights_BK, lists.shown_BN[:, :size])
    tolerance = torch.finfo(torch.float32).eps * 8
    return ActorScores(
        weights=name,
        actor=own_B.mean().item(),
        greedy=greedy_B.mean().item(),
        logged=logged_B.mean().item(),
        better_than_logged=(own_B > logged_B + tolerance).float().mean().item(),
        at_least_greedy=(own_B >= greedy_B - tolerance).float().mean().item(),
    )


def _reward(objective: Objective, lists: LoggedLists, weights_BK: Tensor, slate_BN: Tensor) -> Tensor:
    return objective.reward(lists.requests, weights_BK, slate_BN.unsqueeze(1)).squeeze(1)
