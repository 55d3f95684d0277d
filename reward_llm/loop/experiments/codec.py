"""Experiments and their looks as JSON documents, as they are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from reward_llm.domain.experiments import (
    Decision,
    Experiment,
    ExperimentPlan,
    ExperimentState,
    Guardrail,
    Look,
    Measurement,
)
from reward_llm.domain.loop import LoopEntry, LoopRecord
from reward_llm.domain.metrics import Metric

Document = dict[str, Any]
_RUN = ("control", "activation", "held_out_since", "outcome")
_MOMENTS = ("started_at", "ended_at")


def plan_document(plan: ExperimentPlan) -> Document:
    """The plan, without its scope, which the record has."""
    document = asdict(plan)
    del document["scope"]
    return {**document, "guardrails": [asdict(g) for g in plan.guardrails]}


def document_of(experiment: Experiment) -> Document:
    """All but what the record itself says, and its looks."""
    moments = {name: m.isoformat() for name in _MOMENTS if (m := getattr(experiment, name)) is not None}
    return {
        "plan": plan_document(experiment.plan),
        **{name: getattr(experiment, name) for name in _RUN},
        **moments,
    }


def experiment_of(record: LoopRecord, looks: Sequence[LoopEntry] = ()) -> Experiment:
    """The experiment of a record, with these of its looks."""
    document = record.document
    moments: Document = {name: datetime.fromisoformat(document[name]) for name in _MOMENTS if name in document}
    return Experiment(
        id=record.id,
        plan=_plan(record),
        state=ExperimentState(record.state),
        revision=record.revision,
        created_at=record.created_at,
        created_by=record.created_by,
        changed_at=record.changed_at,
        looks=tuple(look_of(entry.document) for entry in looks),
        **{name: document[name] for name in _RUN if name in document},
        **moments,
    )


def _plan(record: LoopRecord) -> ExperimentPlan:
    told = dict(record.document["plan"])
    guardrails = tuple(Guardrail(metric=Metric(g["metric"]), margin=g["margin"]) for g in told.pop("guardrails"))
    primary = Metric(told.pop("primary"))
    return ExperimentPlan(scope=record.scope, primary=primary, guardrails=guardrails, **told)


def look_document(look: Look) -> Document:
    """A look."""
    return {
        **asdict(look),
        "until": look.until.isoformat(),
        "measurements": [asdict(m) for m in look.measurements],
    }


def look_of(document: Mapping[str, Any]) -> Look:
    """The look that `look_document` wrote."""
    told = dict(document)
    found = [{**m, "metric": Metric(m["metric"])} for m in told.pop("measurements")]
    return Look(
        until=datetime.fromisoformat(told.pop("until")),
        decision=Decision(told.pop("decision")),
        measurements=tuple(Measurement(**m) for m in found),
        **told,
    )
