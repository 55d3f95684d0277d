"""How near to the best slate rankers and plain searches come."""

# B problems, K utilities

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.bench.problem import GREEDY, Effort, Problem, best_known, plain_searches
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.training.config import WeightRanges
from ranker.training.journal import OnProgress, TrainingProgress, unseen
from ranker.training.weights import draw_weights

Rank = Callable[[Requests, Tensor, int], Tensor]
"""Gives slate_BN for requests, weights_BK and a size."""

TOLERANCE: Final = 1e-6
"""Rewards that differ less are equal: they are float32."""
DRAWN: Final = "dirichlet"
CORNERS: Final = "corners"
ALL: Final = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Rewards as shares of the best ones, over some problems."""

    mean: float
    p5: float
    """The share that 95 % of the problems reach."""
    least: float
    at_least_greedy: float
    """Share of the problems in which the reward is that of marginal-gain greedy, or more."""
    above_greedy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One way to rank."""

    name: str
    over: Mapping[str, Share]
    """By the kind of weights: drawn uniformly from the simplex, its corners, all of them."""
    seconds: float | None
    """Mean time a problem of a search; None for what is timed elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """A table of contestants."""

    name: str
    candidates: int
    """Of the largest request."""
    size: int
    problems: int
    best_by: str
    """Where the best slates come from."""
    contestants: tuple[Contestant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Requests and the weights that each is ranked for."""

    requests: Requests
    weights_BK: Tensor
    kinds: tuple[str, ...]
    """Of the weights."""
    size: int
    objective: Objective

    def problems(self) -> list[Problem]:
        """Give one a request."""
        return [
            Problem(
                requests=self.requests.select([row]),
                weights_K=self.weights_BK[row],
                size=self.size,
                objective=self.objective,
            )
            for row in range(self.requests.B)
        ]


def spread_weights(drawn: int, corner_rounds: int, utilities: int, seed: int) -> tuple[Tensor, tuple[str, ...]]:
    """Give weights uniform over the simplex, then every corner some times, and what kind each is."""
    ranges = WeightRanges(corner_share=0)
    drawn_BK = draw_weights(ranges, drawn, utilities, torch.Generator().manual_seed(seed))
    weights_BK = torch.cat([drawn_BK, torch.eye(utilities).repeat(corner_rounds, 1)])
    return weights_BK, (DRAWN,) * drawn + (CORNERS,) * (corner_rounds * utilities)


def optimum(
    name: str, trials: Trials, rankers: Mapping[str, Rank], effort: Effort, on_progress: OnProgress = unseen
) -> Optimum:
    """Hold rankers and plain searches against the best slates that are known, one problem a request.

    The best of a problem is never less than what a contestant found.
    """
    problems = trials.problems()
    rewards, best, seconds = _rewards(name, problems, rankers, effort, on_progress)
    reward_B = {who: torch.tensor(values, dtype=torch.float64) for who, values in rewards.items()}
    best_B = torch.stack([torch.tensor(best, dtype=torch.float64), *reward_B.values()]).amax(0)
    of_kind = {kind: torch.tensor([one == kind for one in trials.kinds]) for kind in dict.fromkeys(trials.kinds)}
    of_kind[ALL] = torch.ones(len(problems), dtype=torch.bool)
    contestants = [
        Contestant(
            name=who,
            over={kind: _share(value_B[at], reward_B[GREEDY][at], best_B[at]) for kind, at in of_kind.items()},
            seconds=seconds[who] / len(problems) if who in seconds else None,
        )
        for who, value_B in reward_B.items()
    ]
    return Optimum(
        name=name,
        candidates=int(trials.requests.allowed_BM.sum(1).max()),
        size=trials.size,
        problems=len(problems),
        best_by=effort.sources(problems[0]),
        contestants=tuple(contestants),
    )


def _rewards(
    name: str, problems: Sequence[Problem], rankers: Mapping[str, Rank], effort: Effort, on_progress: OnProgress
) -> tuple[dict[str, list[float]], list[float], dict[str, float]]:
    """Rewards of every contestant, the best ones, and the time of the searches, in the problems' order."""
    rewards: dict[str, list[float]] = {}
    seconds: dict[str, float] = {}
    best = []
    for done, problem in enumerate(problems, 1):
        searched = plain_searches(problem)
        best.append(best_known(problem, searched, effort).reward)
        for who, reward in _contested(problem, rankers, {n: f.reward for n, f in searched.found.items()}):
            rewards.setdefault(who, []).append(reward)
        for who, took_s in searched.seconds.items():
            seconds[who] = seconds.get(who, 0.0) + took_s
        on_progress(TrainingProgress(name=name, step=done, steps=len(problems), figures={}))
    return rewards, best, seconds


def _contested(
    problem: Problem, rankers: Mapping[str, Rank], searched: Mapping[str, float]
) -> Iterator[tuple[str, float]]:
    yield from searched.items()
    for who, rank in rankers.items():
        slate_1N = rank(problem.requests, problem.weights_K[None], problem.size)
        yield who, float(problem.value(slate_1N)[0])


def _share(reward_B: Tensor, greedy_B: Tensor, best_B: Tensor) -> Share:
    # Where even the best slate is worth nothing, every slate is a best one.
    share_B = torch.where(best_B > TOLERANCE, reward_B / best_B.clamp(min=TOLERANCE), 1.0)
    return Share(
        mean=share_B.mean().item(),
        p5=share_B.quantile(0.05).item(),
        least=share_B.min().item(),
        at_least_greedy=(reward_B >= greedy_B - TOLERANCE).double().mean().item(),
        above_greedy=(reward_B > greedy_B + TOLERANCE).double().mean().item(),
    )
