from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.policy import Source
from reward_llm.domain.review_rules import Change, RaisedRule, Requirement, ReviewRules, requirement
from reward_llm.domain.weights import Weights
from reward_llm.errors import ScenarioInvalid
from tests.strategies import HOME_FEED, weights_within

ACTIVE = HOME_FEED.defaults
RULES = st.builds(
    RaisedRule,
    approvals=st.integers(0, 5),
    step_over=st.none() | st.floats(0, 2),
    lowers=st.lists(st.sampled_from(HOME_FEED.utility_names), max_size=2).map(tuple),
    sources=st.lists(st.sampled_from(Source), max_size=2).map(tuple),
    unsure=st.booleans(),
)
REVIEWS = st.builds(
    ReviewRules,
    approvals=st.integers(0, 5),
    self_approval=st.booleans(),
    raised=st.lists(RULES, max_size=4).map(tuple),
)
CHANGES = st.builds(
    Change,
    weights=weights_within(HOME_FEED),
    active=weights_within(HOME_FEED),
    source=st.sampled_from(Source),
    unsure=st.booleans(),
)


def moved(amount: float, *, source: Source = Source.VLLM, unsure: bool = False) -> Change:
    """A change that takes `amount` from retention and gives it to gmv."""
    weights = dict(ACTIVE) | {"retention": ACTIVE["retention"] - amount, "gmv": ACTIVE["gmv"] + amount}
    return Change(weights=Weights.rounded(weights), active=ACTIVE, source=source, unsure=unsure)


def needed(change: Change, *raised: RaisedRule, approvals: int = 0) -> int:
    return requirement(ReviewRules(approvals=approvals, raised=raised), change).approvals


def test_an_ordinary_change_needs_what_the_scenario_says_and_nothing_without_rules():
    assert requirement(ReviewRules(), moved(0.1)) == Requirement(approvals=0, self_approval=False)
    assert needed(moved(0), approvals=2) == 2


def test_each_condition_raises_the_bar_by_itself():
    step, lowers = RaisedRule(approvals=1, step_over=0.15), RaisedRule(approvals=1, lowers=("retention",))
    human, unsure = RaisedRule(approvals=1, sources=(Source.HUMAN,)), RaisedRule(approvals=1, unsure=True)
    assert [needed(moved(0.1), rule) for rule in (step, lowers, human, unsure)] == [1, 1, 0, 0]
    assert [needed(moved(-0.05), rule) for rule in (step, lowers, human, unsure)] == [0, 0, 0, 0]
    changed = moved(0, source=Source.HUMAN, unsure=True)
    assert [needed(changed, rule) for rule in (step, lowers, human, unsure)] == [0, 0, 1, 1]


def test_a_step_that_is_exactly_the_limit_is_not_over_it():
    assert needed(moved(0.05), RaisedRule(approvals=1, step_over=0.1)) == 0


def test_rounding_alone_lowers_nothing():
    change = Change(
        weights=Weights({**ACTIVE, "retention": 0.1499, "gmv": 0.2001}), active=ACTIVE, source=Source.VLLM
    )
    assert needed(change, RaisedRule(approvals=1, lowers=("retention",))) == 0


def test_several_conditions_of_one_rule_must_all_hold():
    rule = RaisedRule(approvals=2, lowers=("retention",), sources=(Source.HUMAN,))
    assert [needed(moved(0.1, source=s), rule) for s in (Source.HUMAN, Source.VLLM)] == [2, 0]


def test_the_reasons_are_those_of_the_rules_that_set_the_bar():
    raised = (RaisedRule(approvals=1, lowers=("retention",)), RaisedRule(approvals=2, step_over=0.1))
    found = requirement(ReviewRules(raised=raised), moved(0.1))
    assert (found.approvals, found.reasons) == (2, ("an L1 step of 0.2 is over 0.1",))


@given(rules=REVIEWS, change=CHANGES)
def test_the_highest_number_of_the_rules_that_fit_wins(rules, change):
    def fits(rule: RaisedRule) -> bool:
        conditions = [
            rule.step_over is None or change.active.distance(change.weights) > rule.step_over,
            not rule.lowers or any(change.weights[u] < change.active[u] - 1.5e-4 for u in rule.lowers),
            not rule.sources or change.source in rule.sources,
            not rule.unsure or change.unsure,
        ]
        return all(conditions) and rule != RaisedRule(approvals=rule.approvals)

    found = requirement(rules, change)
    assert found.approvals == max([rules.approvals, *(r.approvals for r in rules.raised if fits(r))])
    assert found.self_approval == rules.self_approval
    assert bool(found.reasons) == bool(found.approvals)


@given(rules=REVIEWS, change=CHANGES, more=RULES)
def test_another_rule_never_lowers_the_bar(rules, change, more):
    raised = replace(rules, raised=(*rules.raised, more))
    assert requirement(raised, change).approvals >= requirement(rules, change).approvals


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        (ReviewRules(approvals=6), "review: approvals must be 0 to 5"),
        (ReviewRules(raised=(RaisedRule(approvals=-1, unsure=True),)), r"review.raised\[0\]: approvals must be"),
        (ReviewRules(raised=(RaisedRule(approvals=1),)), "has no condition"),
        (ReviewRules(raised=(RaisedRule(approvals=1, step_over=2.5),)), "step_over must be 0 to 2"),
        (ReviewRules(raised=(RaisedRule(approvals=1, lowers=("glitter",)),)), "'glitter' isn't one of its utilities"),
    ],
)
def test_rules_that_make_no_sense_are_refused_with_the_scenario(rules, complaint):
    with pytest.raises(ScenarioInvalid, match=complaint):
        replace(HOME_FEED, review=rules)
