from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.agents.live.config import StateConfig
from reward_llm.agents.live.mood import Mood, Trace
from reward_llm.agents.live.stores import UserRecord
from reward_llm.agents.live.user_state import Outcome, UserState
from reward_llm.domain.events import EventType
from tests.events import STATE, event

MOOD = STATE.mood
KINDS = [EventType.IMPRESSION, EventType.CLICK, EventType.VIEW, EventType.COMPLETE, EventType.SESSION]
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from("abc"), st.floats(0, 240), st.floats(0, 60)), max_size=60
)
Steps = list[tuple[EventType, str, float, float]]


def traces(steps: Steps) -> list[Trace]:
    """Events one after another, each so many seconds after the one before."""
    found, after_s = [], 0.0
    for number, (kind, category, pause_s, value) in enumerate(steps):
        after_s += pause_s
        made = event(f"e{number}", kind, after_s, item=f"i{number}", category=category, value=value)
        found.append(Trace.of(made))
    return found


def lived(found: list[Trace], config: StateConfig = STATE, batch: int = 7) -> UserState:
    """A state that is settled, written and read after each batch."""
    state, kept = UserState(config), UserRecord()
    for start in range(0, len(found), batch):
        for trace in found[start : start + batch]:
            state.add(trace)
        state.settle()
        settled, added, removed = state.changes()
        recent = {name: text for name, text in {**kept.recent, **added}.items() if name not in removed}
        kept = UserRecord(settled=settled or kept.settled, recent=recent)
        state = UserState.read(config, kept)
    return state


def folded(found: list[Trace]) -> Mood:
    """The plain way: one event after another."""
    mood = Mood.first(MOOD)
    for trace in sorted(found):
        mood.feel(trace, MOOD)
    return mood


@given(STEPS)
def test_a_state_that_is_kept_in_pieces_is_what_one_fold_gives(steps: Steps) -> None:
    found = traces(steps)
    assert lived(found).now() == folded(found)


@given(STEPS, st.randoms(use_true_random=False), st.integers(1, 20))
def test_order_and_repetition_change_nothing_within_the_lateness(
    steps: Steps, dice: random.Random, batch: int
) -> None:
    found = [t for t in traces(steps) if t.at_ms - traces(steps)[0].at_ms < STATE.lateness_s * 1_000]
    shuffled = [*found, *dice.sample(found, len(found) // 2)]
    dice.shuffle(shuffled)
    assert lived(shuffled, batch=batch).now() == folded(found)


@given(STEPS)
def test_moods_stay_between_0_and_1(steps: Steps) -> None:
    mood = folded(traces(steps))
    assert all(0 <= value <= 1 for value in (mood.satisfaction, mood.curiosity, mood.fatigue))
    assert sum(mood.affinity.values()) <= 1 + 1e-9
    assert len(mood.clicks) <= MOOD.remembered_clicks
    assert mood.events == len(steps)


def test_what_came_before_and_what_comes_too_late_is_told() -> None:
    state = UserState(STATE)
    assert state.add(Trace.of(event("a"))) is Outcome.APPLIED
    assert state.add(Trace.of(event("a"))) is Outcome.DUPLICATE
    state.add(Trace.of(event("b", after_s=STATE.lateness_s + 60)))
    state.settle()
    assert state.add(Trace.of(event("c", after_s=59))) is Outcome.LATE
    assert state.add(Trace.of(event("a"))) is Outcome.LATE
    assert state.add(Trace.of(event("d", after_s=61))) is Outcome.APPLIED
    assert state.now().events == 3


def test_a_user_with_very_many_events_holds_few_of_them_back() -> None:
    few = replace(STATE, max_recent=10)
    found = [Trace.of(event(f"e{n:03}", after_s=n)) for n in range(100)]
    state = lived(found, few)
    assert len(state.recent) == 10
    assert state.now() == folded(found)


def test_three_alike_in_a_row_tire_and_a_new_session_rests() -> None:
    mood = Mood.first(MOOD)
    for n in range(2):
        mood.feel(Trace.of(event(f"a{n}", EventType.IMPRESSION)), MOOD)
    assert mood.fatigue == 0
    mood.feel(Trace.of(event("a2", EventType.IMPRESSION)), MOOD)
    assert mood.fatigue == MOOD.fatigue_rate
    mood.feel(Trace.of(event("b", EventType.IMPRESSION, category="hats")), MOOD)
    assert mood.fatigue == MOOD.fatigue_rate * (1 - MOOD.relief_rate)
    mood.feel(Trace.of(event("s", EventType.SESSION, item=None)), MOOD)
    assert mood.fatigue == MOOD.fatigue_rate * (1 - MOOD.relief_rate) * (1 - MOOD.rest_rate)


def test_a_novel_click_rouses_curiosity_and_a_usual_one_calms_it() -> None:
    mood = Mood.first(MOOD)
    mood.feel(Trace.of(event("a")), MOOD)
    roused = MOOD.first_curiosity + MOOD.curiosity_rate * (1 - MOOD.first_curiosity)
    assert mood.curiosity == roused
    mood.feel(Trace.of(event("b")), MOOD)
    assert mood.curiosity == roused * (1 - MOOD.habit_rate)


def test_satisfaction_is_the_weighted_mean_of_rewards() -> None:
    mood = Mood.first(MOOD)
    rewards = [(EventType.COMPLETE, None, 1.0), (EventType.VIEW, 6.0, 0.2), (EventType.VIEW, 300.0, 1.0)]
    expected = MOOD.first_satisfaction
    for number, (kind, value, reward) in enumerate(rewards):
        mood.feel(Trace.of(event(f"r{number}", kind, number, value=value)), MOOD)
        expected = (1 - MOOD.satisfaction_rate) * expected + MOOD.satisfaction_rate * reward
    assert abs(mood.satisfaction - expected) < 1e-12
    assert list(mood.affinity) == ["shoes"]
