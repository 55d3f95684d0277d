"""Made-up days of a feed: users with tastes, slates, clicks and what follows from them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from reward_llm.domain.events import Event, EventType

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
POLICIES = ("pol_a", "pol_b")
SEGMENTS = ("new_user", "mature_user", None)
CATEGORIES = ("shoes", "books", "music", "food")


def days(seed: int, *, users: int = 60, count: int = 3, until: datetime = NOON) -> list[Event]:
    """All that happened on so many days, in the order in which it did."""
    draw = random.Random(seed)
    found = [e for user in range(users) for day in range(count) for e in _visit(draw, user, day, count, until)]
    return sorted(found, key=lambda e: e.at)


def _visit(draw: random.Random, user: int, day: int, count: int, until: datetime) -> Iterator[Event]:
    if draw.random() < 0.35:
        return
    began = until - timedelta(days=count - day) + timedelta(seconds=draw.randrange(80_000))
    about = {
        "scenario": "home_feed",
        "user": f"u{user}",
        "segment": SEGMENTS[user % 3],
        "policy_id": POLICIES[user % 2],
    }
    yield Event(event_id=f"s{user}-{day}", type=EventType.SESSION, at=began, **about)
    for slate in range(draw.randrange(1, 4)):
        for slot in range(6):
            item, at = draw.randrange(40), began + timedelta(seconds=60 * slate + 5 * slot)
            shown = {
                **about,
                "item": f"i{item}",
                "category": CATEGORIES[item % 4],
                "request_id": f"r{user}-{day}-{slate}",
                "position": slot,
                "is_new": item < 8,
            }
            name, boosted = f"{user}-{day}-{slate}-{slot}", item < 4
            cost = 0.01 * draw.randrange(1, 9) if boosted else None
            yield Event(event_id=f"i{name}", type=EventType.IMPRESSION, at=at, boosted=boosted, cost=cost, **shown)
            yield from _reactions(draw, name, at, shown)


def _reactions(draw: random.Random, name: str, at: datetime, shown: dict[str, object]) -> Iterator[Event]:
    if draw.random() < 0.3:
        yield Event(event_id=f"c{name}", type=EventType.CLICK, at=at + timedelta(seconds=1), **shown)
        seconds = draw.randrange(1, 300) / 7
        yield Event(event_id=f"v{name}", type=EventType.VIEW, at=at + timedelta(seconds=2), value=seconds, **shown)
        if draw.random() < 0.4:
            yield Event(event_id=f"d{name}", type=EventType.COMPLETE, at=at + timedelta(seconds=3), **shown)
        if draw.random() < 0.2:
            price = draw.randrange(1, 9_999) / 100
            yield Event(
                event_id=f"p{name}", type=EventType.PURCHASE, at=at + timedelta(seconds=4), value=price, **shown
            )
