from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.activation import Activation
from reward_llm.domain.goal import Window
from reward_llm.domain.interpretation import Direction, Emphasis, Intent
from reward_llm.domain.memory import (
    KNOWN,
    SETTLED,
    GoalMemory,
    Observation,
    is_of_a_goal,
    most_alike,
    similarity,
    windows_due,
)
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source
from tests.strategies import HOME_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
DAY, WEEK, HOUR = timedelta(days=1), timedelta(days=7), timedelta(hours=1)


def policy(source: Source = Source.RULES) -> RewardPolicy:
    return RewardPolicy(
        scope=Scope("home_feed"),
        version=1,
        weights=HOME_FEED.defaults,
        source=source,
        origin="goal_1",
        created_at=NOON,
    )


def active(lasts: timedelta | None = None) -> Activation:
    window = Window(valid_from=NOON, valid_until=NOON + lasts if lasts else None)
    return Activation(sequence=1, policy=policy(), window=window, activated_at=NOON, activated_by="ann")


def remembered(*utilities: str, looked: int = 1, goal: str = "goal") -> GoalMemory:
    look = Observation(activation=1, policy_id="pol", since=NOON, until=NOON + looked * DAY, metrics={}, before={})
    intents = [Intent(utility=u, direction=Direction.RAISE, emphasis=Emphasis.CLEAR) for u in utilities]
    return GoalMemory(goal_id=goal, scope=Scope("home_feed"), intents=intents, observations=[look] if looked else [])


@pytest.mark.parametrize(
    ("lasts", "after", "spans"),
    [
        (None, DAY, []),
        (None, DAY + SETTLED, [DAY]),
        (None, WEEK, [DAY]),
        (None, WEEK + SETTLED, [DAY, WEEK]),
        (None, KNOWN - DAY, [DAY, WEEK]),
        (None, KNOWN - DAY + HOUR, []),
        (2 * DAY, WEEK, [DAY, 2 * DAY]),
        (DAY, WEEK, [DAY]),
        (5 * HOUR, 6 * HOUR, [5 * HOUR]),
        (5 * HOUR, 5 * HOUR, []),
        (timedelta(seconds=150), DAY, [timedelta(seconds=120)]),
        (timedelta(seconds=50), DAY, []),
        (8 * DAY, 10 * DAY, [DAY, WEEK]),
    ],
)
def test_what_was_in_force_long_enough_is_looked_at(
    lasts: timedelta | None, after: timedelta, spans: list[timedelta]
) -> None:
    found = windows_due(active(lasts), NOON + after)
    expected = [s for s in spans if after <= KNOWN - s]
    assert [until - since for since, until in found] == expected
    assert all(since == NOON for since, _ in found)


@given(st.timedeltas(timedelta(minutes=1), timedelta(days=60)), st.timedeltas(timedelta(0), timedelta(days=60)))
def test_nothing_is_looked_at_before_it_is_over_or_after_it_is_forgotten(lasts: timedelta, after: timedelta) -> None:
    for since, until in windows_due(active(lasts), NOON + after):
        assert until <= NOON + min(lasts, after)
        assert (until - since) % timedelta(minutes=1) == timedelta(0)
        assert NOON + after - (since - (until - since)) <= KNOWN


def test_policies_of_goals_are_those_that_were_read_or_solved() -> None:
    assert {s for s in Source if is_of_a_goal(policy(s))} == {
        Source.VLLM,
        Source.EMBEDDED,
        Source.SCRIPTED,
        Source.RULES,
        Source.LAST_KNOWN_GOOD,
        Source.SOLVED,
    }


def test_goals_are_as_alike_as_what_they_ask_of() -> None:
    assert similarity(["gmv", "click"], remembered("gmv", "click")) == 1
    assert similarity(["gmv"], remembered("gmv", "click")) == 0.5
    assert similarity([], remembered()) == 0
    assert similarity(["gmv"], remembered("click")) == 0


def test_the_most_alike_come_first_then_the_newest_and_what_nobody_looked_at_never() -> None:
    same, newer, other = (
        remembered("gmv", goal="same"),
        remembered("gmv", looked=7, goal="newer"),
        remembered("click"),
    )
    unseen = remembered("gmv", looked=0, goal="unseen")
    assert most_alike([other, same, unseen, newer], ["gmv"], 2) == [newer, same]
    assert most_alike([other, same, unseen], ["gmv"], 5) == [same, other]


def test_the_longest_look_at_a_policy_is_its_outcome() -> None:
    memory = GoalMemory(
        goal_id="g",
        scope=Scope("home_feed"),
        intents=(),
        observations=[o for days in (7, 1) for o in remembered(looked=days).observations],
    )
    assert memory.last("pol") == memory.outcome == memory.observations[0]
    assert memory.last("pol_other") is None
    assert remembered(looked=0).outcome is None
