"""Intervals and merging."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.events import Event, EventType
from reward_llm.domain.metrics import NOTHING, Metric, MetricWindow
from reward_llm.errors import WindowInvalid
from reward_llm.feedback.metrics.estimates import estimate, estimates, group_of
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from reward_llm.feedback.metrics.tallies import COUNTED, GROUPS, GroupTally, Tally, merged
from tests.feedback.metrics.events import NOON

MONTH = MetricWindow.parse("30d")
COUNTS = st.builds(GroupTally, **{name: st.integers(0, 50) for name in COUNTED})
TALLIES = st.builds(
    lambda groups, items: Tally(groups=groups, new_items=items),
    st.dictionaries(st.integers(0, GROUPS - 1), COUNTS),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)),
)


@given(TALLIES)
def test_every_interval_holds_its_value(tally: Tally) -> None:
    for found in estimates(tally).values():
        if found.low is not None and found.high is not None and found.value is not None:
            assert 0 <= found.low <= found.value + 1e-9
            assert found.value <= found.high + 1e-9


@given(st.lists(TALLIES, min_size=1, max_size=4))
def test_partitions_merge_in_any_order(tallies: list[Tally]) -> None:
    assert merged(tallies) == merged(reversed(tallies))
    assert merged([merged(tallies[:2]), *tallies[2:]]) == merged(tallies)


def test_what_nothing_tells_is_nothing() -> None:
    assert set(estimates(Tally()).values()) == {NOTHING}


def clicked_by(draw: random.Random, users: int) -> Tally:
    """Users of whom each has a click rate of their own around 0.2, and 30 impressions."""
    groups: dict[int, GroupTally] = {}
    for user in range(users):
        rate = draw.betavariate(2, 8)
        tally = GroupTally(impressions=30, clicks=sum(draw.random() < rate for _ in range(30)))
        group = group_of(f"{user}-{draw.random()}")
        groups[group] = groups[group] + tally if group in groups else tally
    return Tally(groups=groups)


def test_intervals_of_users_who_differ_cover_the_rate_about_as_often_as_they_say() -> None:
    draw = random.Random(3)
    found = [estimate(Metric.CTR, clicked_by(draw, 160)) for _ in range(300)]
    covered = sum(e.low <= 0.2 <= e.high for e in found if e.low is not None and e.high is not None) / 300
    assert 0.91 <= covered <= 0.985


def test_a_share_of_nothing_is_still_uncertain() -> None:
    found = estimate(Metric.CTR, Tally(groups={n: GroupTally(impressions=10) for n in range(GROUPS)}))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.0276, abs=1e-3)


def test_one_group_tells_no_interval_of_a_mean() -> None:
    found = estimate(Metric.NDCG, Tally(groups={3: GroupTally(clicked_slates=2, ndcg=1.5)}))
    assert (found.value, found.low, found.high) == (0.75, None, None)


async def test_sessions_of_a_day_are_followed_to_the_next_whatever_policy_they_have_then() -> None:
    metrics = MetricsStore(open_logs(None, 1), lambda: NOON)
    seen = Event(event_id="1", type=EventType.SESSION, at=NOON - timedelta(hours=30), scenario="home_feed", user="u")
    await metrics.publish([replace(seen, policy_id="a"), replace(seen, event_id="2", at=NOON, policy_id="b")])
    day, hour = MetricWindow.parse("1d"), MetricWindow.parse("1h")
    assert (await metrics.read("home_feed", None, "a", Metric.NEXT_DAY_RETENTION, day)).value == 1
    assert await metrics.read("home_feed", None, "b", Metric.NEXT_DAY_RETENTION, day) == NOTHING
    assert await metrics.read("home_feed", None, "a", Metric.NEXT_DAY_RETENTION, hour) == NOTHING
    await metrics.aclose()


@pytest.mark.parametrize("text", ["0m", "59s", "31d", "1w", "", "721h", "-1d", "1.5h"])
def test_windows_are_one_minute_to_thirty_days(text: str) -> None:
    with pytest.raises(WindowInvalid):
        MetricWindow.parse(text)


@pytest.mark.parametrize("text", ["1m", "90m", "6h", "1d", "30d"])
def test_a_window_is_written_as_it_is_read(text: str) -> None:
    assert str(MetricWindow.parse(text)) == text
