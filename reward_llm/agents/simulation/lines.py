"""What the service and the process that simulates for it say to each other: one JSON document a line.

service ─► {plan}                                                      once, on standard input
worker  ─► {"done": 30}, {"done": 60}, …, {"report": …} or {"problem": …}
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from reward_llm.domain.simulation import SimulationPlan, SimulationProblem, SimulationReport

_PLAN = TypeAdapter(SimulationPlan)
_REPORT = TypeAdapter(SimulationReport)
_PROBLEM = TypeAdapter(SimulationProblem)


def plan_line(plan: SimulationPlan) -> bytes:
    """The plan as it is sent."""
    return _PLAN.dump_json(plan) + b"\n"


def read_plan(line: bytes) -> SimulationPlan:
    """The plan that was sent."""
    return _PLAN.validate_json(line)


def progress_line(done: int) -> str:
    """That so many days are simulated."""
    return json.dumps({"done": done})


def report_line(report: SimulationReport) -> str:
    """What came of it."""
    return json.dumps({"report": report_document(report)})


def problem_line(problem: SimulationProblem) -> str:
    """Why nothing came of it."""
    return json.dumps({"problem": _PROBLEM.dump_python(problem, mode="json")})


def read_line(line: bytes) -> int | SimulationReport | SimulationProblem:
    """The days that are done, or how it ended."""
    document = json.loads(line)
    if "done" in document:
        return int(document["done"])
    if "report" in document:
        return _REPORT.validate_python(document["report"])
    return _PROBLEM.validate_python(document["problem"])


def plan_document(plan: SimulationPlan) -> dict[str, Any]:
    """The plan in JSON's values."""
    document: dict[str, Any] = _PLAN.dump_python(plan, mode="json")
    return document


def report_document(report: SimulationReport) -> dict[str, Any]:
    """The report in JSON's values."""
    document: dict[str, Any] = _REPORT.dump_python(report, mode="json")
    return document
