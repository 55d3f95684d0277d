"""Labelled lines and what they were read as, made by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from reward_llm.domain.interpretation import (
    Decision,
    Direction,
    Emphasis,
    Intent,
    Interpretation,
    Quantity,
    Span,
    Unit,
)
from reward_llm.domain.policy import Proposal, Source
from reward_llm.domain.weights import Weights
from reward_llm.tuning.evaluation import LabelledLine, Reading, Run, report
from tests.strategies import HOME_FEED


def line(expect: Mapping[str, Any], **fields: Any) -> LabelledLine:
    document = {"id": "t1", "lang": "en", "kind": "direct", "goal": "more clicks", "expect": expect, **fields}
    return LabelledLine.model_validate_json(json.dumps(document))


def moved(**changes: float) -> Weights:
    return Weights.rounded({u: w + changes.get(u, 0) for u, w in HOME_FEED.defaults.items()})


def intent(direction: str, utility: str, *spans: tuple[int, int], confidence: float | None = None) -> Intent:
    return Intent(
        utility=utility,
        direction=Direction(direction),
        emphasis=Emphasis.CLEAR,
        spans=tuple(Span(start, end) for start, end in spans),
        confidence=confidence,
    )


def read(
    of: LabelledLine,
    weights: Weights = HOME_FEED.defaults,
    *,
    decision: Decision = Decision.PROPOSE,
    intents: tuple[Intent, ...] = (),
    numbers: tuple[float, ...] = (),
    latency_ms: float = 1.0,
    reason: str | None = None,
) -> Reading:
    proposal = Proposal(
        interpretation=Interpretation(decision=decision, intents=intents),
        numbers=tuple(Quantity(value=n, unit=Unit.COUNT, span=Span(0, 1)) for n in numbers),
        weights=weights,
        source=Source.RULES,
        reason=reason,
    )
    return Reading(line=of, decision=decision, weights=weights, proposal=proposal, latency_ms=latency_ms)


def refused(of: LabelledLine) -> Reading:
    return Reading(line=of, decision=Decision.NO_CHANGE, weights=HOME_FEED.defaults, proposal=None, latency_ms=0.0)


def run_of(*readings: Reading, backend: str = "rules") -> Run:
    return Run(
        scenario=HOME_FEED.name,
        file="goals.jsonl",
        taken_at=datetime(2026, 6, 18, 9, 30, tzinfo=UTC),
        defaults=HOME_FEED.defaults,
        reports={backend: report(readings, HOME_FEED)},
    )
