"""Events: what is sent in, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field

from reward_llm.api.wire.base import Incoming, MomentIn, Outgoing
from reward_llm.api.wire.problem import ViolationWire
from reward_llm.domain.events import MAX_EVENTS, MAX_NAME_CHARS, MAX_POSITION, MAX_VALUE, Event, EventType

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]
Amount = Annotated[float, Field(ge=0, le=MAX_VALUE)]


class EventWire(Incoming):
    """Something that happened once; what is sent again has the same `event_id`."""

    event_id: Name
    type: EventType = Field(strict=False, examples=["click"])
    at: MomentIn
    scenario: Annotated[Name, Field(examples=["home_feed"])]
    segment: Name | None = None
    user: Name | None = Field(default=None, description="Only a `publish` does without.")
    item: Name | None = Field(default=None, description="Only a `session` does without.")
    request_id: Name | None = Field(default=None, description="Of the slate that it belongs to.")
    position: int | None = Field(default=None, ge=0, le=MAX_POSITION, description="In that slate, from 0.")
    policy_id: Name | None = Field(default=None, description="Whose weights made that slate.")
    propensity: float | None = Field(default=None, gt=0, le=1)
    value: Amount | None = Field(default=None, description="Money of a `purchase`, seconds of a `view`.")
    seller: Name | None = None
    category: Name | None = None
    creator: Name | None = Field(default=None, description="Needed for a `publish`.")
    is_new: bool | None = Field(default=None, description="Whether the item was new when it was shown.")
    boosted: bool | None = Field(default=None, description="Whether it was shown for its creator's money.")
    cost: Amount | None = Field(default=None, description="What the creator paid for that.")

    def event(self) -> Event:
        """The event itself."""
        return Event(**self.__dict__)


_EXAMPLE: Final = {
    "event_id": "0d4f6c1e",
    "type": "click",
    "at": "2026-06-18T12:00:00+08:00",
    "scenario": "home_feed",
    "user": "u42",
    "item": "i7",
    "category": "shoes",
}


class EventsRequest(Incoming):
    """Some events; each is taken in or refused by itself."""

    events: list[EventWire] = Field(min_length=1, max_length=MAX_EVENTS, examples=[[_EXAMPLE]])


class EventsEnvelope(Incoming):
    """The same as it is read: one bad event doesn't make the others so."""

    events: list[Any] = Field(min_length=1, max_length=MAX_EVENTS)


class RejectedEvent(Outgoing):
    """An event that wasn't taken in; sending it again won't help."""

    index: int = Field(description="Its place in `events`, from 0.")
    event_id: str | None
    code: str
    detail: str
    violations: list[ViolationWire]


class EventsWire(Outgoing):
    """What became of the events, by number."""

    accepted: int
    duplicates: int = Field(description="Events that came in before, which change nothing.")
    rejected: list[RejectedEvent]
