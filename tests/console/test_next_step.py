from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reward_llm.console.changes import value_rows
from reward_llm.console.next_step import Step, next_step
from reward_llm.console.person import Person
from reward_llm.console.timeline import of_policies, of_scopes

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)


def policy(state: str, *, approvals: int = 0, given: int = 0, own_counts: bool = False) -> dict[str, Any]:
    requirement = {"approvals": approvals, "given": given, "self_approval": own_counts, "reasons": []}
    return {"state": state, "scenario": "home_feed", "author": "ann", "requirement": requirement}


def person(name: str, *permissions: str, scenario: str | None = None) -> Person:
    where = None if scenario is None else frozenset({scenario})
    held = dict.fromkeys(permissions, where)
    return Person(name=name, kind="token", signed_in_until=None, permissions=held)


EDITOR, APPROVER = person("wang", "edit"), person("li", "edit", "approve")


@pytest.mark.parametrize(
    ("shown", "step", "editor_can", "approver_can"),
    [
        (policy("draft"), Step.ACTIVATE, True, True),
        (policy("draft", approvals=1), Step.APPROVE, False, True),
        (policy("in_review", approvals=2, given=1), Step.APPROVE, False, True),
        (policy("approved", approvals=1, given=1), Step.ACTIVATE, True, True),
        (policy("approved", approvals=2, given=1), Step.APPROVE, False, True),
        (policy("scheduled"), Step.WAIT, True, True),
        (policy("active"), Step.WATCH, False, True),
        (policy("superseded"), Step.BELOW, True, True),
        (policy("expired"), Step.AGAIN, True, True),
        (policy("rolled_back", approvals=1), Step.APPROVE, False, True),
        (policy("rejected"), Step.NEW_VERSION, True, True),
        ({**policy("draft"), "requirement": None}, Step.NEW_VERSION, True, True),
    ],
)
def test_the_next_step_follows_from_the_state_and_what_is_missing(
    shown: dict[str, Any], step: Step, *, editor_can: bool, approver_can: bool
) -> None:
    for somebody, can in ((EDITOR, editor_can), (APPROVER, approver_can)):
        found = next_step(shown, somebody)
        assert found is not None
        assert (found.step, found.can) == (step, can)


def test_an_author_waits_for_somebody_else_unless_their_own_counts() -> None:
    ann = person("ann", "approve")
    own = next_step(policy("draft", approvals=1), ann)
    assert own is not None
    assert (own.can, own.is_own, own.missing) == (False, True, 1)
    counted = next_step(policy("draft", approvals=1, own_counts=True), ann)
    assert counted is not None
    assert counted.can


def test_another_scenarios_approver_cannot_take_the_step() -> None:
    found = next_step(policy("draft", approvals=1), person("li", "approve", scenario="video_feed"))
    assert found is not None
    assert not found.can


def test_nobody_decides_on_the_defaults() -> None:
    assert next_step({"state": None}, APPROVER) is None


def activation(number: int, start: float, end: float | None, state: str, **more: Any) -> dict[str, Any]:
    """One of its own policy, from and until so many days after noon."""
    return {
        "sequence": number,
        "state": state,
        "start": (NOON + timedelta(days=start)).isoformat(),
        "end": None if end is None else (NOON + timedelta(days=end)).isoformat(),
        "percent": 100.0,
        "policy": {"policy_id": f"pol_{number}", "version": number, "scenario": "home_feed", "segment": None},
        **more,
    }


def test_a_timeline_shows_what_began_and_what_is_to_come() -> None:
    shown = [
        activation(1, -10, None, "running"),
        activation(2, -2, -1, "over"),
        activation(3, -1, None, "running", percent=10.0),
        activation(4, 3, 5, "scheduled"),
        activation(5, 1, 1, "cancelled"),
        activation(6, -400, -300, "over"),
    ]
    made = of_policies(shown, NOON, lambda a: f"no. {a['sequence']}")
    assert [[s.title for s in lane.stretches] for lane in made.lanes] == [["no. 4"], ["no. 3"], ["no. 2"], ["no. 1"]]
    assert {s.kind for lane in made.lanes for s in lane.stretches} == {"running", "over", "rollout", "scheduled"}
    for lane in made.lanes:
        for stretch in lane.stretches:
            assert made.start <= stretch.start < stretch.end <= made.end
    assert made.start < made.now < made.end
    (only,) = of_scopes(shown, NOON, lambda _: "").lanes
    assert [s.kind for s in only.stretches] == ["running", "over", "rollout", "scheduled"]


def test_a_timeline_of_nothing_is_empty() -> None:
    assert of_scopes([], NOON, lambda _: "").lanes == []


def test_a_row_that_was_added_is_all_of_its_columns() -> None:
    added = {
        "path": "/policies/a~1b",
        "before": None,
        "after": {"id": "a/b", "weights": {"gmv": 0.5}, "author": None},
    }
    changed = {"path": "/goals/goal_1/state", "before": "received", "after": "proposed"}
    rows = [(r.row, r.column, r.before, r.after) for r in value_rows([added, changed])]
    assert rows == [
        ("policies/a/b", "id", None, "a/b"),
        ("policies/a/b", "weights", None, '{\n  "gmv": 0.5\n}'),
        ("policies/a/b", "author", None, None),
        ("goals/goal_1", "state", "received", "proposed"),
    ]
