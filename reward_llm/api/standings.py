"""Policies as they stand now, put together from what is on record, what is served and what the rules ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.standings import PolicyWire
from reward_llm.domain.admission import Admission
from reward_llm.domain.lifecycle import Standing
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.review_rules import Requirement
from reward_llm.errors import GateRefused, NotFound


async def stand(services: Services, policies: Sequence[RewardPolicy]) -> Mapping[str, Standing]:
    """All that is known of the policies that were made, by their ids; a scenario's defaults aren't among them.

    Raises:
        StoreUnavailable: If it can't be read.
    """
    made = [p for p in policies if p.version]
    return await services.governance.standings(made, services.clock()) if made else {}


async def policy_wires(services: Services, policies: Sequence[RewardPolicy]) -> list[PolicyWire]:
    """The policies as they stand now.

    Raises:
        StoreUnavailable: If that can't be read.
    """
    known = await stand(services, policies)
    return [
        policy_wire(services, known[p.policy_id]) if p.policy_id in known else PolicyWire.undecided(p)
        for p in policies
    ]


def policy_wire(services: Services, standing: Standing) -> PolicyWire:
    """The policy as it stands now."""
    return PolicyWire.judged(standing, required(services, standing), services.clock())


def required(services: Services, standing: Standing) -> Requirement | None:
    """The approvals that activating the policy now would take; None if it doesn't fit its scenario any more."""
    scope = standing.policy.scope
    try:
        active = services.board.lookup(scope, services.clock()).policy
        return admission(services, scope.scenario).requirement(standing, active)
    except (NotFound, GateRefused):
        return None


def admission(services: Services, scenario: str) -> Admission:
    """What the scenario asks of a policy.

    Raises:
        ScenarioUnknown: If there is no such scenario.
    """
    return Admission(scenario=find_scenario(services.scenarios, scenario), gate=services.gate)
