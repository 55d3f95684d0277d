"""What actors are trained and judged on: random requests in closed form, or a log and a checkpoint's evaluator."""

# B requests

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.bench.separable import (
    CONFIG,
    FIRST_SEED,
    MOST,
    SHAPE,
    SIZE,
    separable_lessons,
    separable_objective,
)
from ranker.checkpoint import Checkpoint
from ranker.config import ActorConfig, InputShape
from ranker.data import split_by_time
from ranker.objective import Objective
from ranker.references.case import random_requests
from ranker.requests import Requests
from ranker.training.config import ActorTraining
from ranker.training.lessons import Lessons
from ranker.training.teacher import marginal_greedy_in_parts

HELD: Final = 0.15
"""Share of a log, the latest, that actors are judged on."""
GREEDY_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Lessons, requests that aren't among them, and what slates are worth."""

    name: str
    lessons: Lessons
    held: Lessons
    shape: InputShape
    actor: ActorConfig
    objective: Objective
    size: int

    def training(self, training: ActorTraining) -> ActorTraining:
        """Give a training for slates of the size here."""
        return replace(training, size=self.size)


def separable_ground(held: int, seed: int = 0) -> Ground:
    """Give random requests whose rewards are known in closed form."""
    requests = random_requests(held, MOST, torch.Generator().manual_seed(FIRST_SEED + seed))
    return Ground(
        name="separable requests",
        lessons=separable_lessons(seed),
        held=Lessons(requests=requests),
        shape=SHAPE,
        actor=CONFIG,
        objective=separable_objective(),
        size=SIZE,
    )


def learned_ground(checkpoint: Checkpoint, log: pa.Table, held: int, size: int = SIZE, seed: int = 0) -> Ground:
    """Give a log's requests and a checkpoint's evaluator; the latest lists are held back.

    Raises:
        LogInvalid: If it isn't a log that can be split.
    """
    earlier, later = split_by_time(log, (1 - HELD, HELD))
    lists, later_lists = checkpoint.features.lists(earlier), checkpoint.features.lists(later)
    chosen = torch.randperm(later_lists.B, generator=torch.Generator().manual_seed(seed))[:held]
    return Ground(
        name="a log and an evaluator",
        lessons=Lessons(requests=lists.requests, shown_BN=lists.shown_BN),
        held=Lessons(requests=later_lists.requests.select(chosen), shown_BN=later_lists.shown_BN[chosen]),
        shape=checkpoint.actor.shape,
        actor=checkpoint.actor.config,
        objective=checkpoint.objective(),
        size=size,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """How good an actor's greedy slates are."""

    reward: float
    of_greedy: float
    """The mean reward over that of marginal-gain greedy."""
    at_least_greedy: float
    """Share of the requests."""


def judged(actor: Actor, ground: Ground, weights_BK: Tensor, greedy_B: Tensor) -> Judged:
    """Judge an actor on the requests held back, at these weights."""
    reward_B = held_reward(ground, weights_BK, actor.greedy(ground.held.requests, weights_BK, ground.size))
    return Judged(
        reward=reward_B.mean().item(),
        of_greedy=(reward_B.mean() / greedy_B.mean()).item(),
        at_least_greedy=(reward_B >= greedy_B - GREEDY_TOLERANCE).float().mean().item(),
    )


def greedy_reward(ground: Ground, weights_BK: Tensor) -> Tensor:
    """Give the rewards of marginal-gain greedy on the requests held back, as `reward_B`."""
    requests = ground.held.requests
    return held_reward(
        ground, weights_BK, marginal_greedy_in_parts(ground.objective, requests, weights_BK, ground.size)
    )


def held_reward(ground: Ground, weights_BK: Tensor, slate_BN: Tensor) -> Tensor:
    """Give the rewards of slates of the requests held back, as `reward_B`."""
    requests: Requests = ground.held.requests
    return ground.objective.reward(requests, weights_BK, slate_BN.unsqueeze(1)).squeeze(1)
