from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.rollout import bucket
from reward_llm.domain.schedule import includes
from tests.activations import activation

UNITS = st.text(max_size=20) | st.sampled_from(["", "\0", "\ud83d", "用户"])
PERCENTS = st.floats(0, 100, exclude_min=True)


@given(unit=UNITS, lower=PERCENTS, higher=PERCENTS)
def test_raising_the_percentage_never_takes_a_unit_out(unit, lower, higher):
    lower, higher = sorted((lower, higher))
    before, after = (includes(activation(1, percent=p), unit) for p in (lower, higher))
    assert after or not before


@given(unit=UNITS)
def test_a_unit_has_one_place_in_a_policys_rollout(unit):
    place = bucket("pol_a", unit)
    assert 0 <= place < 100
    assert bucket("pol_a", unit) == place
    assert includes(activation(1), unit)


def test_the_place_is_the_start_of_a_hash_that_anybody_can_compute():
    assert bucket("pol_a", "user_1") == pytest.approx(48.399985700137904, abs=1e-12)


def test_the_share_is_the_percentage_and_each_policy_draws_its_own():
    units = [f"user_{i}" for i in range(20_000)]
    ours = {u for u in units if bucket("pol_a", u) < 10}
    theirs = {u for u in units if bucket("pol_b", u) < 10}
    assert 1_800 < len(ours) < 2_200
    assert 130 < len(ours & theirs) < 270


def test_who_has_no_name_is_in_no_partial_rollout():
    assert includes(activation(1, percent=100), None)
    assert not includes(activation(1, percent=99.9), None)
