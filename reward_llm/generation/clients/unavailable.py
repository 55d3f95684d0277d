"""The place of a model that could not be built."""

from __future__ import annotations

from typing import NoReturn

from reward_llm.domain.completion import CompletionRequest, Vocabulary
from reward_llm.domain.policy import Source
from reward_llm.errors import ModelError


class UnavailableModel:
    """Answers everything with the error that kept the model from being built, so that the service goes on."""

    def __init__(self, source: Source, vocabulary: Vocabulary, error: ModelError) -> None:
        self.source = source
        self.vocabulary = vocabulary
        self.calibration = None
        self._error = error

    async def complete(self, request: CompletionRequest) -> NoReturn:
        """Raise the error."""
        raise self._error

    async def ping(self) -> NoReturn:
        """Raise the error."""
        raise self._error

    async def aclose(self) -> None:
        """Nothing to give back."""
