"""What earlier goals came to, as a prompt may tell of it.

No word of an earlier goal's text is told: what it asked is written in the scenario's own words, so that nothing that
somebody once submitted speaks to the model again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from reward_llm.domain.memory import GoalMemory, Observation
from reward_llm.domain.metrics import Metric

VARIABLE: Final = "outcomes"
"""The template's name for it."""
_TOLD: Final = (
    Metric.CTR,
    Metric.CONVERSION,
    Metric.GMV,
    Metric.DWELL,
    Metric.INTEREST_DIVERSITY,
    Metric.COLD_START_SHARE,
    Metric.COLD_START_SUCCESS,
    Metric.NEXT_DAY_RETENTION,
)
"""The metrics that are told of, in this order."""
_DAY: Final = timedelta(days=1)


def told(memories: Sequence[GoalMemory], names: Mapping[str, str]) -> list[dict[str, str]]:
    """What a template may say of each observed goal: what it `asked`, its `weights`, and what it `brought` in `days`.

    Args:
        memories: The goals, in the order in which they are to be told of.
        names: The model's name for each utility; of others nothing is said.
    """
    found = []
    for memory in memories:
        outcome = memory.outcome
        tried = next((t for t in memory.tried if outcome and t.policy_id == outcome.policy_id), None)
        if outcome is None or tried is None:
            continue
        asked = (f"{names[i.utility]} {i.direction} {i.emphasis}" for i in memory.intents if i.utility in names)
        weights = (f"{names[u]} {w:.2f}" for u, w in tried.weights.items() if u in names)
        found.append(
            {
                "asked": ", ".join(asked) or "nothing",
                "weights": ", ".join(weights),
                "brought": _brought(outcome) or "nothing that was measured",
                "days": f"{outcome.span / _DAY:.3g}",
            }
        )
    return found


def _brought(outcome: Observation) -> str:
    """Metrics before and after, such as `ctr 0.031 to 0.034`."""
    parts = []
    for metric in _TOLD:
        before, after = outcome.before.get(metric), outcome.metrics.get(metric)
        if before and after and before.value is not None and after.value is not None:
            parts.append(f"{metric} {before.value:.3g} to {after.value:.3g}")
    return ", ".join(parts)
