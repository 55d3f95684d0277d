from __future__ import annotations

import sys

from hypothesis import example, given
from hypothesis import strategies as st

from reward_llm.delivery.sdk import shares
from reward_llm.delivery.sdk.shares import KEPT_UNITS, includes
from reward_llm.domain.rollout import bucket

UNITS = st.text(max_size=20) | st.text(alphabet="\ud800\udfff用户", max_size=4)


@given(policy_id=st.text(max_size=20), unit=UNITS, percent=st.floats(0, 100, exclude_min=True, exclude_max=True))
@example(policy_id="pol_1", unit="\ud800", percent=50.0)
def test_a_unit_is_in_a_rollout_if_its_bucket_is_below_the_percentage(
    policy_id: str, unit: str, percent: float
) -> None:
    assert includes(policy_id, percent)(unit) == (bucket(policy_id, unit) < percent)


@given(policy_id=st.text(max_size=20), unit=UNITS)
def test_the_percentage_that_a_unit_falls_on_leaves_it_out_and_the_next_one_has_it(policy_id: str, unit: str) -> None:
    exactly = bucket(policy_id, unit)
    assert exactly == 0 or not includes(policy_id, exactly)(unit)
    assert includes(policy_id, exactly + 0.001)(unit)


@given(percent=st.floats(0, 100, exclude_min=True, exclude_max=True))
def test_the_lowest_bucket_that_is_out_is_the_first_that_is_not_below(percent: float) -> None:
    lowest = shares._lowest_out(percent)
    assert lowest == shares._BUCKETS or not lowest * 100 / shares._BUCKETS < percent
    assert lowest == 0 or (lowest - 1) * 100 / shares._BUCKETS < percent


def test_no_more_units_are_kept_than_may_be() -> None:
    has = includes("pol_many", 50.0)
    for number in range(KEPT_UNITS + 100):
        has(f"user_{number}")
    assert shares._hashed.cache_info().currsize == KEPT_UNITS
    shares._hashed.cache_clear()


def test_a_unit_that_was_kept_takes_no_more_room_than_is_said() -> None:
    policy_id, unit = "pol_0123456789abcdef", "user_1234567890"
    entry = (policy_id, unit), shares._hashed(policy_id, unit)
    assert sys.getsizeof(entry[0]) + sys.getsizeof(unit) + sys.getsizeof(entry[1]) < 250
