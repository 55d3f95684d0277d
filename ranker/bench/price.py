"""What one model for all weights costs: beside it, an actor trained for each of some fixed weights."""

# B requests, K utilities, V weights

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.bench.ground import Ground, greedy_reward, held_reward
from ranker.bench.optimum import spread_weights
from ranker.training.actor import train_actor
from ranker.training.config import ActorTraining, WeightRanges
from ranker.training.journal import OnProgress, unseen


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """At one weight vector, the mean rewards over the requests held back."""

    weights: tuple[float, ...]
    one_for_all: float
    own: float
    """Of the actor that was trained for these weights alone."""
    greedy: float

    @property
    def loss(self) -> float:
        """What the one model loses, as a share; negative where it is better."""
        return 1 - self.one_for_all / self.own


def fixed_weights(count: int, utilities: int, seed: int) -> Tensor:
    """Give `weights_VK`: half of them drawn uniformly, the others corners, in the utilities' order."""
    corners = min(count // 2, utilities)
    weights_VK, _ = spread_weights(count - corners, 1, utilities, seed)
    return weights_VK[:count]


def only(weights_K: Tensor) -> WeightRanges:
    """Give ranges that hold one weight vector."""
    pairs = tuple((weight, weight) for weight in weights_K.tolist())
    return WeightRanges(ranges=pairs, range_share=1.0, corner_share=0.0)


def price(
    actor: Actor,
    ground: Ground,
    weights_K: Tensor,
    training: ActorTraining,
    folder: Path,
    on_progress: OnProgress = unseen,
) -> Price:
    """Train an actor for these weights alone, and hold the one for all weights against it.

    Raises:
        TrainingFailed: If the run diverges.
    """
    # One slate for unlike weights is no collapse here: there is only one weight vector.
    health = replace(training.health, distinct_slates=0.0)
    told = replace(ground.training(training), weights=only(weights_K), health=health)
    own, _ = train_actor(ground.lessons, ground.shape, ground.actor, told, ground.objective, folder, on_progress)
    requests = ground.held.requests
    weights_BK = weights_K.expand(requests.B, -1)

    def mean(one: Actor) -> float:
        return held_reward(ground, weights_BK, one.greedy(requests, weights_BK, ground.size)).mean().item()

    return Price(
        weights=tuple(weights_K.tolist()),
        one_for_all=mean(actor),
        own=mean(own),
        greedy=greedy_reward(ground, weights_BK).mean().item(),
    )


def worst(prices: tuple[Price, ...]) -> float:
    """Give the largest loss."""
    return float(torch.tensor([one.loss for one in prices]).max())
