"""What other weights would change, on logged requests, before anybody is served them.

    sample of a log ─┬─► slates under the weights now ──┐
                     ├─► slates under the others ───────┴─► paired differences of every U_k, examples
                     └─► lists near the logged ones ──────► influence shares under both

Everything is as the evaluator expects it; nothing here was shown to anybody.
"""

# B requests, M candidates, S slates a request, N slate, K utilities

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ranker.bootstrap_interval import Interval, mean_intervals
from ranker.errors import CandidatesMissing, WeightsInvalid
from ranker.hypernet import on_simplex
from ranker.influence import influence_shares, nearby_slates
from ranker.objective import Objective
from ranker.requests import EMPTY, LoggedLists, Requests
from ranker.utilities import normalised

Rank = Callable[[Requests, Tensor, int], Tensor]
"""Gives `slate_BN` for requests, `weights_BK` and a size."""

AT_ONCE: Final = 64
"""Requests that are ranked in one go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfConfig:
    """How much is tried."""

    requests: int = 200
    """Logged requests at most; more make narrower intervals and take longer."""
    nearby: int = 24
    """Slates of each request that influence shares are taken over."""
    resamples: int = 2_000
    """Of the bootstrap."""
    confidence: float = 0.95
    examples: int = 3
    """Requests whose slates are shown."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Logged requests that weights are tried on, and what the lists near the logged ones are worth."""

    lists: LoggedLists
    row_B: Tensor
    """int64: each request's row in the log."""
    nearby_BSK: Tensor
    """Utilities of the lists near the logged one."""

    @property
    def size(self) -> int:
        """Slots of a slate: as many as the longest list had."""
        return self.lists.N

    @classmethod
    def of(cls, lists: LoggedLists, objective: Objective, config: WhatIfConfig) -> Sample:
        """Draw some requests of a log, of those that have a candidate for every slot.

        Raises:
            CandidatesMissing: If there are none.
        """
        rows = (lists.requests.allowed_BM.sum(1) >= lists.N).nonzero()[:, 0]
        if len(rows) == 0:
            raise CandidatesMissing("no logged request has as many candidates as the longest list has slots")
        generator = torch.Generator().manual_seed(config.seed)
        drawn = torch.randperm(len(rows), generator=generator)[: config.requests].sort().values
        row_B = rows[drawn]
        some = lists.select(row_B.tolist())
        slate_BSN = nearby_slates(some.requests, some.shown_BN, config.nearby, generator=generator)
        return cls(lists=some, row_B=row_B, nearby_BSK=objective.values(some.requests, slate_BSN))


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityChange:
    """What becomes of one utility, as means over the requests."""

    name: str
    before: float
    after: float
    change: Interval
    """Of the differences, paired by request."""
    influence_before: float
    influence_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One request's slates, as places among its candidates."""

    row: int
    """Of the log."""
    place: int
    """Of the sample."""
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What other weights would change."""

    requests: int
    size: int
    changes: tuple[UtilityChange, ...]
    reward: Interval
    """By how much the score under the other weights is higher with their slates than with those now."""
    changed_share: float
    """Of the requests, whose slate is another."""
    replaced_share: float
    """Of the slots, which show what wasn't in the slate before."""
    examples: tuple[Example, ...]
    """From little movement to the most."""


def compare(sample: Sample, objective: Objective, rank: Rank, weights_2K: Tensor, config: WhatIfConfig) -> Comparison:
    """Compare what weights now (row 0) and others (row 1) give the sample's requests.

    Raises:
        WeightsInvalid: If a row isn't one finite weight of at least 0 for each utility, not all 0.
    """
    names = objective.utilities.names
    if weights_2K.shape != (2, len(names)):
        raise WeightsInvalid(f"two rows of {len(names)} weights are compared, not {tuple(weights_2K.shape)}")
    simplex_2K = on_simplex(normalised(weights_2K))
    requests = sample.lists.requests
    before_BN, after_BN = (slates(rank, requests, weights_K, sample.size) for weights_K in simplex_2K)
    value_B2K = objective.values(requests, torch.stack([before_BN, after_BN], dim=1))
    change_BK = value_B2K[:, 1] - value_B2K[:, 0]
    gain_B1 = (change_BK @ simplex_2K[1]).unsqueeze(1)
    *intervals, reward = _intervals(torch.cat([change_BK, gain_B1], dim=1), config)
    influence = [influence_shares(weights_K, sample.nearby_BSK).tolist() for weights_K in simplex_2K]
    mean_2K = value_B2K.double().mean(0).tolist()
    return Comparison(
        requests=requests.B,
        size=sample.size,
        changes=tuple(
            UtilityChange(name=n, before=b, after=a, change=c, influence_before=i, influence_after=j)
            for n, b, a, c, i, j in zip(names, *mean_2K, intervals, *influence, strict=True)
        ),
        reward=reward,
        changed_share=float((before_BN != after_BN).any(1).double().mean()),
        replaced_share=float(_replaced(before_BN, after_BN).double().mean()),
        examples=_examples(sample, before_BN, after_BN, config.examples),
    )


def slates(rank: Rank, requests: Requests, weights_K: Tensor, size: int) -> Tensor:
    """Rank all requests with the same weights, some at a time, as `slate_BN`."""
    parts = [
        rank(requests.select(slice(start, start + AT_ONCE)), _repeated(weights_K, requests.B - start), size)
        for start in range(0, requests.B, AT_ONCE)
    ]
    return torch.cat(parts)


def _repeated(weights_K: Tensor, left: int) -> Tensor:
    return weights_K.expand(min(left, AT_ONCE), -1)


def _intervals(value_BC: Tensor, config: WhatIfConfig) -> tuple[Interval, ...]:
    array: np.ndarray = value_BC.numpy()
    return mean_intervals(array, resamples=config.resamples, confidence=config.confidence, seed=config.seed)


def _replaced(before_BN: Tensor, after_BN: Tensor) -> Tensor:
    """Bool: slots that show what wasn't in the slate before."""
    was_there_BN = (after_BN.unsqueeze(2) == before_BN.unsqueeze(1)).any(2)
    return ~was_there_BN & (after_BN != EMPTY)


def _examples(sample: Sample, before_BN: Tensor, after_BN: Tensor, count: int) -> tuple[Example, ...]:
    """Requests at even steps from the least movement to the most, by places moved; what left moved a whole slate."""
    size = before_BN.shape[1]
    same_BNN = before_BN.unsqueeze(2) == after_BN.unsqueeze(1)
    slot_N = torch.arange(size)
    moved_BN = torch.where(same_BNN.any(2), (same_BNN.long().argmax(2) - slot_N).abs(), size)
    by_movement = moved_BN.sum(1).argsort(stable=True)
    steps = torch.linspace(0, len(by_movement) - 1, min(count, len(by_movement)) + 1).round().long()
    return tuple(
        Example(
            row=int(sample.row_B[place]),
            place=place,
            before=_shown(before_BN[place]),
            after=_shown(after_BN[place]),
        )
        for place in by_movement[steps[1:]].tolist()
    )


def _shown(slate_N: Tensor) -> tuple[int, ...]:
    return tuple(item for item in slate_N.tolist() if item != EMPTY)
