from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.activation import EndingKind
from reward_llm.domain.lifecycle import Deed, PolicyState, ReviewFact, Standing, state_of
from tests.activations import ALL, NOON, activation, moment, policy, schedules

OURS = policy(1)
NOW = moment(0)
HASHES = st.sampled_from([OURS.content_hash, policy(2).content_hash])
FACTS = st.builds(
    ReviewFact,
    deed=st.sampled_from(Deed),
    actor=st.sampled_from(["ann", "bo", "cy"]),
    at=st.just(NOON),
    content_hash=HASHES,
    needed=st.integers(0, 3),
    self_approval=st.booleans(),
)


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    made = draw(schedules(scopes=(ALL,)))
    own = draw(st.sets(st.sampled_from(made))) if made and draw(st.booleans()) else set()
    return Standing(
        policy=OURS,
        author="ann",
        facts=tuple(draw(st.lists(FACTS, max_size=5))),
        activations=tuple(replace(a, policy=OURS) for a in made if a in own),
        rivals=tuple(replace(a, policy=policy(2)) for a in made if a not in own),
    )


def standing(*facts: ReviewFact, **more: Any) -> Standing:
    return Standing(policy=OURS, author="ann", facts=facts, **more)


def fact(deed: Deed, actor: str = "bo", **more: Any) -> ReviewFact:
    return ReviewFact(deed=deed, actor=actor, at=NOON, **{"content_hash": OURS.content_hash, "needed": 1, **more})


APPROVED, REQUESTED = fact(Deed.APPROVE), fact(Deed.REQUEST, "ann")


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (standing(), PolicyState.DRAFT),
        (standing(REQUESTED), PolicyState.IN_REVIEW),
        (standing(fact(Deed.APPROVE, needed=2)), PolicyState.IN_REVIEW),
        (standing(APPROVED), PolicyState.APPROVED),
        (standing(fact(Deed.APPROVE, needed=0)), PolicyState.APPROVED),
        (standing(APPROVED, fact(Deed.REJECT, "cy")), PolicyState.REJECTED),
        (standing(fact(Deed.REJECT), APPROVED), PolicyState.REJECTED),
        (standing(REQUESTED, fact(Deed.WITHDRAW, "ann")), PolicyState.WITHDRAWN),
        (standing(APPROVED, activations=(activation(1, start=5),)), PolicyState.SCHEDULED),
        (standing(activations=(activation(1),)), PolicyState.ACTIVE),
        (standing(activations=(activation(1, percent=5),), rivals=(activation(2, made=-9),)), PolicyState.ACTIVE),
        (standing(activations=(activation(1),), rivals=(activation(2, percent=5),)), PolicyState.ACTIVE),
        (standing(activations=(activation(1),), rivals=(activation(2),)), PolicyState.SUPERSEDED),
        (
            standing(activations=(activation(1), activation(3, start=9)), rivals=(activation(2),)),
            PolicyState.SCHEDULED,
        ),
        (standing(activations=(activation(1, made=-9, end=-1),)), PolicyState.EXPIRED),
        (standing(activations=(activation(1, made=-9, ended=-1),)), PolicyState.EXPIRED),
        (
            standing(activations=(activation(1, made=-9, ended=-1, kind=EndingKind.ROLLED_BACK),)),
            PolicyState.ROLLED_BACK,
        ),
        (standing(APPROVED, activations=(activation(1, made=-9, start=5, ended=-1),)), PolicyState.APPROVED),
        (standing(activations=(activation(1, made=-9, start=5, ended=-1),)), PolicyState.DRAFT),
    ],
)
def test_the_facts_say_the_state(found: Standing, state: PolicyState) -> None:
    assert state_of(found, NOW) is state


@given(found=standings(), minutes=st.integers(-15, 15))
def test_there_is_a_state_for_whatever_happened(found: Standing, minutes: int) -> None:
    assert state_of(found, moment(minutes)) in PolicyState


@given(found=standings(), minutes=st.integers(-15, 15))
def test_what_was_rejected_or_withdrawn_never_leaves_that_state(found: Standing, minutes: int) -> None:
    later = replace(found, facts=(*found.facts, APPROVED))
    for state in (PolicyState.REJECTED, PolicyState.WITHDRAWN):
        if state_of(found, moment(minutes)) is state:
            assert state_of(later, moment(minutes)) is state


@given(facts=st.lists(FACTS, max_size=6))
def test_an_approval_of_one_hash_never_counts_for_another(facts: list[ReviewFact]) -> None:
    ours = [f for f in facts if f.deed is Deed.REQUEST or f.content_hash == OURS.content_hash]
    every, own = standing(*facts), standing(*ours)
    assert every.approvers(self_approval=True) == own.approvers(self_approval=True)
    assert (every.approved, every.rejected) == (own.approved, own.rejected)


@given(facts=st.lists(FACTS, max_size=6))
def test_each_person_counts_once_and_the_author_only_where_the_rules_say_so(facts: list[ReviewFact]) -> None:
    found = standing(*facts)
    with_own, without = found.approvers(self_approval=True), found.approvers(self_approval=False)
    assert len(set(with_own)) == len(with_own)
    assert set(with_own) - set(without) <= {"ann"}
    assert "ann" not in without


def test_a_persons_latest_decision_counts() -> None:
    found = standing(fact(Deed.REJECT, content_hash="0" * 64), APPROVED, APPROVED, fact(Deed.APPROVE, "cy"))
    assert found.approvers(self_approval=False) == ("bo", "cy")


def times(found: Standing) -> list[datetime]:
    return [moment(m / 2) for m in range(-30, 40)]


@given(found=standings())
def test_a_state_changes_by_itself_only_where_a_window_starts_or_ends(found: Standing) -> None:
    edges = {a.start for a in (*found.activations, *found.rivals)}
    edges |= {a.end for a in (*found.activations, *found.rivals) if a.end}
    for before, after in zip(times(found), times(found)[1:], strict=False):
        if not any(before < edge <= after for edge in edges):
            assert state_of(found, before) is state_of(found, after)
