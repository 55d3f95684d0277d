"""A model that says what it was told to: for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain, repeat

from reward_llm.domain.calibration import Calibration
from reward_llm.domain.completion import Completion, CompletionRequest, Vocabulary
from reward_llm.domain.policy import Source
from reward_llm.errors import ModelError, ModelUnavailable

Line = str | Completion | ModelError | Callable[[CompletionRequest], str]


class ScriptedModel:
    """Gives its lines one after the other, and the last one from then on; an error among them is raised."""

    source = Source.SCRIPTED

    def __init__(
        self,
        lines: Iterable[Line],
        *,
        vocabulary: Vocabulary = Vocabulary.CONCEPTS,
        calibration: Calibration | None = None,
    ) -> None:
        script = list(lines)
        self.vocabulary = vocabulary
        self.calibration = calibration
        self.requests: list[CompletionRequest] = []
        self._lines = chain(script, repeat(script[-1] if script else ModelUnavailable("the script is empty")))

    async def complete(self, request: CompletionRequest) -> Completion:
        """The next line."""
        self.requests.append(request)
        line = next(self._lines)
        if isinstance(line, ModelError):
            raise line
        if isinstance(line, Completion):
            return line
        return Completion(text=line if isinstance(line, str) else line(request), model="scripted")

    async def ping(self) -> str:
        """Always ready."""
        return "scripted"

    async def aclose(self) -> None:
        """Nothing to give back."""
