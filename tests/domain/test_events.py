from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.events import MAX_AGE, MAX_AHEAD, Event, EventType, event_document, event_from
from reward_llm.errors import EventInvalid
from tests.events import NOON, event

NAMES = st.text(min_size=1, max_size=200)
AMOUNTS = st.floats(0, 1e12)
EVENTS = st.builds(
    Event,
    event_id=NAMES,
    type=st.sampled_from(EventType),
    at=st.datetimes(
        datetime(2000, 1, 1),
        datetime(2100, 1, 1),
        timezones=st.integers(-840, 840).map(lambda m: timezone(timedelta(minutes=m))),
    ),
    scenario=NAMES,
    user=NAMES,
    item=NAMES,
    creator=NAMES,
    segment=st.none() | NAMES,
    position=st.none() | st.integers(0, 10_000),
    propensity=st.none() | st.floats(1e-9, 1),
    value=AMOUNTS,
    cost=st.none() | AMOUNTS,
    is_new=st.none() | st.booleans(),
    boosted=st.none() | st.booleans(),
)


@given(EVENTS)
def test_an_event_comes_back_from_its_document_as_it_was(sent: Event) -> None:
    assert event_from(json.loads(json.dumps(event_document(sent)))) == sent
    assert list(sent.problems()) == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"event_id": ""}, "event_id"),
        ({"user": "u" * 201}, "user"),
        ({"user": None}, "user"),
        ({"item": None}, "item"),
        ({"at": datetime(2026, 6, 18, 12)}, "at"),
        ({"position": -1}, "position"),
        ({"propensity": 0.0}, "propensity"),
        ({"propensity": 1.1}, "propensity"),
        ({"type": EventType.PURCHASE}, "value"),
        ({"type": EventType.VIEW, "value": -1.0}, "value"),
        ({"type": EventType.PURCHASE, "value": float("inf")}, "value"),
        ({"cost": float("nan")}, "cost"),
        ({"type": EventType.PUBLISH, "user": None}, "creator"),
    ],
)
def test_what_cannot_be_an_event_says_where(changes: dict[str, Any], path: str) -> None:
    assert [v.path for v in replace(event(), **changes).problems()] == [path]


def test_what_was_published_needs_no_user_and_a_session_no_item() -> None:
    assert not list(event(kind=EventType.PUBLISH, user=None, creator="c1").problems())
    assert not list(event(kind=EventType.SESSION, item=None).problems())


def test_an_event_of_tomorrow_or_of_last_year_is_untimely() -> None:
    sent = event()
    assert [v.code for v in sent.untimely(NOON - MAX_AHEAD - timedelta(seconds=1))] == ["future"]
    assert [v.code for v in sent.untimely(NOON + MAX_AGE + timedelta(seconds=1))] == ["too_old"]
    assert not list(sent.untimely(NOON + MAX_AGE)) + list(sent.untimely(NOON - MAX_AHEAD))


@pytest.mark.parametrize(
    "change",
    [
        {"at": "noon"},
        {"type": "stare"},
        {"user": 7},
        {"position": True},
        {"value": "3"},
        {"boosted": 1},
        {"at": None},
    ],
)
def test_a_document_that_is_no_event_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(EventInvalid):
        event_from({**event_document(event()), **change})


def test_what_another_version_writes_beside_is_passed_over() -> None:
    assert event_from({**event_document(event()), "mood": "sunny"}) == event()
    assert event().at.tzinfo is UTC
