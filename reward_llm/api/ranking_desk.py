"""Ranking under the weights that hold, or under others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Final

from reward_llm.api.metrics import Metrics
from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.preview import PreviewRequest, PreviewWire
from reward_llm.api.wire.ranker import ExplanationRequest, SlateExplanationWire
from reward_llm.api.wire.rerank import RerankRequest, RerankWire
from reward_llm.domain.ports import Reranker
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.weights import Weights
from reward_llm.errors import RankerUnavailable, Violation, WeightsInvalid

_SUM_TOLERANCE: Final = 1e-6


async def rerank(services: Services, metrics: Metrics, sent: RerankRequest) -> RerankWire:
    """The slate for a request.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        WeightsInvalid: If the weights that came along can't be used, or the ranker measures nothing of them.
        RankingInvalid: If the request can't be ranked.
        RankerUnavailable: If nothing ranks here.
        RankerBusy: If too much waits.
    """
    now = services.clock()
    scenario = find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    served = None
    if sent.weights is None:
        served = services.board.lookup(Scope(sent.scenario, sent.segment), now, sent.unit or None)
        metrics.looked_up(served)
    weights = served.policy.weights if served else given_weights(scenario, sent.weights or {})
    ranked = await ranker_of(services).rerank(scenario, weights, sent.request(now))
    metrics.ranked(scenario.name, ranked.chosen, (services.clock() - now).total_seconds())
    return RerankWire.of(f"slate_{uuid.uuid4().hex[:20]}", sent, weights, served, ranked)


async def preview(services: Services, sent: PreviewRequest) -> PreviewWire:
    """What the weights would change against those in force for everybody.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        WeightsInvalid: If the weights can't be used, or the ranker measures nothing of them.
        RankerUnavailable: If nothing ranks here.
        RankerBusy: If too much waits.
    """
    scenario = find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    then = given_weights(scenario, sent.weights)
    served = services.board.lookup(Scope(sent.scenario, sent.segment), services.clock())
    found = await ranker_of(services).preview(scenario, served.policy.weights, then)
    gate = services.gate(then, scenario, served.policy.weights)
    return PreviewWire.of(served, dict(then), gate, found)


async def explain(services: Services, sent: ExplanationRequest) -> SlateExplanationWire:
    """Why the slate of a logged request is as it is.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        WeightsInvalid: If the weights that came along can't be used, or the ranker measures nothing of them.
        RankingInvalid: If the log has no such request.
        RankerUnavailable: If nothing ranks here.
        RankerBusy: If too much waits.
    """
    scenario = find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    served = None
    if sent.weights is None:
        served = services.board.lookup(Scope(sent.scenario, sent.segment), services.clock())
    weights = served.policy.weights if served else given_weights(scenario, sent.weights or {})
    found = await ranker_of(services).explain(scenario, weights, sent.request)
    return SlateExplanationWire.of(sent, served.policy_id if served else None, found)


def given_weights(scenario: Scenario, sent: Mapping[str, float]) -> Weights:
    """Weights that somebody sends, over all of the scenario's utilities; those that they leave out are 0.

    Raises:
        WeightsInvalid: If they name another utility, are negative, or don't add up to 1.
    """
    violations = tuple(_wrong(scenario, sent))
    if violations:
        message = "the weights can't be used: " + "; ".join(map(str, violations))
        raise WeightsInvalid(message, hint=f"It has: {', '.join(scenario.utility_names)}.", violations=violations)
    return Weights({name: sent.get(name, 0.0) for name in scenario.utility_names})


def _wrong(scenario: Scenario, sent: Mapping[str, float]) -> Iterator[Violation]:
    for name, weight in sent.items():
        if name not in scenario.utility_names:
            yield Violation(path=f"weights/{name}", code="unknown", message=f"{scenario.name} has no such utility")
        if weight < 0:
            yield Violation(path=f"weights/{name}", code="negative", message=f"{weight:g} is below 0")
    total = sum(sent.values())
    if abs(total - 1) > _SUM_TOLERANCE:
        yield Violation(path="weights", code="simplex", message=f"the weights add up to {total:.6g}, not to 1")


def ranker_of(services: Services) -> Reranker:
    """What ranks here.

    Raises:
        RankerUnavailable: If nothing does.
    """
    if services.reranker is None:
        raise RankerUnavailable("this service ranks nothing", hint="Set REWARD_LLM_RANKER_CHECKPOINT.")
    return services.reranker
