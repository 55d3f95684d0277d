"""What a unit is served at a moment, and why: worked out from the database, for people."""

from __future__ import annotations

from datetime import datetime

from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.explanations import ExplanationWire
from reward_llm.domain.explanation import Layer, explained
from reward_llm.domain.policy import default_policy
from reward_llm.domain.ports import ScopeState
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.serving import Rule


async def explain(services: Services, scope: Scope, unit: str | None, at: datetime | None) -> ExplanationWire:
    """What the unit is served at the moment, now if there is none named.

    Raises:
        StoreUnavailable: If that can't be read.
    """
    now = services.clock()
    moment = at or now
    scenario = find_scenario(services.scenarios, scope.scenario)
    own = await services.governance.scope_at(scope, moment)
    layers = [_layer(Rule.SEGMENT if scope.segment else Rule.SCENARIO, own, scenario)]
    if scope.segment:
        whole = await services.governance.scope_at(Scope(scope.scenario), moment)
        layers.append(_layer(Rule.SCENARIO, whole, scenario))
    return ExplanationWire.of(
        explained(layers, unit, frozen=bool(own.frozen_by)),
        default=default_policy(scenario, scope.segment, moment),
        unit=unit,
        at=moment,
        frozen_by=own.frozen_by,
        now=now,
    )


def _layer(rule: Rule, state: ScopeState, scenario: Scenario) -> Layer:
    """What covers the moment and may be served: weights over other utilities than the scenario's never are."""
    return rule, [a for a in state.stack if set(a.policy.weights) == set(scenario.utility_names)]
