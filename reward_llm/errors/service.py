"""The parts that a service stands on, and the program that talks to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reward_llm.errors.root import RewardLLMError, Violation


class StoreUnavailable(RewardLLMError):
    """The database can't be read or written now."""

    code = "store_unavailable"
    retryable = True


class TooManySubscribers(RewardLLMError):
    """As many follow the weights already as one process tells."""

    code = "too_many_subscribers"
    retryable = True


class RankerUnavailable(RewardLLMError):
    """There is no ranker here, or what it needs can't be loaded."""

    code = "ranker_unavailable"


class RankerBusy(RewardLLMError):
    """As many wait for the ranker as may."""

    code = "ranker_busy"
    retryable = True


class EventsUnavailable(RewardLLMError):
    """The stream of events, or what the agents know by it, can't be reached or is full."""

    code = "events_unavailable"
    retryable = True


class MetricsUnavailable(RewardLLMError):
    """Nobody here keeps metrics of events, or their events can't be read now."""

    code = "metrics_unavailable"
    retryable = True


class SimulatorUnavailable(RewardLLMError):
    """There is no market here, or what it needs can't be loaded."""

    code = "simulator_unavailable"


class SimulationFailed(RewardLLMError):
    """A simulation that broke off."""

    code = "simulation_failed"


class SearchUnavailable(RewardLLMError):
    """Nothing is searched here, or what a method or its evaluator needs can't be loaded."""

    code = "search_unavailable"


class SearchFailed(RewardLLMError):
    """A search that broke off."""

    code = "search_failed"


class CheckpointsUnavailable(RewardLLMError):
    """The place where the audit log's checkpoints are kept can't be read or written now."""

    code = "checkpoints_unavailable"
    retryable = True


class SignatureInvalid(RewardLLMError):
    """Something signed that was changed since, or that somebody else signed."""

    code = "signature_invalid"


class AuditBroken(RewardLLMError):
    """The audit log isn't what was written."""

    code = "audit_broken"


class ServiceUnavailable(RewardLLMError):
    """The command line can't reach the service."""

    code = "service_unavailable"
    retryable = True


class ServiceRefused(RewardLLMError):
    """The service answered with a problem document; `problem` is that, empty if it was none of ours."""

    code = "service_refused"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        violations: Sequence[Violation] = (),
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, violations=violations)
        self.problem = problem or {}

    @property
    def status(self) -> int:
        """The status of the answer; 500 where it isn't known."""
        return int(self.problem.get("status", 500))

    @property
    def kind(self) -> str:
        """The `code` of the problem document."""
        return str(self.problem.get("code", self.code))


class ReviewNeeded(RewardLLMError):
    """A reading isn't to be activated before a person has looked at it."""

    code = "review_needed"


class ConfigurationInvalid(RewardLLMError):
    """A setting that can't be used."""

    code = "configuration_invalid"
