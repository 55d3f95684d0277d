"""The language model, and work that is done with it."""

from __future__ import annotations

from reward_llm.errors.root import RewardLLMError


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


class EvaluationTimeout(RewardLLMError):
    """A golden set took longer to read than there is time for."""

    code = "evaluation_timeout"
    retryable = True


class MemoryInsufficient(RewardLLMError):
    """A run that needs more memory than there is; its hint says what would fit."""

    code = "memory_insufficient"
