"""What was, is and is going to be in force, along the time: a lane for each scope, or for each policy of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from reward_llm.console.charts import Stretch
from reward_llm.domain.schedule import EVERYBODY

Document = Mapping[str, Any]
Describe = Callable[[Document], str]
"""What a stretch says of its activation, in the reader's language."""

_SHORTEST: Final = timedelta(hours=6)
_LONGEST_PAST: Final = timedelta(days=30)
_LONGEST_FUTURE: Final = timedelta(days=60)
_LEAST_FUTURE: Final = 0.25
"""Of the past that is shown."""
_THINNEST: Final = 0.3
"""The height of a stretch for the fewest users."""
_TICKS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What is drawn in one row; `activation` stands for it."""

    activation: Document
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Rows over the same time, in seconds since 1970; `ticks` are moments from its start to its end."""

    lanes: Sequence[Lane]
    start: float
    end: float
    now: float
    ticks: Sequence[datetime]


def of_scopes(activations: Iterable[Document], now: datetime, describe: Describe) -> Timeline:
    """A lane for each scope, by its name."""
    return _timeline(activations, now, describe, lambda a: (a["policy"]["scenario"], a["policy"]["segment"] or ""))


def of_policies(activations: Iterable[Document], now: datetime, describe: Describe) -> Timeline:
    """A lane for each policy, the newest version first."""
    return _timeline(activations, now, describe, lambda a: (-a["policy"]["version"], a["policy"]["policy_id"]))


def _timeline(
    activations: Iterable[Document], now: datetime, describe: Describe, lane_of: Callable[[Document], Any]
) -> Timeline:
    shown = [a for a in activations if a["state"] != "cancelled"]
    start, end = _span(shown, now)
    visible = sorted((a for a in shown if _overlaps(a, start, end)), key=lambda a: (_at(a["start"]), a["sequence"]))
    lanes: dict[Any, list[Document]] = {}
    for activation in visible:
        lanes.setdefault(lane_of(activation), []).append(activation)
    step = (end - start) / _TICKS
    return Timeline(
        lanes=[
            Lane(activation=found[-1], stretches=[_stretch(a, start, end, describe) for a in found])
            for _, found in sorted(lanes.items())
        ],
        start=start.timestamp(),
        end=end.timestamp(),
        now=now.timestamp(),
        ticks=[start + step * n for n in range(_TICKS + 1)],
    )


def _span(activations: Sequence[Document], now: datetime) -> tuple[datetime, datetime]:
    """Enough of the past to see what is in force begin, and of the future to see what is scheduled."""
    edges = [_at(a[e]) for a in activations for e in ("start", "end") if a[e] is not None]
    past = min(max([_SHORTEST, *(now - e for e in edges)]), _LONGEST_PAST)
    future = min(max([past * _LEAST_FUTURE, *(e - now for e in edges)]), _LONGEST_FUTURE)
    return now - past * 1.05, now + future * 1.05


def _overlaps(activation: Document, start: datetime, end: datetime) -> bool:
    until = activation["end"]
    return _at(activation["start"]) < end and (until is None or _at(until) > start)


def _stretch(activation: Document, start: datetime, end: datetime, describe: Describe) -> Stretch:
    until = _at(activation["end"]) if activation["end"] else end
    partial = activation["percent"] < EVERYBODY
    kind = "rollout" if partial and activation["state"] == "running" else activation["state"]
    return Stretch(
        start=max(_at(activation["start"]), start).timestamp(),
        end=min(until, end).timestamp(),
        kind=kind,
        title=describe(activation),
        share=max(_THINNEST, activation["percent"] / EVERYBODY),
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
