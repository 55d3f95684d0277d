from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reward_llm.domain.admission import Admission
from reward_llm.domain.control import Approval, BasePolicy, Controller, Gains, Hold, Memory, Quota, Reading, Start
from reward_llm.domain.control_documents import (
    content_hash,
    controller_document,
    controller_of,
    plan_document,
    plan_of,
    reading_document,
    reading_of,
)
from reward_llm.domain.control_grant import approvers, check_covered, end_weights, is_granted, moved, requirement_of
from reward_llm.domain.metrics import Metric
from reward_llm.domain.pacing import Profile
from reward_llm.domain.scenario import Bounds, Scenario
from reward_llm.domain.weights import Weights
from reward_llm.errors import GateRefused, MoveNotGranted, WeightsInvalid
from reward_llm.validation import gate
from tests.loop.control.plans import PLAN, plan
from tests.strategies import HOME_FEED, scenarios, weights_within

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
BASE = BasePolicy(policy_id="pol_1", content_hash="c" * 64, weights=HOME_FEED.defaults)
RULES = Admission(scenario=HOME_FEED, gate=gate.check)
DAY = Quota(metric=Metric.BOOST_SPEND, amount=1_000.0, since=NOON, until=NOON + timedelta(days=1))


@given(st.data())
def test_a_move_keeps_to_the_simplex_the_bounds_and_the_floors(data: st.DataObject) -> None:
    scenario: Scenario = data.draw(scenarios())
    base = data.draw(weights_within(scenario))
    utility = data.draw(st.sampled_from(scenario.utilities))
    held = utility.name in scenario.guardrails.held
    least = min(utility.held_floor, base[utility.name]) if held else utility.bounds.min
    weight = data.draw(st.floats(least, utility.bounds.max))
    try:
        made = moved(base, utility.name, weight, scenario)
    except WeightsInvalid:
        assume(False)
    assert made[utility.name] == pytest.approx(weight, abs=1.01e-4)
    violations = gate.check(made, scenario, base)
    assert {v.code for v in violations} <= {"step"}


@given(st.floats(0.02, 0.4))
def test_the_others_share_in_the_bases_proportions_where_no_bound_is_met(weight: float) -> None:
    free = {u: w for u, w in HOME_FEED.defaults.items() if u not in {"cold_start", "retention"}}
    made = moved(HOME_FEED.defaults, "cold_start", weight, HOME_FEED)
    ratios = [made[u] / w for u, w in free.items() if made[u] > HOME_FEED.utility(u).bounds.min + 2e-4]
    assert max(ratios) - min(ratios) < 2.5e-4 / min(free.values())
    assert made["retention"] >= HOME_FEED.utility("retention").held_floor - 1e-4


def test_an_envelope_takes_the_approvals_of_its_wider_end() -> None:
    assert requirement_of(plan(envelope=Bounds(min=0.05, max=0.3)), BASE, RULES).approvals == 0
    wide = requirement_of(plan(envelope=Bounds(min=0.05, max=0.35)), BASE, RULES)
    assert wide.approvals == 1
    assert "over 0.45" in wide.reasons[0]


def test_an_envelope_whose_end_the_gate_refuses_is_refused() -> None:
    base = BasePolicy(
        policy_id="pol_1", content_hash="c" * 64, weights=moved(HOME_FEED.defaults, "cold_start", 0.02, HOME_FEED)
    )
    with pytest.raises(GateRefused, match="an end of the envelope"):
        requirement_of(plan(envelope=Bounds(min=0.02, max=0.4)), base, RULES)


def test_weights_on_the_granted_line_are_covered_and_others_are_not() -> None:
    controller = Controller(name="", plan=PLAN, base=BASE, needed=0, self_approval=False)
    for weight in (0.05, 0.1234, 0.3):
        check_covered(controller, moved(BASE.weights, "cold_start", weight, HOME_FEED), HOME_FEED)
    with pytest.raises(MoveNotGranted, match="outside"):
        check_covered(controller, moved(BASE.weights, "cold_start", 0.31, HOME_FEED), HOME_FEED)
    skewed = dict(moved(BASE.weights, "cold_start", 0.2, HOME_FEED))
    skewed["click"] += 0.01
    skewed["gmv"] -= 0.01
    with pytest.raises(MoveNotGranted, match="its share of the base"):
        check_covered(controller, Weights(skewed), HOME_FEED)


