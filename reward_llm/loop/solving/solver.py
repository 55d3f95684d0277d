"""Goals solved over surfaces.

    goal, reading ─► demands ─► weights that meet them with a margin ─► of these the most of the objectives, less
                                  │ there are none                      what they differ from the proposal by
                                  └─► the weights that come nearest, what is in the way, how far one gets

A goal is feasible if some weights meet every demand with probability `margin` each, infeasible if whatever weights
one takes, some demand fails with it, and uncertain otherwise.
"""

# W weights, C demands, K utilities

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Interpretation
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.solving import Blocker, Demands, Feasibility, Solution
from reward_llm.domain.weights import Weights
from reward_llm.loop.solving.demands import demands_of
from reward_llm.loop.solving.judging import CONFIDENCE, Panel
from reward_llm.loop.solving.search import SearchConfig, best
from reward_llm.loop.surface.region import FloatArray, Region
from reward_llm.loop.surface.surface import Surface

_ROUNDING: Final = 1e-3
"""What rounded weights may be farther away than exact ones."""
_FEWER: Final = 4
"""One in so many points is enough to say how far a demand can be met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolverConfig:
    """How goals are solved."""

    margin: float = 0.95
    """The probability that each demand is to be met with."""
    caution: float = 0.5
    """Standard deviations that an objective is taken lower by."""
    faith: float = 0.5
    """Spreads of an objective that a squared distance of 1 from the proposal's weights costs."""
    drawn: int = 800
    """Points that the search begins with."""
    search: SearchConfig = field(default_factory=SearchConfig)


