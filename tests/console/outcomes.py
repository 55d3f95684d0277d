"""Everything that an experiment may come to, as it is kept."""

from __future__ import annotations

from typing import get_args

from reward_llm.domain.experiments import UNIT_METRICS, Span

VIOLATED = [f"guardrail_{metric}_{span}" for metric in UNIT_METRICS for span in get_args(Span)]
OUTCOMES = [
    "better",
    "unclear",
    "stopped",
    "primary_worse",
    "sample_ratio_mismatch",
    "control_changed",
    "activation_changed",
    *VIOLATED,
]
