"""From metrics to what a search is for: objectives, and by how much constraints are broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reward_llm.domain.searching import REFERENCE_MARGIN, UNMEASURED, SearchPlan, measured
from reward_llm.domain.what_if import Expected
from reward_llm.errors import SearchInvalid

_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Judge:
    """Knows the metrics under the weights in force, which relative constraints and scales go by."""

    plan: SearchPlan
    now: Mapping[str, float]

    @classmethod
    def of(cls, plan: SearchPlan, in_force: Mapping[str, Expected]) -> Judge:
        """A judge by what is in force.

        Raises:
            SearchInvalid: If something that is wanted can't be measured there.
        """
        if not measured(in_force, plan.wanted):
            lacking = [name for name in plan.wanted if not measured(in_force, [name])]
            raise SearchInvalid(
                f"{', '.join(lacking)} can't be measured under the weights in force",
                hint="Take a larger market or other metrics.",
            )
        return cls(plan, {name: in_force[name].mean for name in plan.wanted})

    def violation(self, metrics: Mapping[str, Expected]) -> float:
        """The shortfalls of all constraints, each as a share of its bound; 0 if all are kept to."""
        if not measured(metrics, self.plan.wanted):
            return UNMEASURED
        return sum(
            max(0.0, bound - metrics[constraint.metric].mean) / max(abs(bound), _SMALLEST)
            for constraint in self.plan.constraints
            for bound in (constraint.bound(self.now),)
        )

    def values(self, metrics: Mapping[str, Expected]) -> tuple[float, ...]:
        """The objectives as changes from what is in force, in shares of that; 0 where one couldn't be measured."""
        if not measured(metrics, self.plan.wanted):
            return (0.0,) * len(self.plan.objectives)
        return tuple((metrics[name].mean - self.now[name]) / self._scale(name) for name in self.plan.objectives)

    @property
    def reference(self) -> tuple[float, ...]:
        """The reference point of hypervolumes, in the objectives' own shares."""
        return (-REFERENCE_MARGIN,) * len(self.plan.objectives)

    @property
    def reference_metrics(self) -> dict[str, float]:
        """The reference point, in the metrics' own units."""
        return {name: self.now[name] - REFERENCE_MARGIN * self._scale(name) for name in self.plan.objectives}

    def _scale(self, name: str) -> float:
        return abs(self.now[name]) if abs(self.now[name]) > _SMALLEST else 1.0
