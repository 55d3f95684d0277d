"""From intents to weights: one rule, deterministic and monotone.

Start from base weights b (the scenario's defaults or the active policy) with bounds [lo, hi].

1. A raised utility aims at b + s·(hi - b), a lowered one at b - s·(b - lo), where s is the strength of its
   emphasis: 0.3, 0.6 or 1. A held one aims at b, or at its held floor if b lies below that.
2. The aims rarely add up to 1. Utilities that the goal says nothing of settle the difference, in proportion to
   the room that each has; then held ones, down to their floor; what is still over scales the moves themselves.
   Where the base lies below a floor, and reaching it would turn a raise into its opposite, the floor gives way.
3. If the L1 distance from the active weights is over the scenario's largest step, the result is pulled back on
   the straight line to the active weights, until it isn't.

So more emphasis on raising never gives less weight and more on lowering never gives more, the result lies on the
simplex and within bounds, and a held utility never falls below its floor, or where it was if that is lower.

Shares that come from elsewhere take the place of the aims of step 1, as far as limits and directions let them; what
they are then off by, the utilities that the goal says nothing of settle on their way back to the base first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from reward_llm.domain.interpretation import Direction, Intent
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights

_EPSILON = 1e-12


def weights_for(intents: Sequence[Intent], scenario: Scenario, active: Weights) -> Weights:
    """The weights that the intents ask for.

    Args:
        intents: At most one for each utility of the scenario.
        scenario: Gives defaults, bounds, guardrails and what to start from.
        active: The weights in force, from which the largest step is measured.
    """
    aims = Aims.of(intents, scenario, base_weights(scenario, active))
    return _served(aims, scenario, active)


def weights_from_shares(
    shares: Mapping[str, float], intents: Sequence[Intent], scenario: Scenario, active: Weights
) -> Weights:
    """The shares as weights, drawn back to bounds, held floors, the directions of the intents and the largest step.

    Shares that keep to all of that come back as they are, rounded.

    Args:
        shares: One for each utility of the scenario, together 1.
        intents: At most one for each utility of the scenario.
        scenario: Gives defaults, bounds, guardrails and what to start from.
        active: The weights in force, from which the largest step is measured.
    """
    aims = Aims.of(intents, scenario, base_weights(scenario, active)).at(shares)
    return _served(aims, scenario, active)


def base_weights(scenario: Scenario, active: Weights) -> Weights:
    """What a goal is read against: the active weights or the scenario's defaults, as the scenario says."""
    return active if scenario.base == "active" else scenario.defaults


@dataclass(frozen=True, slots=True)
class Aims:
    """Where every weight starts, where it wants to be, and how far it may give way."""

    start: Mapping[str, float]
    unlifted: Mapping[str, float]
    """The start, without what lifts a base that lies below its floor."""
    aim: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    groups: Mapping[Direction | None, Sequence[str]]

    @classmethod
    def of(cls, intents: Sequence[Intent], scenario: Scenario, base: Weights) -> Aims:
        """What the intents ask of the base weights."""
        by_utility = {i.utility: i for i in intents}
        start, unlifted, aim, low, high = {}, {}, {}, {}, {}
        groups: dict[Direction | None, list[str]] = {None: [], **{d: [] for d in Direction}}
        for u in scenario.utilities:
            intent = by_utility.get(u.name)
            direction = intent.direction if intent else None
            strength = intent.emphasis.strength if intent else 0.0
            protected = direction is Direction.HOLD or u.name in scenario.guardrails.held
            groups[direction].append(u.name)
            low[u.name] = u.held_floor if protected else u.bounds.min
            high[u.name] = u.bounds.max
            unlifted[u.name] = min(max(base[u.name], u.bounds.min), high[u.name])
            start[u.name] = at = max(unlifted[u.name], low[u.name])
            if direction is Direction.RAISE:
                at += strength * (high[u.name] - at)
            elif direction is Direction.LOWER:
                at -= strength * (at - low[u.name])
            aim[u.name] = at
        return cls(start=start, unlifted=unlifted, aim=aim, low=low, high=high, groups=groups)

    def at(self, shares: Mapping[str, float]) -> Aims:
        """These, each aiming at its share as far as its limits and its direction allow."""
        low = {**self.low, **{k: self.start[k] for k in self.groups[Direction.RAISE]}}
        high = {**self.high, **{k: self.start[k] for k in self.groups[Direction.LOWER]}}
        return replace(self, aim={k: min(max(shares[k], low[k]), high[k]) for k in self.aim})

    def balanced(self) -> dict[str, float]:
        """The aims, given way to until they add up to 1."""
        weights = dict(self.aim)
        neutral, held = self.groups[None], self.groups[Direction.HOLD]
        raised, lowered = self.groups[Direction.RAISE], self.groups[Direction.LOWER]
        over = math.fsum(weights.values()) - 1
        steps: list[tuple[Sequence[str], Mapping[str, float]]]
        if over > 0:
            steps = [
                (neutral, self.start),
                (neutral, self.low),
                (held, self.low),
                (raised, self.start),
                (lowered, self.low),
                (list(self.aim), self.unlifted),
                (raised, self.low),
            ]
        else:
            steps = [
                (neutral, self.start),
                (neutral, self.high),
                (raised, self.high),
                (held, self.high),
                (lowered, self.start),
            ]
        for group, limit in steps:
            over = _settle(weights, group, limit, over)
        return weights


def _served(aims: Aims, scenario: Scenario, active: Weights) -> Weights:
    return Weights.rounded(_within_step(aims.balanced(), active, scenario.guardrails.max_step))


def _settle(weights: dict[str, float], group: Iterable[str], limit: Mapping[str, float], over: float) -> float:
    """Move the group towards its limits by what is over (or, if negative, under); give back what is left."""
    rooms = {k: room for k in group if (room := weights[k] - limit[k]) * over > 0}
    total = math.fsum(rooms.values())
    if abs(over) <= _EPSILON or abs(total) <= _EPSILON:
        return over
    share = min(1.0, over / total)
    for k, room in rooms.items():
        weights[k] -= share * room
    return over - share * total


def _within_step(target: Mapping[str, float], active: Weights, max_step: float) -> dict[str, float]:
    distance = math.fsum(abs(v - active[k]) for k, v in target.items())
    if distance <= max_step:
        return dict(target)
    share = max_step / distance
    return {k: active[k] + share * (v - active[k]) for k, v in target.items()}
