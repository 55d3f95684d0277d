"""How long the scorer takes for a request, on one core."""

# B requests, K utilities

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.errors import CandidatesMissing
from ranker.requests import Requests
from ranker.scorer import Scorer

WARM_UP: Final = 20
"""Calls before the first that counts."""
BATCH: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of single requests, in milliseconds."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """What a scorer took."""

    path: str
    """Compiled or eager."""
    candidates: int
    size: int
    calls: int
    greedy: Times
    """The actor's list alone."""
    full: Times
    """All competing lists, the reward and the rules."""
    greedy_lists_per_s: float
    """In batches of `BATCH`."""


def latency(scorer: Scorer, requests: Requests, weights_BK: Tensor, size: int, *, calls: int) -> Latency:
    """Time a scorer on requests of one width, one after the other."""
    singles = [(requests.select([row]), weights_BK[[row]]) for row in range(requests.B)]
    batch = requests.select([row % requests.B for row in range(BATCH)])
    weights_batch_BK = weights_BK[torch.arange(BATCH) % requests.B]
    batch_s = _seconds(lambda _: scorer.greedy(batch, weights_batch_BK, size), max(1, calls // BATCH))
    return Latency(
        path=scorer.path,
        candidates=requests.M,
        size=size,
        calls=calls,
        greedy=_times(lambda call: scorer.greedy(*singles[call % len(singles)], size), calls),
        full=_times(lambda call: scorer.rank(*singles[call % len(singles)], size), calls),
        greedy_lists_per_s=BATCH / batch_s.median().item(),
    )


def first_candidates(requests: Requests, candidates: int) -> Requests:
    """Give the requests that have so many candidates, with the first of them, unpinned and none forbidden.

    Raises:
        CandidatesMissing: If none has.
    """
    enough_B = requests.valid_BM.sum(1) >= candidates
    if not bool(enough_B.any()):
        raise CandidatesMissing(f"no request has {candidates} candidates", hint="time fewer of them")
    chosen = requests.select(enough_B).tensors()
    narrow = {name: value if name == "user_BF" else value[:, :candidates] for name, value in chosen.items()}
    narrow["pinned_BM"] = torch.full_like(narrow["pinned_BM"], -1)
    narrow["forbidden_BM"] = torch.zeros_like(narrow["forbidden_BM"])
    return Requests(**narrow)


def _times(call: Callable[[int], object], calls: int) -> Times:
    took_ms = _seconds(call, calls) * 1_000
    return Times(p50_ms=took_ms.quantile(0.5).item(), p99_ms=took_ms.quantile(0.99).item())


def _seconds(call: Callable[[int], object], calls: int) -> Tensor:
    for number in range(WARM_UP):
        call(number)
    took_s = []
    for number in range(calls):
        began = time.perf_counter()
        call(number)
        took_s.append(time.perf_counter() - began)
    return torch.tensor(took_s, dtype=torch.float64)
