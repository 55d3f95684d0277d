"""What happened to users and items: events, as every part of the program tells them to the others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from reward_llm.errors import EventInvalid, Violation

MAX_EVENTS: Final = 1_000
"""How many events are sent at once."""
MAX_NAME_CHARS: Final = 200
MAX_POSITION: Final = 10_000
MAX_VALUE: Final = 1e12
"""Of money in the scenario's currency, and of seconds."""
MAX_AHEAD: Final = timedelta(minutes=5)
"""How far the clocks of those who send events may be ahead of ours."""
MAX_AGE: Final = timedelta(days=31)
"""How long ago something may have happened that is still taken in."""


class EventType(StrEnum):
    """What happened.

    A `view` is the time that was spent with an item, a `session` that a user came (back), and a `publish` that an
    item can be shown from now on.
    """

    IMPRESSION = "impression"
    CLICK = "click"
    VIEW = "view"
    COMPLETE = "complete"
    LIKE = "like"
    SHARE = "share"
    PURCHASE = "purchase"
    SESSION = "session"
    PUBLISH = "publish"


VALUED: Final = frozenset({EventType.VIEW, EventType.PURCHASE})
"""What can't be told without a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened once; whoever sends it again sends the same `event_id`.

    `at` is when it happened, with its UTC offset. `user` may be a device's id where nobody is signed in, and is only
    missing where something was published. `request_id`, `position` (from 0), `policy_id` and `propensity` (the
    probability, over 0, that the item was shown there) are those of the slate that it belongs to. `value` is money of
    a purchase and seconds of a view. `is_new` says that the item was new when it was shown, `boosted` that it was
    shown for its creator's `cost`, which is money.
    """

    event_id: str
    type: EventType
    at: datetime
    scenario: str
    segment: str | None = None
    user: str | None = None
    item: str | None = None
    request_id: str | None = None
    position: int | None = None
    policy_id: str | None = None
    propensity: float | None = None
    value: float | None = None
    seller: str | None = None
    category: str | None = None
    creator: str | None = None
    is_new: bool | None = None
    boosted: bool | None = None
    cost: float | None = None

    @property
    def key(self) -> str:
        """Whose events must be told in one order: the user's, or the item's where there is no user."""
        return self.user or self.item or self.event_id

    def problems(self) -> Iterator[Violation]:
        """Everything for which it can't be taken in, whenever that is."""
        for name in _NAMES:
            text: str | None = getattr(self, name)
            if text is not None and not 1 <= len(text) <= MAX_NAME_CHARS:
                yield Violation(path=name, code="length", message=f"must have 1 to {MAX_NAME_CHARS} characters")
        if self.at.utcoffset() is None:
            yield Violation(path="at", code="offset", message="says no UTC offset, such as Z or +08:00")
        yield from self._missing()
        yield from self._out_of_range()

    def untimely(self, now: datetime) -> Iterator[Violation]:
        """Why it can't be taken in at this moment; for events whose `at` has its offset."""
        if self.at > now + MAX_AHEAD:
            yield Violation(path="at", code="future", message=f"is later than now, {now.isoformat()}")
        if self.at < now - MAX_AGE:
            yield Violation(path="at", code="too_old", message=f"is more than {MAX_AGE.days} days ago")

    def _missing(self) -> Iterator[Violation]:
        needed = {
            "user": self.type is not EventType.PUBLISH,
            "item": self.type is not EventType.SESSION,
            "creator": self.type is EventType.PUBLISH,
            "value": self.type in VALUED,
        }
        for name, is_needed in needed.items():
            if is_needed and getattr(self, name) is None:
                yield Violation(path=name, code="missing", message=f"is needed for a {self.type.value}")

    def _out_of_range(self) -> Iterator[Violation]:
        if self.position is not None and not 0 <= self.position <= MAX_POSITION:
            yield Violation(path="position", code="range", message=f"must be 0 to {MAX_POSITION}")
        if self.propensity is not None and not 0 < self.propensity <= 1:
            yield Violation(path="propensity", code="range", message="must be over 0 and at most 1")
        for name, amount in (("value", self.value), ("cost", self.cost)):
            if amount is not None and not (math.isfinite(amount) and 0 <= amount <= MAX_VALUE):
                yield Violation(path=name, code="range", message=f"must be 0 to {MAX_VALUE:.0e}")


_NAMES: Final = (
    "event_id",
    "scenario",
    "segment",
    "user",
    "item",
    "request_id",
    "policy_id",
    "seller",
    "category",
    "creator",
)
_FIELDS: Final = tuple(Event.__dataclass_fields__)
_SCALARS: Final = tuple(name for name in _FIELDS if name not in {"type", "at"})
_NUMBERS: Final = frozenset({"propensity", "value", "cost"})
_FLAGS: Final = frozenset({"is_new", "boosted"})
_COUNTS: Final = frozenset({"position"})


def event_document(event: Event) -> dict[str, Any]:
    """The event as a JSON object without what is None, for logs and streams; `at` is in UTC.

    >>> event = Event(event_id="e1", type=EventType.SESSION, at=datetime(2026, 6, 18, tzinfo=UTC), scenario="s")
    >>> event_document(event)
    {'event_id': 'e1', 'type': 'session', 'at': '2026-06-18T00:00:00+00:00', 'scenario': 's'}
    >>> event_from(event_document(event)) == event
    True
    """
    document: dict[str, Any] = {
        "event_id": event.event_id,
        "type": event.type.value,
        "at": event.at.astimezone(UTC).isoformat(),
    }
    for name in _SCALARS:
        value = getattr(event, name)
        if value is not None:
            document[name] = value
    return document


def event_from(document: Mapping[str, Any]) -> Event:
    """The event that `event_document` wrote; names that it doesn't know are passed over.

    Raises:
        EventInvalid: If the object is no event.
    """
    try:
        known = {name: _checked(name, document[name]) for name in _SCALARS if name in document}
        return Event(type=EventType(document["type"]), at=datetime.fromisoformat(document["at"]), **known)
    except (KeyError, TypeError, ValueError) as exc:
        raise EventInvalid(f"not an event: {exc!r}", hint="Write events with event_document.") from exc


def _checked(name: str, value: Any) -> Any:
    """The value, if it is of the type that the field has or None.

    Raises:
        TypeError: If it isn't.
    """
    if name in _NUMBERS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif name in _FLAGS:
        fits = isinstance(value, bool)
    elif name in _COUNTS:
        fits = isinstance(value, int) and not isinstance(value, bool)
    else:
        fits = isinstance(value, str)
    if not fits and value is not None:
        raise TypeError(f"{name} is {type(value).__name__}")
    return value
