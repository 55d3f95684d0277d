"""The weights that may be searched, as a unit cube.

Weights of K utilities are K - 1 numbers of [0, 1]. Each utility in turn takes its place between the least and the
most that leave the others within their bounds: x, its share of what is left above all lower bounds, has the
distribution F(x) = 1 - (1 - x)^r, r utilities being left after it, cut to that stretch. Where only lower bounds bind,
all weights are alike likely for points by chance (Devroye 1986, XI.4). What lies further from the weights in force
than one step may lead is drawn back to them on the straight line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights
from reward_llm.errors import SearchInvalid
from reward_llm.loop.search.searcher import Point

_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Space:
    """What the gate lets through, seen from the weights in force."""

    low: Mapping[str, float]
    high: Mapping[str, float]
    in_force: Weights
    max_step: float

    @classmethod
    def of(cls, scenario: Scenario, in_force: Weights) -> Space:
        """The scenario's bounds, floors and largest step.

        Raises:
            SearchInvalid: If no weights keep to the bounds.
        """
        low = {u.name: u.bounds.min for u in scenario.utilities}
        for name in scenario.guardrails.held:
            low[name] = max(low[name], min(scenario.utility(name).held_floor, in_force[name]))
        high = {u.name: max(u.bounds.max, low[u.name]) for u in scenario.utilities}
        if sum(low.values()) > 1 + _EPSILON or sum(high.values()) < 1 - _EPSILON:
            raise SearchInvalid(f"no weights keep to the bounds of {scenario.name}")
        return cls(low, high, in_force, scenario.guardrails.max_step)

    @property
    def dimensions(self) -> int:
        """Of the cube."""
        return len(self.low) - 1

    def weights(self, point: Point) -> Weights:
        """The weights at a point of the cube, rounded as weights are."""
        found: dict[str, float] = {}
        names, left = list(self.low), 1.0
        for place, name in enumerate(names[:-1]):
            room = self._room(names[place:], left)
            found[name] = room.weight(point[place])
            left -= found[name]
        found[names[-1]] = max(left, 0.0)
        return Weights.rounded(self._within_step(found))

    def point(self, weights: Mapping[str, float]) -> Point:
        """Where weights lie in the cube; of weights that aren't within the bounds, near them."""
        names, left, point = list(self.low), 1.0, []
        for place, name in enumerate(names[:-1]):
            point.append(self._room(names[place:], left).share(weights[name]))
            left -= weights[name]
        return tuple(point)

    def _room(self, names: list[str], left: float) -> _Room:
        """What the first may have of what is left."""
        first, *others = names
        least = max(self.low[first], left - sum(self.high[other] for other in others))
        most = min(self.high[first], left - sum(self.low[other] for other in others))
        above = max(left - sum(self.low[name] for name in names), 0.0)
        return _Room(self.low[first], above, least, max(least, most), len(others))

    def _within_step(self, weights: Mapping[str, float]) -> Mapping[str, float]:
        distance = self.in_force.distance(weights)
        if distance <= self.max_step:
            return weights
        share = self.max_step / distance
        return {name: now + share * (weights[name] - now) for name, now in self.in_force.items()}


@dataclass(frozen=True, slots=True)
class _Room:
    """From `least` to `most` on the way from `low` over all that is left above the lower bounds."""

    low: float
    above: float
    least: float
    most: float
    others: int

    def weight(self, share: float) -> float:
        """The weight below which this share of the room lies."""
        start, end = self._below(self.least), self._below(self.most)
        x = 1 - float((1 - (start + share * (end - start))) ** (1 / self.others))
        return min(max(self.low + self.above * x, self.least), self.most)

    def share(self, weight: float) -> float:
        """The share of the room that lies below a weight."""
        start, end = self._below(self.least), self._below(self.most)
        below = self._below(min(max(weight, self.least), self.most))
        return (below - start) / (end - start) if end - start > _EPSILON else 0.0

    def _below(self, weight: float) -> float:
        x = min(max((weight - self.low) / self.above, 0.0), 1.0) if self.above > _EPSILON else 0.0
        return float(1 - (1 - x) ** self.others)
