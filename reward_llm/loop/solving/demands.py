"""From a goal and its reading to what is demanded of metrics."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Direction, Intent, Interpretation, Quantity, Unit
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.simulation import ASKED_OF, OUTCOME_FACTS, Outcome, OutcomeUnit, market_concepts
from reward_llm.domain.solving import TOLERANCE, Basis, Demand, DemandOrigin, Demands, Incomparable
from reward_llm.loop.solving.phrases import Meaning, meaning_of

_OUTCOMES: Final = frozenset(outcome.value for outcome in Outcome)


def demands_of(goal: Goal, reading: Interpretation, scenario: Scenario, metrics: Collection[str]) -> Demands:
    """What the goal demands: its targets, then the numbers in its text, then what it holds without a number.

    A held utility without a number may lose `TOLERANCE` of what its metric is now. What is to rise is an objective as
    well, by the strength of its emphasis.

    Args:
        goal: What was submitted.
        reading: What it was read as.
        scenario: Gives each utility its concept.
        metrics: What can be asked about, by the names of simulated outcomes or of utilities.
    """
    objectives: dict[str, float] = {}
    found: list[Demand | Incomparable] = []
    for utility in dict.fromkeys([*goal.targets, *(i.utility for i in reading.intents)]):
        intent = reading.intent(utility)
        metric = metric_of(utility, scenario, metrics)
        asked = _Asked(utility, metric or "", intent, goal)
        if metric is None:
            if asked.has_number:
                found.append(Incomparable(utility=utility, code="not_measured", message=_NOT_MEASURED))
            continue
        demand = asked.demand()
        if demand is not None:
            found.append(demand)
        direction = asked.direction(demand)
        if intent is not None and direction is not Direction.HOLD:
            objectives[metric] = intent.emphasis.strength * (1 if direction is Direction.RAISE else -1)
    return Demands(
        objectives=objectives,
        demands=tuple(d for d in found if isinstance(d, Demand)),
        incomparable=tuple(d for d in found if isinstance(d, Incomparable)),
    )


def metric_of(utility: str, scenario: Scenario, metrics: Collection[str]) -> str | None:
    """The metric that more weight on a utility asks more of; None if it isn't measured."""
    outcome = ASKED_OF.get(market_concepts(scenario).get(utility, utility))
    if outcome is not None and outcome.value in metrics:
        return outcome.value
    return utility if utility in metrics else None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of one utility, whose metric is known."""

    utility: str
    metric: str
    intent: Intent | None
    goal: Goal

    @property
    def has_number(self) -> bool:
        return self.utility in self.goal.targets or (self.intent is not None and self.intent.target is not None)

    def direction(self, demand: Demand | Incomparable | None) -> Direction:
        """Where it is to go; what may fall by so much isn't to fall."""
        if self.intent is None or (isinstance(demand, Demand) and self._is_fall):
            return Direction.HOLD
        return self.intent.direction

    def demand(self) -> Demand | Incomparable | None:
        if self.utility in self.goal.targets:
            return self._level(self.goal.targets[self.utility], "targets")
        if self.intent is None:
            return None
        if self.intent.target is None:
            held = self.intent.direction is Direction.HOLD
            return self._relative(1 - TOLERANCE, "guardrail") if held else None
        return self._of_text(self.intent, self.intent.target)

    def _of_text(self, intent: Intent, quantity: Quantity) -> Demand | Incomparable:
        at_most = intent.direction is Direction.LOWER
        sign = -1 if at_most else 1
        if quantity.unit is Unit.POINTS:
            return self._made(sign * abs(quantity.value), Basis.DIFFERENCE, "text", at_most=at_most)
        if quantity.unit is Unit.MULTIPLE:
            value = 1 / quantity.value if at_most and quantity.value > 1 else quantity.value
            return self._relative(value, "text", at_most=at_most)
        if quantity.unit is not Unit.PERCENT:
            return self._level(quantity.value, "text", at_most=at_most)
        return self._of_share(quantity, meaning_of(quantity, intent.direction, self.goal.text), at_most=at_most)

    def _of_share(self, quantity: Quantity, meaning: Meaning, *, at_most: bool) -> Demand | Incomparable:
        if meaning is Meaning.FALL:
            return self._relative(1 - quantity.value, "text")
        if meaning is Meaning.CHANGE:
            return self._relative(1 + (-1 if at_most else 1) * quantity.value, "text", at_most=at_most)
        if self._unit in {OutcomeUnit.MONEY, OutcomeUnit.MINUTES}:
            return self._relative(quantity.value, "text", at_most=at_most)
        return self._level(quantity.value, "text", at_most=at_most)

    def _level(self, value: float, origin: DemandOrigin, *, at_most: bool = False) -> Demand | Incomparable:
        if self._unit is not OutcomeUnit.SHARE:
            return Incomparable(utility=self.utility, code="unit", message=_OTHER_UNIT)
        if not 0 < value <= 1:
            return Incomparable(utility=self.utility, code="range", message=f"{value:g} isn't a share of 0 to 1")
        return self._made(value, Basis.ABSOLUTE, origin, at_most=at_most)

    def _relative(self, value: float, origin: DemandOrigin, *, at_most: bool = False) -> Demand:
        return self._made(value, Basis.RELATIVE, origin, at_most=at_most)

    def _made(self, value: float, basis: Basis, origin: DemandOrigin, *, at_most: bool) -> Demand:
        return Demand(
            utility=self.utility,
            metric=self.metric,
            value=float(f"{value:.12g}"),
            basis=basis,
            origin=origin,
            at_most=at_most,
        )

    @property
    def _unit(self) -> OutcomeUnit | None:
        return OUTCOME_FACTS[Outcome(self.metric)].unit if self.metric in _OUTCOMES else None

    @property
    def _is_fall(self) -> bool:
        intent = self.intent
        if intent is None or intent.target is None or self.utility in self.goal.targets:
            return False
        quantity = intent.target
        is_share = quantity.unit is Unit.PERCENT
        return is_share and meaning_of(quantity, intent.direction, self.goal.text) is Meaning.FALL


_NOT_MEASURED: Final = "nothing here measures what this utility asks for"
_OTHER_UNIT: Final = (
    "this number is in the platform's own unit, which the surface doesn't know; name a change, such as +10 %"
)
