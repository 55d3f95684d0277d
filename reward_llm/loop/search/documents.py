"""Plans, trials and results as JSON: how the store keeps them, and what the service and its searching process say.

service ─► {"plan": …, "trials": […]}                                      once, on standard input
process ─► {"trial": …}, {"trial": …}, …, {"result": …} or {"problem": …}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from reward_llm.domain.loop import LoopEntry, LoopRecord
from reward_llm.domain.searching import SearchPlan, SearchStudy, StudyProblem, StudyResult, StudyState, Trial
from reward_llm.loop.search.processes import Owner

_PLAN = TypeAdapter(SearchPlan)
_TRIAL = TypeAdapter(Trial)
_RESULT = TypeAdapter(StudyResult)
_PROBLEM = TypeAdapter(StudyProblem)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDocument:
    """What a study's record says; `owner` works on it while it is going, `policy_id` is what was proposed of it."""

    plan: SearchPlan
    result: StudyResult | None = None
    problem: StudyProblem | None = None
    policy_id: str | None = None
    owner: Owner | None = None

    @classmethod
    def of(cls, record: LoopRecord) -> StudyDocument:
        """What the record says."""
        return _DOCUMENT.validate_python(record.document)

    @property
    def document(self) -> dict[str, Any]:
        """In JSON's values."""
        made: dict[str, Any] = _DOCUMENT.dump_python(self, mode="json")
        return made


_DOCUMENT = TypeAdapter(StudyDocument)


def study_of(
    record: LoopRecord, entries: Sequence[LoopEntry] = (), done: int | None = None, *, is_at_it: bool = True
) -> SearchStudy:
    """The study that a record is of, with the trials of its entries.

    One that a process was at which is gone, or doesn't work on it any more, counts as interrupted.

    Args:
        record: The study's.
        entries: Its trials.
        done: How many there are, where they aren't given.
        is_at_it: Whether this process works on it, if it is the one that should.
    """
    told = StudyDocument.of(record)
    owner = told.owner
    is_nobodys = owner is not None and (owner.is_gone or (not is_at_it and owner == Owner.this()))
    left = state_of(record).is_going and is_nobodys
    trials = tuple(read_trial(entry.document) for entry in entries)
    return SearchStudy(
        id=record.id,
        plan=told.plan,
        state=StudyState.INTERRUPTED if left else state_of(record),
        done=len(trials) if done is None else done,
        trials=trials,
        result=told.result,
        problem=told.problem,
        policy_id=told.policy_id,
        created_at=record.created_at,
        created_by=record.created_by,
        changed_at=record.changed_at,
    )


def state_of(record: LoopRecord) -> StudyState:
    """The state of a study's record."""
    return StudyState(record.state)


def trial_document(trial: Trial) -> dict[str, Any]:
    """The trial in JSON's values."""
    document: dict[str, Any] = _TRIAL.dump_python(trial, mode="json")
    return document


def read_trial(document: Mapping[str, Any]) -> Trial:
    """The trial that a document is of."""
    return _TRIAL.validate_python(document)


def task_line(plan: SearchPlan, trials: Sequence[Trial]) -> bytes:
    """A plan, and what is done of it."""
    document = {"plan": _PLAN.dump_python(plan, mode="json"), "trials": [trial_document(trial) for trial in trials]}
    return json.dumps(document).encode() + b"\n"


def read_task(line: bytes) -> tuple[SearchPlan, list[Trial]]:
    """The plan, and what is done of it."""
    document = json.loads(line)
    return _PLAN.validate_python(document["plan"]), [read_trial(trial) for trial in document["trials"]]


def trial_line(trial: Trial) -> str:
    """That a trial is done."""
    return json.dumps({"trial": trial_document(trial)})


def result_line(result: StudyResult) -> str:
    """What came of all of them."""
    return json.dumps({"result": _RESULT.dump_python(result, mode="json")})


def problem_line(problem: StudyProblem) -> str:
    """Why nothing came of it."""
    return json.dumps({"problem": _PROBLEM.dump_python(problem, mode="json")})


def read_line(line: bytes) -> Trial | StudyResult | StudyProblem:
    """A trial that is done, or how it ended.

    Raises:
        ValueError: If it is none of these.
    """
    document = json.loads(line)
    if "trial" in document:
        return read_trial(document["trial"])
    if "result" in document:
        return _RESULT.validate_python(document["result"])
    return _PROBLEM.validate_python(document["problem"])
