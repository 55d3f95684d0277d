"""From the events of served slates to an estimate."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from reward_llm.domain.events import Event, EventType
from reward_llm.domain.metrics import MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.errors import LogUnusable
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from reward_llm.feedback.offpolicy.estimators import ips, snips
from reward_llm.feedback.offpolicy.served import served_decisions
from tests.feedback.metrics.events import NOON

LOGGED = {"good": 0.25, "bad": 0.75}
CLICKED = {"good": 0.6, "bad": 0.1}
DAY = MetricWindow.parse("1d")


def shown(count: int, seed: int) -> list[Event]:
    """Slates of one item, which is good one time in four, and the clicks on them."""
    draw, events = random.Random(seed), []
    for n in range(count):
        item = "good" if draw.random() < LOGGED["good"] else "bad"
        about = {"scenario": "home_feed", "user": f"u{n % 97}", "item": item, "request_id": f"r{n}", "position": 0}
        at = NOON - timedelta(seconds=n + 5)
        events.append(Event(event_id=f"i{n}", type=EventType.IMPRESSION, at=at, propensity=LOGGED[item], **about))
        if draw.random() < CLICKED[item]:
            clicked = at + timedelta(seconds=2)
            events += [Event(event_id=f"{k}{n}", type=EventType.CLICK, at=clicked, **about) for k in "cd"]
    return events


async def test_served_slates_tell_what_another_policy_would_have_had() -> None:
    metrics = MetricsStore(open_logs(None, 2), lambda: NOON)
    await metrics.publish(shown(3_000, 1))
    slots = await metrics.slots(Scope("home_feed"), None, DAY)
    assert len(slots) == 3_000
    for estimator in (ips, snips):
        for share in (1.0, 0.5):
            found = estimator(served_decisions(slots, lambda slot, s=share: s if slot.item == "good" else 1 - s))
            assert found.covers(share * CLICKED["good"] + (1 - share) * CLICKED["bad"])
            assert found.is_reliable
    await metrics.aclose()


async def test_slots_without_a_propensity_tell_nothing() -> None:
    metrics = MetricsStore(open_logs(None, 1), lambda: NOON)
    about = {"scenario": "home_feed", "user": "u", "item": "i", "request_id": "r", "position": 0}
    await metrics.publish([Event(event_id="1", type=EventType.IMPRESSION, at=NOON, **about)])
    slots = await metrics.slots(Scope("home_feed"), None, DAY)
    assert slots == []
    with pytest.raises(LogUnusable):
        served_decisions(slots, lambda _: 1.0)
    await metrics.aclose()
