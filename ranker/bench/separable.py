"""Where the best slate can be known: random requests to users who take each item on its own, and an actor for them.

The actor is trained on requests of other seeds than those that it is judged on, of 10 to 50 candidates and slates of
5 to 10, by the recipe that ships. It is a checkpoint of its own, since it reads other features.
"""

# B batch, K utilities

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.config import ActorConfig, HypernetConfig, InputConfig, InputShape
from ranker.errors import ModelInvalid
from ranker.objective import Objective
from ranker.references.case import TRAITS, SeparableUsers, ragged_requests
from ranker.requests import Requests
from ranker.training.actor import train_actor
from ranker.training.config import ActorTraining
from ranker.training.journal import OnProgress, unseen
from ranker.training.lessons import ActorReport, Lessons
from ranker.utilities import default_utilities

FEWEST: Final = 10
MOST: Final = 50
"""Candidates of the requests that are trained on."""
SIZE: Final = 10
"""Slots of the longest slates."""
LESSONS: Final = 8_192
FIRST_SEED: Final = 1_000_000_000
"""Seeds from here on are for tests alone."""
STEPS: Final = 6_000
CASES: Final = "cases"
"""The folder beside a checkpoint in which the actor for these requests lies."""
FILE: Final = "actor.pt"

SHAPE: Final = InputShape(user=2, item=len(TRAITS), groups=3)
CONFIG: Final = ActorConfig(input=InputConfig(hidden=64), hidden=64, attention=64, hypernet=HypernetConfig(hidden=32))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparableObjective(Objective):
    """What slates are worth to `SeparableUsers`."""

    def _values(self, requests: Requests, slate_BSN: Tensor) -> Tensor:
        return self.utilities.values(slate_BSN, requests, SeparableUsers().predict(requests, slate_BSN))


def separable_objective() -> SeparableObjective:
    """Give the worth of slates over the seven utilities."""
    return SeparableObjective(utilities=default_utilities())


def separable_lessons(seed: int, count: int = LESSONS) -> Lessons:
    """Draw requests to train on.

    Raises:
        ValueError: If the seed is one of those for tests.
    """
    if not 0 <= seed < FIRST_SEED:
        raise ValueError(f"seeds of lessons lie in [0, {FIRST_SEED:,}), unlike {seed}")
    return Lessons(requests=ragged_requests(count, FEWEST, MOST, torch.Generator().manual_seed(seed)))


def separable_training(steps: int = STEPS, seed: int = 0) -> ActorTraining:
    """Give the recipe that ships, for these requests."""
    every = max(1, min(250, steps // 10))
    schedule = replace(ActorTraining().schedule, seed=seed, steps=steps, report_every=every)
    return replace(ActorTraining(), schedule=schedule, size=SIZE, hold_back=0.02)


def train_separable(
    training: ActorTraining, folder: Path, on_progress: OnProgress = unseen
) -> tuple[Actor, ActorReport]:
    """Train an actor on random requests; a run that was broken off goes on from its folder.

    Raises:
        TrainingFailed: If the run collapses or diverges.
    """
    lessons = separable_lessons(training.schedule.seed)
    return train_actor(lessons, SHAPE, CONFIG, training, separable_objective(), folder, on_progress)


def save_actor(actor: Actor, folder: Path) -> None:
    """Write the actor; a crash leaves an older one whole."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.new"
    torch.save({"shape": asdict(actor.shape), "config": asdict(actor.config), "actor": actor.state_dict()}, fresh)
    fresh.replace(folder / FILE)


def load_actor(folder: Path) -> Actor:
    """Read the actor.

    Raises:
        ModelInvalid: If the folder holds none for these requests.
    """
    try:
        return _built(torch.load(folder / FILE, weights_only=True))
    except (OSError, EOFError, KeyError, TypeError, RuntimeError, pickle.UnpicklingError) as error:
        hint = "train one: python benchmarks/ranker_optimum.py --train"
        raise ModelInvalid(f"{folder} holds no actor for separable requests: {error}", hint=hint) from error


def _built(whole: dict[str, Any]) -> Actor:
    config = whole["config"]
    parts = {"input": InputConfig(**config["input"]), "hypernet": HypernetConfig(**config["hypernet"])}
    shape = InputShape(**{**whole["shape"], "vocabularies": tuple(whole["shape"]["vocabularies"])})
    actor = Actor(shape, ActorConfig(**{**config, **parts}))
    actor.load_state_dict(whole["actor"])
    return actor.eval()
