"""What the service counts, for Prometheus."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reward_llm.domain.policy import Proposal
from reward_llm.domain.ports import Clock, WeightsBoard
from reward_llm.domain.serving import ServedWeights

_PROPOSAL_BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)


class Metrics:
    """The counters of one application, in a registry of their own."""

    def __init__(self, board: WeightsBoard, clock: Clock) -> None:
        self._registry = CollectorRegistry()
        self._goals = Counter(
            "reward_llm_goals",
            "Goals that were read, by decision and by who read them.",
            ["decision", "source"],
            registry=self._registry,
        )
        self._refused = Counter(
            "reward_llm_goals_refused", "Submissions that were refused.", ["code"], registry=self._registry
        )
        self._fallbacks = Counter(
            "reward_llm_fallbacks",
            "Goals that the first choice didn't answer, by the reason.",
            ["reason"],
            registry=self._registry,
        )
        self._proposal_s = Histogram(
            "reward_llm_proposal_seconds",
            "How long reading a goal took.",
            registry=self._registry,
            buckets=_PROPOSAL_BUCKETS_S,
        )
        self._lookups = Counter(
            "reward_llm_lookups",
            "Weights that were looked up, by scenario and by whose activation won.",
            ["scenario", "rule"],
            registry=self._registry,
        )
        age = Gauge(
            "reward_llm_board_age_seconds",
            "How long ago the database confirmed what is served.",
            registry=self._registry,
        )
        age.set_function(lambda: board.freshness(clock()).age_s)

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
        self._lookups.labels(served.scope.scenario, served.rule.value).inc()

    def exposition(self) -> bytes:
        """Everything, in the text format."""
        return generate_latest(self._registry)
