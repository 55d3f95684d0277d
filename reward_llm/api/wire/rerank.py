"""Ranking: candidates in, a slate out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from reward_llm.api.wire.base import Incoming, Outgoing, WeightsByUtility
from reward_llm.domain.ranking import (
    MAX_CANDIDATES,
    MAX_SLATE,
    Candidate,
    RankedSlate,
    RankingRequest,
    SupplyType,
)
from reward_llm.domain.ranking import Feature as FeatureValue
from reward_llm.domain.serving import Rule, ServedWeights
from reward_llm.domain.source import Source

MAX_TEXT_CHARS: Final = 200
MAX_PRICE: Final = 1e12
MAX_GROUP: Final = 1_000_000
MAX_MOMENT_S: Final = 253_402_300_799
"""The end of the year 9999."""
IN_THE_REQUEST: Final = "request"
"""The source of weights that came with what they were for."""

Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
ItemId = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARS)]
Feature = bool | float | Text
Features = Annotated[
    dict[Text, Feature],
    Field(description="By the names of the ranker's features; a number, a text, or true and false for 1 and 0."),
]


class CandidateWire(Incoming):
    """An item that may be shown; what is left out is unknown."""

    item_id: ItemId
    supply_type: SupplyType = "product"
    seller: Text | None = None
    category: Text | None = None
    price: float | None = Field(default=None, ge=0, le=MAX_PRICE)
    published: int | None = Field(
        default=None, ge=0, le=MAX_MOMENT_S, description="Seconds since 1970 in UTC; without it the item isn't new."
    )
    group: int = Field(default=0, ge=0, le=MAX_GROUP, description="Priority of its supply group, 0 first.")
    forbidden: bool = Field(default=False, description="Never to be shown.")
    features: Features = Field(default_factory=dict, examples=[{"affinity": 0.4, "rating": 4.5}])

    def candidate(self) -> Candidate:
        """The candidate itself."""
        return Candidate(
            item_id=self.item_id,
            supply_type=self.supply_type,
            seller=self.seller,
            category=self.category,
            price=self.price,
            published=self.published,
            group=self.group,
            forbidden=self.forbidden,
            features=_plain(self.features),
        )


class UserWire(Incoming):
    """Whom the slate is for."""

    features: Features = Field(default_factory=dict)


class RerankRequest(Incoming):
    """What is to be ranked, and by which weights."""

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(default=None, description="One of the scenario's segments; null for all users.")
    unit: str | None = Field(
        default=None,
        max_length=MAX_TEXT_CHARS,
        description="Whom a partial rollout is decided for: a user's id.",
    )
    weights: WeightsByUtility | None = Field(
        default=None, description="Instead of those in force; utilities that are left out weigh nothing."
    )
    user: UserWire = Field(default_factory=UserWire)
    candidates: list[CandidateWire] = Field(min_length=1, max_length=MAX_CANDIDATES)
    size: int = Field(ge=1, le=MAX_SLATE, description="Slots to fill.")
    pinned: dict[ItemId, int] = Field(
        default_factory=dict,
        max_length=MAX_SLATE,
        description="The slot, from 0, of items that are guaranteed one.",
    )
    explore: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="The probability that another slate is shown than the best one, to learn from.",
    )

    def request(self, at: datetime) -> RankingRequest:
        """The request as it is ranked at a moment."""
        return RankingRequest(
            user=_plain(self.user.features),
            candidates=tuple(c.candidate() for c in self.candidates),
            size=self.size,
            at=at,
            pinned=dict(self.pinned),
            explore=self.explore,
        )


class RerankWire(Outgoing):
    """A slate, and whose weights made it."""

    request_id: str = Field(description="Of this slate, for the events that come of it.")
    scenario: str
    segment: str | None
    slate: list[str] = Field(description="The ids of the items, in the order of the slots.")
    propensities: list[float] | None = Field(
        description="With which probability each item came to its slot, for its impression; null without `explore`."
    )
    utilities: dict[str, float] = Field(
        description="What the slate is expected to be worth by each utility that the ranker measures, in [0, 1]."
    )
    score: float = Field(description="The weighted sum of the utilities, which the slate was chosen for.")
    weights: WeightsByUtility
    policy_id: str | None = Field(description="Whose weights these are; null if they came with the request.")
    version: int | None
    source: Source | Literal["request"]
    rule: Rule | None = Field(description="Whose activation won; null if the weights came with the request.")
    stale: bool = Field(description="Whether the database last confirmed the weights too long ago.")
    chosen: str = Field(description="Who wrote the slate: the `actor`, one of its rivals, `baseline`, or `explored`.")
    breaches: list[str] = Field(description="Rules for which a slate with a higher score wasn't shown.")
    unmet: list[str] = Field(description="Rules that this slate breaks, as every other does that was found.")
    ignored: list[str] = Field(description="Utilities that have a weight and that the ranker doesn't measure.")
    missing: list[str] = Field(description="Features that the ranker knows and nobody sent.")
    unknown: list[str] = Field(description="Features that were sent and that the ranker doesn't know.")

    @classmethod
    def of(
        cls,
        request_id: str,
        sent: RerankRequest,
        weights: Mapping[str, float],
        served: ServedWeights | None,
        ranked: RankedSlate,
    ) -> RerankWire:
        """The slate; `served` is None where the weights came with the request."""
        return cls(
            request_id=request_id,
            scenario=sent.scenario,
            segment=sent.segment,
            slate=list(ranked.items),
            propensities=None if ranked.propensities is None else list(ranked.propensities),
            utilities=dict(ranked.utilities),
            score=ranked.score,
            weights=dict(weights),
            policy_id=served.policy_id if served else None,
            version=served.policy.version if served else None,
            source=served.policy.source if served else IN_THE_REQUEST,
            rule=served.rule if served else None,
            stale=served.freshness.stale if served else False,
            chosen=ranked.chosen,
            breaches=list(ranked.breaches),
            unmet=list(ranked.unmet),
            ignored=list(ranked.ignored),
            missing=list(ranked.missing),
            unknown=list(ranked.unknown),
        )


def _plain(features: Mapping[str, Feature]) -> dict[str, FeatureValue]:
    return {name: float(value) if isinstance(value, bool) else value for name, value in features.items()}
