"""What the service answers, made by its own wire models."""

from datetime import UTC, datetime
from typing import Any

from reward_llm.api.wire.goals import GoalWire
from reward_llm.api.wire.scenarios import ScenarioWire
from reward_llm.domain.goal import Goal, GoalState
from reward_llm.domain.interpretation import (
    Decision,
    Direction,
    Emphasis,
    Intent,
    Interpretation,
    Notice,
    Quantity,
    Reader,
    Span,
    Unit,
)
from reward_llm.domain.policy import Proposal, Provenance, RewardPolicy, Source, default_policy
from reward_llm.domain.ports import GoalRecord
from reward_llm.domain.review import Review
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weighting import weights_for
from reward_llm.resources import scenarios_dir
from reward_llm.validation.scenarios import load_scenario

NOW = datetime(2026, 6, 18, tzinfo=UTC)
HOME_FEED = load_scenario(scenarios_dir() / "home_feed.yaml")
SCENARIO: dict[str, Any] = ScenarioWire.of(HOME_FEED).model_dump(mode="json")

SALE = "今天是618大促，GMV目标1亿，用户留存目标是65%"


def span(text: str, words: str) -> Span:
    start = text.index(words)
    return Span(start, start + len(words))


def sale_intents() -> tuple[Intent, ...]:
    return (
        Intent(
            utility="gmv",
            direction=Direction.RAISE,
            emphasis=Emphasis.DOMINANT,
            spans=(span(SALE, "GMV"),),
            target=Quantity(value=1e8, unit=Unit.MONEY, span=span(SALE, "1亿"), currency="CNY"),
            confidence=0.97,
        ),
        Intent(
            utility="retention",
            direction=Direction.HOLD,
            emphasis=Emphasis.CLEAR,
            spans=(span(SALE, "用户留存"),),
            target=Quantity(value=0.65, unit=Unit.PERCENT, span=span(SALE, "65%")),
            read_by=Reader.RULES,
        ),
    )


def goal_document(
    text: str = SALE,
    intents: tuple[Intent, ...] | None = None,
    *,
    notices: tuple[Notice, ...] = (),
    reason: str | None = None,
    segment: str | None = None,
    review: Review | None = None,
) -> dict[str, Any]:
    """The answer to a goal that was read as the intents."""
    intents = sale_intents() if intents is None else intents
    scope = Scope(HOME_FEED.name, segment)
    active = default_policy(HOME_FEED, segment, NOW)
    proposed = bool(intents)
    proposal = Proposal(
        interpretation=Interpretation(
            decision=Decision.PROPOSE if proposed else Decision.NO_CHANGE, intents=intents, notices=notices
        ),
        numbers=(),
        weights=weights_for(intents, HOME_FEED, active.weights) if proposed else active.weights,
        source=Source.RULES if reason else Source.EMBEDDED,
        reason=reason,
        review=review,
        provenance=Provenance(prompt="goal_to_intents@1", model="checkpoint@0123456789ab"),
    )
    policy = active
    if proposed:
        policy = RewardPolicy(
            scope=scope, version=3, weights=proposal.weights, source=proposal.source, origin="goal_1", created_at=NOW
        )
    record = GoalRecord(
        goal=Goal(id="goal_1", scope=scope, text=text, submitted_at=NOW),
        state=GoalState.PROPOSED if proposed else GoalState.NO_CHANGE,
        proposal=proposal,
        policy=policy,
    )
    return GoalWire.of(record, HOME_FEED, policy, active.weights).model_dump(mode="json")
