from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.api.edge.buckets import Buckets, Limit

LIMITS = st.integers(1, 100).map(lambda n: Limit(name="requests", per_minute=n))
PAUSES_S = st.lists(st.floats(0, 90, allow_subnormal=False), max_size=80)


@given(limit=LIMITS, pauses_s=PAUSES_S)
def test_no_stretch_of_time_has_more_than_a_limit_and_what_flows_in(limit: Limit, pauses_s: list[float]) -> None:
    buckets, now_s, allowed_s = Buckets(limit), 0.0, []
    for pause_s in pauses_s:
        now_s += pause_s
        if buckets.take("ann", now_s).allowed:
            allowed_s.append(now_s)
    for i, begin_s in enumerate(allowed_s):
        for j, end_s in enumerate(allowed_s[i:], 1):
            assert j <= limit.per_minute * (1 + (end_s - begin_s) / 60) + 1e-6


@given(limit=LIMITS, pauses_s=PAUSES_S)
def test_who_waits_as_long_as_is_said_is_let_through(limit: Limit, pauses_s: list[float]) -> None:
    buckets, now_s = Buckets(limit), 0.0
    for pause_s in [*pauses_s, *[0.0] * limit.per_minute]:
        now_s += pause_s
        taken = buckets.take("ann", now_s)
        assert taken.allowed or taken.wait_s > 0
    now_s += taken.wait_s + 1e-6
    assert buckets.take("ann", now_s).allowed


@given(limit=LIMITS)
def test_what_remains_is_what_can_be_had(limit: Limit) -> None:
    buckets = Buckets(limit)
    remaining = buckets.take("ann", 0).remaining
    assert remaining == limit.per_minute - 1
    assert [buckets.take("ann", 0).allowed for _ in range(remaining + 1)] == [True] * remaining + [False]


def test_everybody_has_a_bucket_of_their_own() -> None:
    buckets = Buckets(Limit(name="requests", per_minute=1))
    assert [buckets.take(key, 0).allowed for key in ("ann", "bob", "ann")] == [True, True, False]


def test_a_clock_that_is_set_back_gives_nothing_and_takes_nothing() -> None:
    buckets = Buckets(Limit(name="requests", per_minute=1))
    assert buckets.take("ann", 1_000).allowed
    assert not buckets.take("ann", 0).allowed
    assert buckets.take("ann", 60).allowed


def test_who_was_quiet_for_longest_is_forgotten_first() -> None:
    buckets = Buckets(Limit(name="requests", per_minute=1), most_keys=2)
    for key in ("ann", "bob", "carl"):
        buckets.take(key, 0)
    assert len(buckets) == 2
    assert not buckets.take("carl", 0).allowed
    assert not buckets.take("bob", 0).allowed
