"""The ranker: what it is, and why it ranks as it does."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing, WeightsByUtility
from reward_llm.domain.preview import ExplainedItem, Explanation
from reward_llm.domain.ranker_card import RankerCard
from reward_llm.domain.ranking import SupplyType

MAX_REQUEST_CHARS: Final = 200


class TrainedOnWire(Outgoing):
    """The log that it learned from."""

    source: str
    lists: int = Field(description="Those that it learned from.")
    assessed: int = Field(description="Later ones, which the scores are of.")
    candidates: float = Field(description="Of a list, on average.")
    first: MomentOut
    last: MomentOut


class ReliabilityBinWire(Outgoing):
    """Lists with about the same predicted rate of clicks, and the rate that came."""

    expected: float
    observed: float


class SlateScoresWire(Outgoing):
    """Mean R_w of slates under one kind of weights, as the evaluator predicts it."""

    weights: str = Field(description="`drawn`, `equal`, or the utility that alone has a weight.")
    actor: float
    greedy: float
    logged: float
    better_than_logged: float = Field(description="A share of the requests.")
    at_least_greedy: float = Field(description="A share of the requests.")


class RankerWire(Outgoing):
    """What ranks here, as its training reported; what the report lacks is null or empty."""

    checkpoint_hash: str = Field(description="SHA-256 of its networks.")
    shipped: bool = Field(description="Whether it is the one that ships, which knows nothing of your users.")
    log: str = Field(description="The file of logged lists that previews and explanations try weights on.")
    utilities: list[str]
    size: int | None = Field(description="Slots of the slates that it was trained for.")
    seed: int | None
    parameters: dict[str, int] = Field(description="By network.")
    elapsed_s: dict[str, float] = Field(description="By step of the training.")
    trained_on: TrainedOnWire | None
    predictions: dict[str, float] = Field(description="The evaluator's scores on later lists, by name.")
    reliability: list[ReliabilityBinWire]
    examination: list[float] = Field(description="How likely each slot is looked at; the first one 1.")
    slates: list[SlateScoresWire]

    @classmethod
    def of(cls, card: RankerCard) -> RankerWire:
        """The card itself."""
        log = card.trained_on
        return cls(
            checkpoint_hash=card.checkpoint_hash,
            shipped=card.shipped,
            log=card.log,
            utilities=list(card.utilities),
            size=card.size,
            seed=card.seed,
            parameters=dict(card.parameters),
            elapsed_s=dict(card.elapsed_s),
            trained_on=TrainedOnWire.model_validate(log, from_attributes=True) if log else None,
            predictions=dict(card.predictions),
            reliability=[ReliabilityBinWire.model_validate(b, from_attributes=True) for b in card.reliability],
            examination=list(card.examination),
            slates=[SlateScoresWire.model_validate(s, from_attributes=True) for s in card.slates],
        )


class ExplanationRequest(Incoming):
    """A logged request, and the weights to rank it by."""

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(default=None, description="One of the scenario's segments; null for all users.")
    request: str = Field(
        min_length=1,
        max_length=MAX_REQUEST_CHARS,
        description="Its id, or its number in the log from 0.",
        examples=["17"],
    )
    weights: WeightsByUtility | None = Field(
        default=None, description="Instead of those in force; utilities that are left out weigh nothing."
    )


class ExplainedItemWire(Outgoing):
    """One item of the slate."""

    item_id: str
    supply_type: SupplyType
    seller: str | None
    category: str | None
    price: float | None
    age_days: float | None
    group: int
    contributions: dict[str, float] = Field(
        description="What the slate's score loses by each utility without the item, those below moving up."
    )
    slot_without: dict[str, int | None] = Field(
        description="Its slot, from 0, if that utility had no weight; null if it weren't shown."
    )

    @classmethod
    def of(cls, explained: ExplainedItem) -> ExplainedItemWire:
        """The item itself."""
        item = explained.item
        return cls(
            item_id=item.item_id,
            supply_type=item.supply_type,
            seller=item.seller,
            category=item.category,
            price=item.price,
            age_days=item.age_days,
            group=item.group,
            contributions=dict(explained.contributions),
            slot_without=dict(explained.slot_without),
        )


class SlateExplanationWire(Outgoing):
    """Why a logged request's slate is as it is; everything by utility."""

    scenario: str
    segment: str | None
    request_id: str
    policy_id: str | None = Field(description="Whose weights these are; null if they came with the request.")
    weights: dict[str, float]
    utilities: dict[str, float] = Field(description="What the slate is expected to be worth, in [0, 1].")
    influence: dict[str, float] = Field(description="Shares of the score's variance over lists near this one.")
    items: list[ExplainedItemWire] = Field(description="In the order of the slots.")
    ignored: list[str] = Field(description="Utilities that have a weight and that the ranker doesn't measure.")

    @classmethod
    def of(cls, sent: ExplanationRequest, policy_id: str | None, explanation: Explanation) -> SlateExplanationWire:
        """The explanation; `policy_id` is None where the weights came with the request."""
        return cls(
            scenario=sent.scenario,
            segment=sent.segment,
            request_id=explanation.request_id,
            policy_id=policy_id,
            weights=dict(explanation.weights),
            utilities=dict(explanation.utilities),
            influence=dict(explanation.influence),
            items=[ExplainedItemWire.of(item) for item in explanation.items],
            ignored=list(explanation.ignored),
        )
