"""One request at one weight vector, and the plain searches for its best slate."""

# M candidates, S slates, N slate, K utilities

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.bench.separable import SeparableObjective
from ranker.objective import Objective
from ranker.references import (
    Found,
    SeparableCase,
    SlateSpace,
    beam_search,
    best_of,
    brute_force,
    cp_sat,
    dpp,
    greedy,
    group_similarity,
    mmr,
    sort_by,
    swap_search,
)
from ranker.references.constructive import MOST_SLATES
from ranker.requests import Requests

NARROW: Final = 64
"""Width of the beam that is cheap enough to be a rival."""
GREEDY: Final = "greedy"
SWAPPED: Final = f"beam {NARROW} + swap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard the best slate is looked for, where there are too many to try all."""

    beam: int = NARROW
    """Width of a wider beam; `NARROW` for none."""
    cp_sat_s: float = 0.0
    """Seconds of integer programming, where the reward is separable; 0 for none."""

    def sources(self, problem: Problem) -> str:
        """Say where the best slate of a problem like this comes from."""
        if problem.is_small:
            return "all slates tried"
        parts = [SWAPPED]
        if self.beam > NARROW:
            parts.append(f"beam {self.beam} + swap")
        if self.cp_sat_s and problem.is_separable:
            parts.append(f"CP-SAT {self.cp_sat_s:g} s")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is searched."""

    requests: Requests
    """One."""
    weights_K: Tensor
    size: int
    objective: Objective

    @property
    def space(self) -> SlateSpace:
        """All slates that the request allows."""
        return SlateSpace.of_request(self.requests, 0, self.size)

    @property
    def is_small(self) -> bool:
        """Whether all slates can be tried."""
        return math.perm(len(self.space.items), len(self.space.free_slots)) <= MOST_SLATES

    @property
    def is_separable(self) -> bool:
        """Whether integer programming knows the reward."""
        return isinstance(self.objective, SeparableObjective)

    def value(self, slate_SN: Tensor) -> Tensor:
        """Give R_S of slates."""
        return self.objective.reward(self.requests, self.weights_K[None], slate_SN[None])[0]

    def clicks(self) -> Tensor:
        """Give what is known to be clicked of every candidate alone; its reward where clicks are no utility."""
        every_MN = torch.arange(self.requests.M)[:, None]
        names = self.objective.utilities.names
        if "click" not in names:
            return self.value(every_MN)
        return self.objective.values(self.requests, every_MN[None])[0, :, names.index("click")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """What the plain searches found."""

    found: Mapping[str, Found]
    seconds: Mapping[str, float]


def plain_searches(problem: Problem) -> Searched:
    """Search by sorting, MMR, DPP, greedy, a beam, and swaps from its end."""
    space, click_M = problem.space, problem.clicks()
    similarity_MM = group_similarity(problem.requests, 0)
    found: dict[str, Found] = {}
    searches: dict[str, Callable[[], Found]] = {
        "sorted by click": lambda: sort_by(problem.value, space, click_M),
        "MMR": lambda: mmr(problem.value, space, click_M, similarity_MM),
        "DPP": lambda: dpp(problem.value, space, click_M, similarity_MM),
        GREEDY: lambda: greedy(problem.value, space),
        f"beam {NARROW}": lambda: beam_search(problem.value, space, width=NARROW),
        SWAPPED: lambda: swap_search(problem.value, space, found[f"beam {NARROW}"].slate),
    }
    seconds: dict[str, float] = {}
    for name, search in searches.items():
        began = time.perf_counter()
        found[name] = search()
        seconds[name] = time.perf_counter() - began
    seconds[SWAPPED] += seconds[f"beam {NARROW}"]
    return Searched(found=found, seconds=seconds)


def best_known(problem: Problem, searched: Searched, effort: Effort) -> Found:
    """Give the best slate that is known: of all of them if they can be tried, else of the searches and the effort."""
    space = problem.space
    if problem.is_small:
        return brute_force(problem.value, space)
    slates = [found.slate for found in searched.found.values()]
    if effort.beam > NARROW:
        wide = beam_search(problem.value, space, width=effort.beam)
        slates += [wide.slate, swap_search(problem.value, space, wide.slate).slate]
    best = best_of(problem.value, slates)
    if effort.cp_sat_s and problem.is_separable:
        case = SeparableCase(requests=problem.requests, size=problem.size)
        proven = cp_sat(case, problem.weights_K, seconds=effort.cp_sat_s, start=best.slate)
        best = max(best, proven, key=lambda found: found.reward)
    return best
