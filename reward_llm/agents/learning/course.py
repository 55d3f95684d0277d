"""Training of a team in simulated markets.

weights drawn --> market --> run of the marketplace, actions sampled --> rollouts --> a teacher a kind
     ^                                                                                      |
     '----------------------------- state saved, journal written <--------------------------'
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ranker.training.journal import OnProgress, TrainingProgress, unseen
from ranker.training.run import Run
from reward_llm.agents.learning.checkpoint import Checkpoint
from reward_llm.agents.learning.config import MADDPGConfig, PPOConfig
from reward_llm.agents.learning.journal import LearningJournal
from reward_llm.agents.learning.minds import KINDS, Kind
from reward_llm.agents.learning.networks import Actor
from reward_llm.agents.learning.recording import RecordingMinds
from reward_llm.agents.learning.rewards import RewardConfig
from reward_llm.agents.learning.rollout import Rollout
from reward_llm.agents.learning.student import Student, sampled_weights
from reward_llm.agents.learning.team import TeamShape, new_teachers
from reward_llm.agents.market.config import MarketConfig, ScaleConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.outcomes import Outcomes
from reward_llm.agents.market.play import play
from reward_llm.agents.orchestrator.marketplace import MarketplaceConfig
from reward_llm.domain.weights import Weights

_SEEDS = 1_000_003
"""Markets of a course are numbered from its seed times this."""
_NUMBER = 2**31


def practice_market() -> MarketConfig:
    """A market for practice: the whole one made smaller, with fewer days and shorter visits."""
    scale = ScaleConfig(
        users=200,
        users_a_day=4.0,
        creators=40,
        sellers=15,
        items=250,
        items_a_day=8.0,
        pages=15,
        days=10,
        warm_up_days=3,
    )
    return MarketConfig(scale=scale)


def usual_weights() -> dict[str, float]:
    """The defaults of `home_feed`, around which weights are drawn."""
    return {
        "click": 0.25,
        "gmv": 0.20,
        "satisfaction": 0.15,
        "retention": 0.15,
        "diversity": 0.10,
        "cold_start": 0.10,
        "group_order": 0.05,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseConfig:
    """A course."""

    algorithm: PPOConfig | MADDPGConfig = field(default_factory=PPOConfig)
    marketplace: MarketplaceConfig = field(default_factory=MarketplaceConfig)
    market: MarketConfig = field(default_factory=practice_market)
    rewards: RewardConfig = field(default_factory=RewardConfig)
    rounds: int = 30
    """Times that the teachers teach."""
    markets: int = 1
    """Markets that are played a round, each of another seed and with other weights."""
    every: int = 3
    """Only users whose number it divides are learned from."""
    spread: float = 0.6
    """Of the weights' log-normal factors; 0 always takes the usual ones."""
    seed: int = 0
    """Fixes first parameters, weights, markets and samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One market that was played."""

    rollouts: dict[Kind, Rollout]
    outcomes: Outcomes


class Course:
    """Trains a team; goes on where its folder's last state was saved."""

    def __init__(self, config: CourseConfig) -> None:
        self._config = config
        self._shape = TeamShape(marketplace=config.marketplace, topics=config.market.scale.topics)
        self._teachers = new_teachers(self._shape, config.algorithm, config.seed)
        self._generator = torch.Generator().manual_seed(config.seed)

    @property
    def actors(self) -> dict[Kind, Actor]:
        """The actors as they are."""
        return {kind: teacher.actor for kind, teacher in self._teachers.items()}

    def go(self, folder: Path, on_progress: OnProgress = unseen) -> Checkpoint:
        """Train to the end, and save the team in the folder.

        Raises:
            ModelInvalid: If the folder holds a course of another config.
            TrainingFailed: If a gradient isn't finite; the last state stays in the folder.
        """
        config, run = self._config, Run(folder=folder, config=self._config)
        parts: dict[str, Any] = {str(kind): teacher for kind, teacher in self._teachers.items()}
        done = run.load(parts, self._generator).get("step", 0)
        journal = LearningJournal(folder, after_step=done)
        for step in range(done + 1, config.rounds + 1):
            figures = self._round(step)
            journal.write(step, figures)
            run.save(parts, self._generator, {"step": step})
            on_progress(TrainingProgress(name="agents", step=step, steps=config.rounds, figures=figures))
        journal.close()
        checkpoint = Checkpoint(shape=self._shape, actors=self.actors)
        checkpoint.save(folder)
        return checkpoint

    def lesson(self, seed: int) -> Lesson:
        """Play a market with the actors as they are."""
        config = self._config
        weights = sampled_weights(usual_weights(), config.spread, self._generator)
        market = Market(config.market, seed=seed, weights=partial(Weights, weights))
        student = Student(config.marketplace, self._minds(), config.rewards)
        outcomes = play(market, student, np.random.default_rng(seed))
        return Lesson(rollouts=student.rollouts(weights["retention"]), outcomes=outcomes)

    def _round(self, step: int) -> dict[str, float]:
        config = self._config
        first = (config.seed * _SEEDS + step * config.markets) % _NUMBER
        lessons = [self.lesson(first + place) for place in range(config.markets)]
        figures: dict[str, float] = {}
        for kind in KINDS:
            whole = Rollout.joined([lesson.rollouts[kind] for lesson in lessons])
            figures[f"{kind}/reward"] = whole.reward_TN[whole.present_TN].mean().item()
            learned = self._teachers[kind].learn(whole, self._generator)
            figures |= {f"{kind}/{name}": value for name, value in learned.items()}
        for name in ("satisfaction", "next_day_retention", "cold_start_success", "ctr", "gmv"):
            values = [getattr(lesson.outcomes, name) for lesson in lessons]
            figures[f"market/{name}"] = sum(values) / len(values)
        return figures

    def _minds(self) -> RecordingMinds:
        algorithm, every = self._config.algorithm, self._config.every
        if isinstance(algorithm, PPOConfig):
            return RecordingMinds(self.actors, self._generator, every=every)
        return RecordingMinds(self.actors, self._generator, every=every, bound=algorithm.bound, noise=algorithm.noise)
