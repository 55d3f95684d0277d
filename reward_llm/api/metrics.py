"""What the service counts, for Prometheus."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reward_llm.domain.metrics import MetricsReport
from reward_llm.domain.notices import NoticeKind
from reward_llm.domain.policy import Proposal
from reward_llm.domain.ports import ChangeFeed, Clock, Notices, WeightsBoard
from reward_llm.domain.ports.leader import WorkerStatus
from reward_llm.domain.serving import Rule, ServedWeights

_PREFIX: Final = "reward_llm_"
_RANKING_BUCKETS_S: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
_PROPOSAL_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)


class Metrics:
    """The counters of one application, in a registry of their own.

    Lookups are tallied in plain numbers, which costs them less, until somebody asks.
    """

    def __init__(self, board: WeightsBoard, clock: Clock) -> None:
        self._registry = CollectorRegistry()
        self._uncounted: defaultdict[tuple[str, Rule], int] = defaultdict(int)
        self._unlogged: defaultdict[int, int] = defaultdict(int)
        self._worker: WorkerStatus | None = None
        counter, histogram, gauge = self._counter, self._histogram, self._gauge
        self._goals = counter(
            "goals", "Goals that were read, by decision and by who read them.", "decision", "source"
        )
        self._refused = counter("goals_refused", "Submissions that were refused.", "code")
        self._fallbacks = counter("fallbacks", "Goals that the first choice didn't answer, by the reason.", "reason")
        self._proposal_s = histogram("proposal_seconds", "How long reading a goal took.", _PROPOSAL_BUCKETS_S)
        self._lookups = counter(
            "lookups", "Weights that were looked up, by scenario and by whose activation won.", "scenario", "rule"
        )
        self._in_lane = counter(
            "lane_answers",
            "Requests for weights that were answered again without a line in the log, by status.",
            "status",
        )
        self._rankings = counter(
            "rankings", "Slates that were ranked, by scenario and by which list was chosen.", "scenario", "chosen"
        )
        self._ranking_s = histogram("ranking_seconds", "How long a request waited for its slate.", _RANKING_BUCKETS_S)
        self._decisions = counter(
            "decisions",
            "Decisions of the agents, by scenario, by the user agent's mode and by where its state came from.",
            *("scenario", "mode", "state"),
        )
        self._events = counter("events", "Events that were sent in, by what became of them.", "outcome")
        self._online = gauge(
            "online",
            "Metrics of events and the ends of their intervals, by scope and window.",
            *("scenario", "segment", "window", "metric", "end"),
        )
        self._duties = gauge(
            "duty_runs", "Duties that were done here since the start, by how that went.", "duty", "outcome"
        )
        self._told = counter("notices", "Notices that were sent to those who follow the weights, by kind.", "event")
        age = gauge("board_age_seconds", "How long ago the database confirmed what is served.")
        age.set_function(lambda: board.freshness(clock()).age_s)

    def watch(self, feed: ChangeFeed, notices: Notices) -> None:
        """Show how a feed is, and how many follow the weights."""
        up = self._gauge("feed_up", "Whether changes are heard of at once.", "kind")
        up.labels(feed.kind).set_function(lambda: feed.status().connected)
        silent = self._gauge("feed_silent_seconds", "How long ago the feed was heard.")
        silent.set_function(lambda: feed.status().silent_s or 0.0)
        following = self._gauge("subscribers", "How many follow the weights.")
        following.set_function(lambda: notices.subscribers)

    def watch_worker(self, worker: WorkerStatus) -> None:
        """Show whether this process does the duties, and how they go."""
        leads = self._gauge("worker_leads", "Whether this process does what has to be done again and again.")
        leads.set_function(lambda: worker.leads)
        self._worker = worker

    def noticed(self, kind: NoticeKind) -> None:
        """Count a notice that was sent."""
        self._told.labels(kind.value).inc()

    def read(self, proposal: Proposal, duration_s: float) -> None:
        """Count a goal that was read."""
        self._goals.labels(proposal.interpretation.decision.value, proposal.source.value).inc()
        self._proposal_s.observe(duration_s)
        if proposal.reason is not None:
            self._fallbacks.labels(proposal.reason.partition(":")[0]).inc()

    def refused(self, code: str) -> None:
        """Count a submission that was refused."""
        self._refused.labels(code).inc()

    def looked_up(self, served: ServedWeights) -> None:
        """Count a lookup."""
        self._uncounted[served.scope.scenario, served.rule] += 1

    def ranked(self, scenario: str, chosen: str, duration_s: float) -> None:
        """Count a slate."""
        self._rankings.labels(scenario, chosen).inc()
        self._ranking_s.observe(duration_s)

    def took_in(self, accepted: int, duplicates: int, rejected: int) -> None:
        """Count events that were sent in."""
        for outcome, number in (("accepted", accepted), ("duplicate", duplicates), ("rejected", rejected)):
            self._events.labels(outcome).inc(number)

    def decided(self, scenario: str, mode: str, state: str) -> None:
        """Count a decision of the agents."""
        self._decisions.labels(scenario, mode, state).inc()

    def measured(self, report: MetricsReport) -> None:
        """Show metrics of events; what nothing tells any more isn't a number."""
        scope, window = report.scope, str(report.window)
        for metric, found in report.estimates.items():
            for end, number in (("value", found.value), ("low", found.low), ("high", found.high)):
                gauge = self._online.labels(scope.scenario, scope.segment or "", window, metric.value, end)
                gauge.set(math.nan if number is None else number)

    def answered_in_lane(self, status: int) -> None:
        """Count a request that was answered without a line in the log."""
        self._unlogged[status] += 1

    def exposition(self) -> bytes:
        """Everything, in the text format."""
        for (scenario, rule), count in self._uncounted.items():
            self._lookups.labels(scenario, rule.value).inc(count)
        for status, count in self._unlogged.items():
            self._in_lane.labels(str(status)).inc(count)
        for duty, record in self._worker.records.items() if self._worker else ():
            for outcome, number in (("done", record.runs - record.failures), ("failed", record.failures)):
                self._duties.labels(duty, outcome).set(number)
        self._uncounted.clear()
        self._unlogged.clear()
        return generate_latest(self._registry)

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, says, labels, registry=self._registry)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(_PREFIX + name, says, labels, registry=self._registry)

    def _histogram(self, name: str, says: str, buckets_s: tuple[float, ...]) -> Histogram:
        return Histogram(_PREFIX + name, says, registry=self._registry, buckets=buckets_s)
