"""The weights that a reading asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.weighing import WeighingRequest, WeighingWire
from reward_llm.domain.review_rules import Change, requirement
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.source import Source
from reward_llm.domain.weighting import weights_for
from reward_llm.errors import InvalidInput, Violation


def weigh(services: Services, sent: WeighingRequest) -> WeighingWire:
    """The reading's weights beside those in force; without intents they are those.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        InvalidInput: If an intent is on another utility, or on one that has an intent already.
    """
    scenario = find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    if wrong := tuple(_wrong(scenario, sent)):
        message = "the reading can't be weighed: " + "; ".join(map(str, wrong))
        raise InvalidInput(message, hint=f"It has: {', '.join(scenario.utility_names)}.", violations=wrong)
    served = services.board.lookup(Scope(sent.scenario, sent.segment), services.clock())
    active = served.policy.weights
    weights = weights_for([i.intent() for i in sent.intents], scenario, active) if sent.intents else active
    needed = requirement(scenario.review, Change(weights=weights, active=active, source=Source.HUMAN))
    return WeighingWire.of(served, weights, services.gate(weights, scenario, active), needed)


def _wrong(scenario: Scenario, sent: WeighingRequest) -> Iterator[Violation]:
    times = Counter(i.utility for i in sent.intents)
    for place, intent in enumerate(sent.intents):
        path = f"intents/{place}/utility"
        if intent.utility not in scenario.utility_names:
            yield Violation(path=path, code="unknown", message=f"{scenario.name} has no such utility")
        elif times[intent.utility] > 1:
            yield Violation(path=path, code="repeated", message=f"{intent.utility} has more than one intent")
