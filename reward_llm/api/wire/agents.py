"""Decisions of the agents."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from reward_llm.api.wire.base import Incoming, Outgoing, WeightsByUtility
from reward_llm.api.wire.events import Name
from reward_llm.api.wire.rerank import MAX_TEXT_CHARS, CandidateWire
from reward_llm.domain.agents import Allocation, AllocationRequest, Mode, StateSource
from reward_llm.domain.ranking import MAX_CANDIDATES, MAX_SLATE
from reward_llm.domain.serving import Rule, ServedWeights
from reward_llm.domain.source import Source


class AllocationQuery(Incoming):
    """For whom it is decided, and out of what."""

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(default=None, description="One of the scenario's segments; null for all users.")
    unit: str | None = Field(
        default=None, max_length=MAX_TEXT_CHARS, description="Whom a partial rollout is decided for; null for `user`."
    )
    user: Name = Field(description="Who is shown it, as events name them.", examples=["u42"])
    candidates: list[CandidateWire] = Field(min_length=1, max_length=MAX_CANDIDATES)
    size: int = Field(ge=1, le=MAX_SLATE, description="Slots to fill.")

    def request(self, at: datetime) -> AllocationRequest:
        """The request as it is decided at a moment."""
        candidates = tuple(c.candidate() for c in self.candidates)
        return AllocationRequest(user=self.user, candidates=candidates, size=self.size, at=at)


class SlotWire(Outgoing):
    """An item in its slot."""

    item_id: str
    score: float = Field(description="The weighted sum of what it is expected to be worth to the utilities.")
    boosted: bool = Field(description="Whether it is there for its creator's money; send so in the impression.")
    cost: float = Field(description="What that costs the creator once it is seen; send it in the impression.")


class FeelingsWire(Outgoing):
    """The user agent's state."""

    satisfaction: float
    curiosity: float
    fatigue: float
    events: int = Field(description="How many events of the user it was made of.")
    protected: bool = Field(description="Whether they are too new to have things tried out on them.")


class DecisionWire(Outgoing):
    """What the agents show, and why."""

    scenario: str
    segment: str | None
    slate: list[SlotWire]
    mode: Mode
    explore_probability: float = Field(description="What the mode was drawn with.")
    user: FeelingsWire
    state: StateSource = Field(description="`neutral` where what events told can't be reached; `reason` says why.")
    reason: str | None
    weights: WeightsByUtility
    policy_id: str
    version: int
    source: Source
    rule: Rule
    stale: bool = Field(description="Whether the database last confirmed the weights too long ago.")
    ignored: list[str] = Field(description="Utilities that have a weight and that the agents don't estimate.")

    @classmethod
    def of(cls, sent: AllocationQuery, served: ServedWeights, made: Allocation) -> DecisionWire:
        """The answer to a request."""
        slots = [SlotWire(item_id=s.item_id, score=s.score, boosted=s.boosted, cost=s.cost) for s in made.slots]
        felt = made.feelings
        return cls(
            scenario=sent.scenario,
            segment=sent.segment,
            slate=slots,
            mode=made.mode,
            explore_probability=made.explore_probability,
            user=FeelingsWire(
                satisfaction=felt.satisfaction,
                curiosity=felt.curiosity,
                fatigue=felt.fatigue,
                events=felt.events,
                protected=felt.protected,
            ),
            state=made.state,
            reason=made.reason,
            weights=dict(made.weights),
            policy_id=served.policy_id,
            version=served.policy.version,
            source=served.policy.source,
            rule=served.rule,
            stale=served.freshness.stale,
            ignored=list(made.ignored),
        )
