"""What a scenario asks of a policy before it may be in force: approvals, and the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from reward_llm.domain.lifecycle import Standing
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.review_rules import Change, Requirement, requirement
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights
from reward_llm.errors import GateRefused, Violation

Gate = Callable[[Mapping[str, float], Scenario, Weights], tuple[Violation, ...]]
"""`reward_llm.validation.gate.check`: what is wrong with weights, against those in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A scenario's rules, as a store asks them inside the transaction that they are for."""

    scenario: Scenario
    gate: Gate

    def fits(self, policy: RewardPolicy) -> bool:
        """Whether the policy weighs the utilities that the scenario has."""
        return set(policy.weights) == set(self.scenario.utility_names)

    def requirement(self, standing: Standing, active: RewardPolicy | None) -> Requirement:
        """The approvals that the policy needs over the one that is in force then; None stands for the defaults.

        Raises:
            GateRefused: If the policy weighs other utilities than the scenario has.
        """
        policy = standing.policy
        if not self.fits(policy):
            self.check(policy, active)
        change = Change(
            weights=policy.weights,
            active=self._weights(active),
            source=policy.source,
            unsure=standing.unsure,
        )
        return requirement(self.scenario.review, change)

    def approves(self, standing: Standing, active: RewardPolicy | None) -> bool:
        """Whether as many approve of the policy as it needs over the one that is in force then, and at least one.

        Raises:
            GateRefused: If the policy weighs other utilities than the scenario has.
        """
        required = self.requirement(standing, active)
        given = standing.approvers(self_approval=required.self_approval)
        return len(given) >= max(1, required.approvals)

    def check(self, policy: RewardPolicy, active: RewardPolicy | None) -> None:
        """Accept weights that pass the gate over those in force.

        Raises:
            GateRefused: With every violation.
        """
        violations = self.gate(policy.weights, self.scenario, self._weights(active))
        if violations:
            raise GateRefused(
                "the weights don't pass the gate: " + "; ".join(map(str, violations)), violations=violations
            )

    def _weights(self, active: RewardPolicy | None) -> Weights:
        return active.weights if active is not None and self.fits(active) else self.scenario.defaults
