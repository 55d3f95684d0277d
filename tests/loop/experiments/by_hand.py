"""What each user of an arm did, by loops over all events that have nothing in common with the log's queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reward_llm.domain.events import Event
from reward_llm.domain.experiments import SumsQuestion
from reward_llm.domain.metrics import DAY, Metric

Row = tuple[float, float]


def arms_of(events: Sequence[Event], question: SumsQuestion) -> dict[str, tuple[str, datetime, bool]]:
    """Of each user: the policy of the first slate, when that was, and whether there were slates of both."""
    shown: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda e: e.at):
        fits = event.scenario == question.scope.scenario and question.scope.segment in (None, event.segment)
        fits = fits and event.policy_id in (question.control, question.treatment)
        if fits and event.type == "impression" and event.user and question.start < event.at <= question.until:
            shown.setdefault(event.user, []).append(event)
    return {u: (s[0].policy_id or "", s[0].at, len({e.policy_id for e in s}) > 1) for u, s in shown.items()}


def did(events: Iterable[Event], metric: Metric, question: SumsQuestion, first: datetime, *, before: bool) -> Row:
    """What stands above and below the line of the metric for a user with these events."""
    start = question.start - question.pre if before else max(question.start, question.since)
    end = question.start if before else question.until
    if metric is Metric.NEXT_DAY_RETENTION:
        return _came_back(events, question, first, before=before)
    inside = [e for e in events if start < e.at <= end and (before or e.at >= first)]
    count = Counter(e.type.value for e in inside)
    clicks = Counter(e.category for e in inside if e.type == "click" and e.category)
    pairs = clicks.total() * (clicks.total() - 1)
    money, seconds = (sum(e.value or 0 for e in inside if e.type == t) for t in ("purchase", "view"))
    new = sum(1 for e in inside if e.type == "impression" and e.is_new)
    days = question.pre / DAY if before else max(1.0, (end - max(first, question.since)) / DAY)
    told: dict[Metric, Row] = {
        Metric.CTR: (count["click"], count["impression"]),
        Metric.CONVERSION: (count["purchase"], count["click"]),
        Metric.GMV: (money, days),
        Metric.DWELL: (seconds, count["view"]),
        Metric.COLD_START_SHARE: (new, count["impression"]),
        Metric.INTEREST_DIVERSITY: (1 - sum(n * (n - 1) for n in clicks.values()) / pairs, 1) if pairs else (0, 0),
    }
    return told[metric]


def _came_back(events: Iterable[Event], question: SumsQuestion, first: datetime, *, before: bool) -> Row:
    start = question.start - question.pre if before else max(question.start, question.since)
    end = question.start if before else question.until
    zero = question.start - question.pre

    def day(at: datetime) -> int:
        return (at - timedelta(microseconds=1) - zero) // DAY

    visits = {day(e.at) for e in events if e.type == "session" and zero < e.at <= question.until}
    counted = {
        day(e.at)
        for e in events
        if e.type == "session"
        and start < e.at <= end
        and (before or day(e.at) >= day(first))
        and day(e.at) < day(end)
    }
    counted = {d for d in counted if d < day(end)}
    return sum(d + 1 in visits for d in counted), len(counted)


def rows(events: Sequence[Event], metric: Metric, question: SumsQuestion) -> dict[str, list[tuple[float, ...]]]:
    """A row of the four variables for each user, by the policy of the arm."""
    found: dict[str, list[tuple[float, ...]]] = {question.control: [], question.treatment: []}
    for user, (policy, first, _) in arms_of(events, question).items():
        own = [e for e in events if e.user == user and e.scenario == question.scope.scenario]
        now, then = (did(own, metric, question, first, before=before) for before in (False, True))
        found[policy].append((*now, *then))
    return found


def moved(events: Iterable[Event], users: Iterable[str], policy: str) -> list[Event]:
    """The events, with the users' slates by another policy every second time."""
    chosen = set(users)
    return [replace(e, policy_id=policy) if e.user in chosen and e.at.minute % 2 else e for e in events]