@dataclass(frozen=True, kw_only=True)
class SurfaceSolver:
    """Solves goals over the surfaces of their scenarios."""

    surfaces: Mapping[str, Surface]
    config: SolverConfig = field(default_factory=SolverConfig)

    def solve(
        self, goal: Goal, reading: Interpretation, proposed: Weights, scenario: Scenario, active: Weights
    ) -> Solution | None:
        """Both answers to a goal; None if it demands nothing, or no surface is over its scenario's utilities."""
        surface = self.surfaces.get(scenario.name)
        if surface is None or not surface.fits_scenario(scenario) or set(active) != set(surface.utilities):
            return None
        demands = demands_of(goal, reading, scenario, surface.metrics)
        if not demands.demands:
            return None
        return _Task.of(surface, demands, proposed, scenario, active, self.config).solution()


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One goal's demands, and the weights to choose from."""

    panel: Panel
    demands: Demands
    region: Region
    start_WK: FloatArray
    config: SolverConfig

    @classmethod
    def of(
        cls,
        surface: Surface,
        demands: Demands,
        proposed: Weights,
        scenario: Scenario,
        active: Weights,
        config: SolverConfig,
    ) -> _Task:
        panel = Panel(
            surface=surface,
            demands=demands.demands,
            objectives=demands.objectives,
            active=active,
            prior=proposed,
        )
        region = Region.of(scenario, active, scenario.guardrails.max_step - _ROUNDING)
        drawn_WK = _drawn(scenario, tuple(panel.active_K.tolist()), config.drawn)
        start_WK = np.concatenate([region.pulled(panel.prior_K[None]), panel.active_K[None], drawn_WK])
        return cls(panel=panel, demands=demands, region=region, start_WK=start_WK, config=config)

    def solution(self) -> Solution:
        """Both answers."""
        all_C = np.ones(len(self.panel.demands), dtype=np.bool_)
        found_K = best(lambda w: self._judged(w, all_C), self.region, self.start_WK, self.config.search)
        weights = self._weights(found_K)
        surest = self._surest(self.panel.vector(weights)[None], all_C)[0]
        feasibility = self._feasibility(float(surest))
        solved = self.panel.answer(weights)
        return Solution(
            feasibility=feasibility,
            demands=self.demands,
            now=self.panel.expected(self.panel.active),
            proposed=self.panel.answer(self.panel.prior),
            solved=solved,
            in_the_way=self._in_the_way() if feasibility is Feasibility.INFEASIBLE else (),
            confidence=CONFIDENCE,
            margin=self.config.margin,
            surface=self.panel.surface.fingerprint,
            what_if=str(self.panel.surface.made_of.get("what_if", "")),
        )

    @property
    def _z(self) -> float:
        return NormalDist().inv_cdf(self.config.margin)

    def _feasibility(self, surest: float) -> Feasibility:
        """By the least certain demand's mean over its deviation; rounding doesn't count."""
        if surest >= self._z - _ROUNDING * 10:
            return Feasibility.FEASIBLE
        return Feasibility.INFEASIBLE if surest <= -self._z else Feasibility.UNCERTAIN

    def _surest(self, weights_WK: FloatArray, which_C: npt.NDArray[np.bool_]) -> FloatArray:
        """The least certain of some demands, in deviations."""
        if not which_C.any():
            return np.full(len(weights_WK), np.inf)
        panel = replace(self.panel, demands=[d for d, w in zip(self.panel.demands, which_C, strict=True) if w])
        mean_CW, deviation_CW = panel.standing(weights_WK)
        return np.asarray((mean_CW / deviation_CW).min(axis=0))

    def _judged(self, weights_WK: FloatArray, which_C: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
        far_W = ((weights_WK - self.panel.prior_K) ** 2).sum(-1)
        return self.panel.gain(weights_WK, self.config.caution) - self.config.faith * far_W, self._missed(
            weights_WK, which_C
        )

    def _missed(self, weights_WK: FloatArray, which_C: npt.NDArray[np.bool_]) -> FloatArray:
        return np.maximum(self._z - self._surest(weights_WK, which_C), 0.0)

    def _in_the_way(self) -> tuple[Blocker, ...]:
        """The demands without which the others can be met; if there are none, those that can't be met alone."""
        sure_CW = self._sure_CW >= self._z
        impossible = [place for place, alone_W in enumerate(sure_CW) if not alone_W.any()]
        single = [place for place in range(len(sure_CW)) if np.delete(sure_CW, place, axis=0).all(axis=0).any()]
        chosen = [place for place in single if place in impossible] or single or impossible or range(len(sure_CW))
        blockers = [self._blocker(place, others_met=place in single) for place in chosen]
        return tuple(sorted(blockers, key=_gives_way))

    @cached_property
    def _sure_CW(self) -> FloatArray:
        """How certain every demand is at every point that the search begins with, in deviations."""
        mean_CW, deviation_CW = self.panel.standing(self.start_WK)
        return np.asarray(mean_CW / deviation_CW)

    def _nearest(self, place: int, rest_C: npt.NDArray[np.bool_]) -> float:
        """The best value of a demand's metric that is expected with the margin, while others are met with it."""
        demand, z = self.panel.demands[place], self._z
        few_WK = np.concatenate([self.start_WK[:2], self.start_WK[2::_FEWER]])
        one = replace(self.panel, demands=[demand])

        def lowest(weights_WK: FloatArray) -> FloatArray:
            mean_CW, deviation_CW = one.standing(weights_WK)
            return np.asarray(mean_CW[0] - z * deviation_CW[0])

        reached_K = best(
            lambda w: (lowest(w), self._missed(w, rest_C)), self.region, few_WK, replace(self.config.search, starts=2)
        )
        sign = -1 if demand.at_most else 1
        return self.panel.bound(demand) + sign * float(lowest(reached_K[None])[0])

    def _blocker(self, place: int, *, others_met: bool) -> Blocker:
        """One demand, and how far it can be met: while the others are, or by itself."""
        rest_C = np.full(len(self.panel.demands), others_met)
        rest_C[place] = False
        demand, nearest = self.panel.demands[place], self._nearest(place, rest_C)
        now = self.panel.expected(self.panel.active)[demand.metric].mean
        share = nearest / now if now > 0 else None
        return Blocker(demand=demand, bound=self.panel.bound(demand), nearest=nearest, share=share)

    def _weights(self, vector_K: FloatArray) -> Weights:
        shares = np.clip(vector_K, 0.0, None)
        return Weights.rounded(dict(zip(self.panel.surface.utilities, (shares / shares.sum()).tolist(), strict=True)))


def _gives_way(blocker: Blocker) -> float:
    """By how much of itself a demand would have to give way."""
    return abs(blocker.nearest - blocker.bound) / max(abs(blocker.bound), 1e-12)


@lru_cache(maxsize=64)
def _drawn(scenario: Scenario, active: tuple[float, ...], count: int) -> FloatArray:
    """The points to begin with, which are the same for all goals from the same weights in force."""
    centre = dict(zip(scenario.utility_names, active, strict=True))
    region = Region.of(scenario, centre, scenario.guardrails.max_step - _ROUNDING)
    return region.drawn(count, np.random.default_rng(0))
