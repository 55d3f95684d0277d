"""Every error that the project raises on purpose.

RewardLLMError
├── InvalidInput            what was sent can't be used; sending it again won't help
│   ├── BodyMalformed
│   ├── BodyTooLarge
│   ├── GoalInvalid
│   ├── WeightsInvalid
│   └── ScenarioInvalid
├── NotFound
│   ├── ScenarioUnknown
│   ├── SegmentUnknown
│   ├── GoalUnknown
│   ├── PolicyUnknown
│   └── PromptUnknown
├── Conflict
│   ├── GoalPending
│   └── IdempotencyConflict
├── GateRefused             the gate found violations in an answer or an edit
├── ModelError              the language model gave no usable answer
│   ├── ModelUnavailable
│   ├── ModelTimeout
│   ├── AnswerTruncated
│   ├── AnswerMalformed
│   ├── AnswerInconsistent
│   ├── CheckpointInvalid
│   └── ModelServerFailed
├── MemoryInsufficient      there is less memory than a run needs
├── StoreUnavailable        the database can't be read or written now
├── ServiceUnavailable      the command line can't reach the service
├── ServiceRefused          the service answered with a problem document
├── ReviewNeeded            a reading isn't to be activated before a person has looked at it
└── ConfigurationInvalid

Each knows whether trying again may help (`retryable`) and may carry a `hint` that says what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One thing that is wrong with a value, and where."""

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class RewardLLMError(Exception):
    """The root of the tree."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None, violations: Sequence[Violation] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.violations = tuple(violations)


class InvalidInput(RewardLLMError):
    """What was sent can't be used."""

    code = "invalid_input"


class BodyMalformed(InvalidInput):
    """A request's body that isn't one JSON document in UTF-8."""

    code = "body_malformed"


class BodyTooLarge(InvalidInput):
    """A request's body over the limit."""

    code = "body_too_large"


class GoalInvalid(InvalidInput):
    """A goal that can't be read at all: empty, too long, a window that ends before it starts."""

    code = "goal_invalid"


class WeightsInvalid(InvalidInput):
    """Weights off the simplex or over other utilities than the scenario's."""

    code = "weights_invalid"


class ScenarioInvalid(InvalidInput):
    """A scenario file that breaks its schema or contradicts itself."""

    code = "scenario_invalid"


class NotFound(RewardLLMError):
    """Nothing by that name."""

    code = "not_found"


class ScenarioUnknown(NotFound):
    """No scenario by that name."""

    code = "scenario_unknown"


class SegmentUnknown(NotFound):
    """The scenario has no segment by that name."""

    code = "segment_unknown"


class GoalUnknown(NotFound):
    """No goal by that id."""

    code = "goal_unknown"


class PolicyUnknown(NotFound):
    """No policy by that id."""

    code = "policy_unknown"


class PromptUnknown(NotFound):
    """No prompt bundle by that name."""

    code = "prompt_unknown"


class Conflict(RewardLLMError):
    """The request contradicts what is stored."""

    code = "conflict"


class GoalPending(Conflict):
    """The same goal was submitted before and is still being read."""

    code = "goal_pending"
    retryable = True


class IdempotencyConflict(Conflict):
    """An Idempotency-Key came back with another request."""

    code = "idempotency_conflict"


class GateRefused(RewardLLMError):
    """The gate found violations; they are in `violations`."""

    code = "gate_refused"


class ModelError(RewardLLMError):
    """The language model gave no usable answer."""

    code = "model_error"


class ModelUnavailable(ModelError):
    """The model server can't be reached or refuses to answer."""

    code = "model_unavailable"
    retryable = True


class ModelTimeout(ModelError):
    """The model took longer than its deadline."""

    code = "model_timeout"
    retryable = True


class AnswerTruncated(ModelError):
    """The answer hit the token limit before its end."""

    code = "answer_truncated"
    retryable = True


class AnswerMalformed(ModelError):
    """The answer isn't the JSON document that was asked for; details are in `violations`."""

    code = "answer_malformed"
    retryable = True


class AnswerInconsistent(ModelError):
    """The answer's weights go against its own reading of the goal; details are in `violations`."""

    code = "answer_inconsistent"
    retryable = True


class CheckpointInvalid(ModelError):
    """A checkpoint folder is missing, incomplete or damaged."""

    code = "checkpoint_invalid"


class ModelServerFailed(ModelError):
    """A model server that was started here ended, or didn't get ready; `exit_code` is what to end with."""

    code = "model_server_failed"

    def __init__(self, message: str, *, hint: str | None = None, exit_code: int = 1) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


class MemoryInsufficient(RewardLLMError):
    """A run that needs more memory than there is; its hint says what would fit."""

    code = "memory_insufficient"


class StoreUnavailable(RewardLLMError):
    """The database can't be read or written now."""

    code = "store_unavailable"
    retryable = True


class ServiceUnavailable(RewardLLMError):
    """The command line can't reach the service."""

    code = "service_unavailable"
    retryable = True


class ServiceRefused(RewardLLMError):
    """The service answered with a problem document."""

    code = "service_refused"


class ReviewNeeded(RewardLLMError):
    """A reading isn't to be activated before a person has looked at it."""

    code = "review_needed"


class ConfigurationInvalid(RewardLLMError):
    """A setting that can't be used."""

    code = "configuration_invalid"
