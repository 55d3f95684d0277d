"""Goals: what is submitted, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import ConfigDict, Field
from pydantic.types import JsonValue

from reward_llm.api.wire.base import Incoming, MomentIn, MomentOut, Outgoing
from reward_llm.api.wire.proposals import ProposalWire
from reward_llm.api.wire.solving import SolutionWire
from reward_llm.api.wire.standings import PolicyWire
from reward_llm.domain.goal import MAX_TEXT_CHARS, GoalState, Window
from reward_llm.domain.interpretation import (
    DatedSpan,
    Decision,
    Direction,
    Emphasis,
    Intent,
    Interpretation,
    Quantity,
    Reader,
    Role,
    Span,
    Unit,
)
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import GoalRecord
from reward_llm.domain.scenario import Concept, Scenario
from reward_llm.domain.weights import Weights

GOAL_EXAMPLE: Final[dict[str, JsonValue]] = {
    "scenario": "home_feed",
    "segment": "mature_user",
    "text": "618大促，GMV目标1亿，次日留存不低于65%",
    "targets": {"gmv": 1e8},
    "valid_from": "2026-06-16T00:00:00+08:00",
    "valid_until": "2026-06-21T00:00:00+08:00",
}


class Submission(Incoming):
    """A business goal in a person's own words."""

    model_config = ConfigDict(json_schema_extra={"examples": [GOAL_EXAMPLE]})

    scenario: str = Field(description="The scenario that the goal is for.")
    segment: str | None = Field(default=None, description="One of its segments; null for all users.")
    text: str = Field(description=f"The goal, in Chinese or English, at most {MAX_TEXT_CHARS:,} characters.")
    targets: dict[str, float] = Field(
        default_factory=dict, description="Numbers beside the text, by utility, in the utility's own metric."
    )
    valid_from: MomentIn | None = None
    valid_until: MomentIn | None = None


class SpanWire(Outgoing):
    """Characters [start, end) of the text, counted in Unicode code points."""

    start: int
    end: int
    text: str

    @classmethod
    def of(cls, span: Span, text: str) -> SpanWire:
        """The span of that text."""
        return cls(start=span.start, end=span.end, text=span.of(text))


class QuantityWire(Outgoing):
    """A number in the text; 15 % is 0.15."""

    value: float
    unit: Unit
    currency: str | None = Field(description="ISO 4217, where the text names one.")
    span: SpanWire

    @classmethod
    def of(cls, quantity: Quantity, text: str) -> QuantityWire:
        """The quantity of that text."""
        return cls(
            value=quantity.value,
            unit=quantity.unit,
            currency=quantity.currency,
            span=SpanWire.of(quantity.span, text),
        )


class DateWire(Outgoing):
    """A date or window that the text names; null leaves that side open."""

    valid_from: MomentOut | None
    valid_until: MomentOut | None
    span: SpanWire

    @classmethod
    def of(cls, dated: DatedSpan, text: str) -> DateWire:
        """The date of that text."""
        window = dated.window
        return cls(valid_from=window.valid_from, valid_until=window.valid_until, span=SpanWire.of(dated.span, text))


class IntentWire(Outgoing):
    """One thing that the text asks for."""

    utility: str
    concept: Concept | None
    direction: Direction
    emphasis: Emphasis
    strength: float = Field(description="The share of its free range that the weight moves.")
    role: Role
    confidence: float | None = Field(description="The probability that utility and direction are right.")
    read_by: Reader
    target: QuantityWire | None
    spans: list[SpanWire] = Field(description="The places of the text that say so.")

    @classmethod
    def of(cls, intent: Intent, text: str, concepts: Mapping[str, Concept | None]) -> IntentWire:
        """The intent that was read from that text."""
        return cls(
            utility=intent.utility,
            concept=concepts.get(intent.utility),
            direction=intent.direction,
            emphasis=intent.emphasis,
            strength=intent.emphasis.strength,
            role=intent.role,
            confidence=intent.confidence,
            read_by=intent.read_by,
            target=QuantityWire.of(intent.target, text) if intent.target else None,
            spans=[SpanWire.of(s, text) for s in intent.spans],
        )


class NoticeWire(Outgoing):
    """Something about the reading that a person should know."""

    code: str
    message: str


class InterpretationWire(Outgoing):
    """What the goal was read as."""

    decision: Decision
    rationale: str
    notices: list[NoticeWire]
    intents: list[IntentWire]
    completeness: float | None = Field(description="The probability that the text asks for nothing else.")
    calibrated: bool = Field(
        description="Whether probabilities are fitted to how often readings are right; if not, they are the model's."
    )

    @classmethod
    def of(cls, reading: Interpretation, text: str, scenario: Scenario | None) -> InterpretationWire:
        """The reading of that text for the scenario, if that is still there."""
        concepts = {u.name: u.concept for u in scenario.utilities} if scenario else {}
        return cls(
            decision=reading.decision,
            rationale=reading.rationale,
            notices=[NoticeWire(code=n.code, message=n.message) for n in reading.notices],
            intents=[IntentWire.of(i, text, concepts) for i in reading.intents],
            completeness=reading.completeness,
            calibrated=reading.calibrated,
        )


class WindowWire(Outgoing):
    """From when until when; null leaves that side open."""

    valid_from: MomentOut | None
    valid_until: MomentOut | None

    @classmethod
    def of(cls, window: Window) -> WindowWire:
        """The window itself."""
        return cls(valid_from=window.valid_from, valid_until=window.valid_until)


class GoalWire(Outgoing):
    """A goal with its reading and its proposal; these are null until it was read."""

    id: str
    scenario: str
    segment: str | None
    text: str
    targets: dict[str, float]
    state: GoalState
    submitted_at: MomentOut
    submitted_by: str
    decision: Decision | None
    interpretation: InterpretationWire | None
    numbers: list[QuantityWire] = Field(description="Every number in the text.")
    dates: list[DateWire] = Field(description="Every date in the text, as windows to choose from.")
    proposal: ProposalWire | None
    solved: SolutionWire | None = Field(
        default=None,
        description="The second answer, where there are targets or guardrails and a surface; null in lists.",
    )
    window: WindowWire

    @classmethod
    def of(
        cls,
        record: GoalRecord,
        scenario: Scenario | None,
        policy: RewardPolicy | None,
        previous: Weights | None,
        judged: PolicyWire | None = None,
    ) -> GoalWire:
        """A goal with all that became of it.

        Args:
            record: What is on record.
            scenario: The goal's, if that is still there.
            policy: What its proposal became, or what was active on no_change.
            previous: The weights in force when it was read.
            judged: The policy as it stands now.
        """
        goal, proposal = record.goal, record.proposal
        reading = proposal.interpretation if proposal else None
        return cls(
            id=goal.id,
            scenario=goal.scope.scenario,
            segment=goal.scope.segment,
            text=goal.text,
            targets=dict(goal.targets),
            state=record.state,
            submitted_at=goal.submitted_at,
            submitted_by=goal.submitted_by,
            decision=reading.decision if reading else None,
            interpretation=InterpretationWire.of(reading, goal.text, scenario) if reading else None,
            numbers=[QuantityWire.of(q, goal.text) for q in proposal.numbers] if proposal else [],
            dates=[DateWire.of(d, goal.text) for d in proposal.dates] if proposal else [],
            proposal=ProposalWire.of(proposal, policy, previous, judged) if proposal and policy else None,
            window=WindowWire.of(goal.window),
        )


class GoalAccepted(Outgoing):
    """A goal on record that isn't read yet."""

    id: str
    state: GoalState
