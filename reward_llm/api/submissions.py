"""From a submitted document to a goal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reward_llm.api.body import validated
from reward_llm.api.wire.goals import Submission
from reward_llm.domain.goal import Goal, Window
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.errors import GoalInvalid, ScenarioUnknown, Violation
from reward_llm.validation.text import clean


def goal_of(
    document: Any, *, scenarios: Mapping[str, Scenario], goal_id: str, actor: str, now: datetime
) -> tuple[Goal, int]:
    """The goal that a document states, and how many characters were taken out of its text.

    Raises:
        GoalInvalid: If it isn't a submission, or its text, targets or window can't be used.
        ScenarioUnknown: If it is for a scenario that there isn't.
        SegmentUnknown: If the scenario has no such segment.
    """
    document, removed = _cleaned(document)
    submission = validated(Submission, document, GoalInvalid)
    scenario = find_scenario(scenarios, submission.scenario)
    scenario.check_segment(submission.segment)
    _check_targets(submission.targets, scenario)
    goal = Goal(
        id=goal_id,
        scope=Scope(scenario.name, submission.segment),
        text=submission.text,
        submitted_at=now,
        targets=submission.targets,
        window=Window(valid_from=submission.valid_from, valid_until=submission.valid_until),
        submitted_by=actor,
    )
    return goal, removed


def find_scenario(scenarios: Mapping[str, Scenario], name: str) -> Scenario:
    """The scenario by that name.

    Raises:
        ScenarioUnknown: If there is none.
    """
    if name not in scenarios:
        raise ScenarioUnknown(f"no scenario {name!r}", hint=f"There are: {', '.join(scenarios)}.")
    return scenarios[name]


def _cleaned(document: Any) -> tuple[Any, int]:
    if not isinstance(document, dict) or not isinstance(document.get("text"), str):
        return document, 0
    text, removed = clean(document["text"])
    return {**document, "text": text}, removed


def _check_targets(targets: Mapping[str, float], scenario: Scenario) -> None:
    violations = [
        Violation(path=f"targets/{name}", code="unknown", message=f"{scenario.name} has no such utility")
        for name in targets
        if name not in scenario.utility_names
    ]
    if violations:
        raise GoalInvalid(
            "targets name utilities that the scenario doesn't have",
            hint=f"It has: {', '.join(scenario.utility_names)}.",
            violations=violations,
        )
