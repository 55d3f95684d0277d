"""Decisions of the agents, under the weights that hold at that moment."""

from __future__ import annotations

from reward_llm.api.metrics import Metrics
from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.agents import AllocationQuery, DecisionWire
from reward_llm.domain.scenario import Scope
from reward_llm.errors import EventsUnavailable


async def decide(services: Services, metrics: Metrics, sent: AllocationQuery) -> DecisionWire:
    """What a user is shown.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        RankingInvalid: If nothing can be decided for the request.
        EventsUnavailable: If there are no agents here.
    """
    if services.allocator is None:
        raise EventsUnavailable("no agents live in this service", hint="Ask one that takes events.")
    now = services.clock()
    scenario = find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    served = services.board.lookup(Scope(sent.scenario, sent.segment), now, sent.unit or sent.user)
    metrics.looked_up(served)
    made = await services.allocator.decide(scenario, served.policy.weights, sent.request(now))
    metrics.decided(scenario.name, made.mode.value, made.state.value)
    return DecisionWire.of(sent, served, made)
