"""What came of a goal's weights, as a table: metrics down, and across what was predicted, before, and observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

Document = Mapping[str, Any]

SHARES: Final = frozenset(
    {"ctr", "cold_start_share", "cold_start_success", "next_day_retention", "new_content_ctr", "satisfaction"}
)
"""Metrics that read as per cent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One policy of the goal that got into force."""

    policy_id: str
    made_by: str | None
    """What predicted; None if nothing did."""
    spans: Sequence[timedelta]
    """How long it was observed, each time."""
    rows: Mapping[str, Sequence[Document | None]]
    """By metric: what was predicted, what was before, and what was observed; None where there is nothing."""

    @classmethod
    def of(cls, tried: Document) -> Remembered:
        """What the interface says of one policy."""
        looks: Sequence[Document] = tried["observations"]
        predicted: Document = (tried["predicted"] or {}).get("metrics", {})
        before: Document = looks[-1]["before"] if looks else {}
        metrics = dict.fromkeys([*predicted, *(m for look in looks for m in look["metrics"])])
        return cls(
            policy_id=tried["policy_id"],
            made_by=tried["predicted"]["made_by"] if tried["predicted"] else None,
            spans=[_moment(look["until"]) - _moment(look["since"]) for look in looks],
            rows={m: [predicted.get(m), before.get(m), *(look["metrics"].get(m) for look in looks)] for m in metrics},
        )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