def test_only_others_approvals_of_exactly_this_plan_count() -> None:
    own = content_hash(PLAN, BASE)
    given_by = [("ann", own), ("li", "d" * 64), ("bo", own), ("bo", own)]
    approvals = tuple(Approval(actor=a, at=NOON, content_hash=h) for a, h in given_by)
    controller = Controller(name="", plan=PLAN, base=BASE, needed=2, self_approval=False, approvals=approvals)
    assert approvers(controller, "ann") == ("bo",)
    assert not is_granted(controller, "ann")
    assert content_hash(plan(slew=0.03), BASE) != own


@pytest.mark.parametrize("target", [PLAN.target, DAY])
def test_a_controller_is_read_as_it_was_written(target: object) -> None:
    of = plan(target=target)
    assert plan_of(plan_document(of)) == of
    controller = Controller(
        name="a fifth",
        plan=of,
        base=BASE,
        needed=1,
        self_approval=True,
        reasons=("because",),
        approvals=(Approval(actor="li", at=NOON, content_hash="d" * 64, comment="fine"),),
        start=Start(at=NOON, policy_id="pol_1", weight=0.1),
        note="so",
    )
    assert controller_of(controller_document(controller)) == controller
    assert controller_of(controller_document(Controller(**_unstarted(controller)))).start is None
    reading = Reading(
        at=NOON,
        policy_id="pol_2",
        weight=0.12,
        memory=Memory(integral=0.11, measured=0.18),
        setpoint=0.2,
        measured=0.18,
        output=0.13,
        events=900,
        held=Hold.STALE,
        note="old",
    )
    assert reading_of(reading_document(reading), NOON) == reading


def _unstarted(controller: Controller) -> dict[str, object]:
    return {name: getattr(controller, name) for name in controller.__slots__} | {"start": None}


def test_both_ends_of_an_envelope_pass_through_the_same_line() -> None:
    least, most = end_weights(PLAN, BASE, HOME_FEED)
    assert (least["cold_start"], most["cold_start"]) == (0.05, 0.3)


def test_gains_are_finite_of_one_sign_and_not_all_zero() -> None:
    assert Gains(proportional=0.0, integral=-0.1).are_usable
    for bad in (Gains(proportional=0.0), Gains(proportional=1.0, integral=-1.0), Gains(proportional=float("inf"))):
        assert not bad.are_usable


@given(st.lists(st.floats(0, 10), min_size=24, max_size=24).filter(any), st.integers(0, 2_000), st.integers(1, 2_000))
def test_what_is_due_follows_the_profile_minute_by_minute(hours: list[float], begin: int, length: int) -> None:
    since = NOON + timedelta(minutes=begin)
    until = since + timedelta(minutes=length)
    zone = timedelta(hours=8)
    profile = Profile(hours=tuple(hours), time_zone="Asia/Shanghai")
    each = [hours[(since + timedelta(minutes=m, seconds=30) + zone).hour] for m in range(length)]
    at = length // 3
    share = profile.share(since, since + timedelta(minutes=at), until)
    if sum(each) > 1e-9:
        assert share == pytest.approx(sum(each[:at]) / sum(each), abs=1e-6)
    assert 0 <= share <= 1


def test_a_quota_is_due_from_its_beginning_to_its_end() -> None:
    moments = [DAY.due(NOON + timedelta(hours=h)) for h in (-1, 0, 6, 24, 30)]
    assert moments == [0.0, 0.0, 0.25, 1.0, 1.0]


@pytest.mark.parametrize(
    ("hours", "zone"), [((1.0,) * 23, "UTC"), ((0.0,) * 24, "UTC"), ((-1.0,) * 24, "UTC"), ((), "Mars/Base")]
)
def test_a_profile_that_is_none_is_refused(hours: tuple[float, ...], zone: str) -> None:
    with pytest.raises(ValueError, match=r"hours|zone"):
        Profile(hours=hours, time_zone=zone)
