"""What a proposer did on the way to its proposal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reward_llm.domain.completion import Completion
from reward_llm.domain.policy import Attempt, Proposal, Provenance, Source
from reward_llm.errors import RewardLLMError
from reward_llm.generation.prompts import PromptBundle


@dataclass(slots=True)
class Trail:
    """The attempts so far, and the last thing that a model said in them."""

    attempts: list[Attempt] = field(default_factory=list)
    completion: Completion | None = None

    def failed(
        self,
        source: Source,
        error: RewardLLMError,
        duration_s: float,
        raw: str | None = None,
        seed: int | None = None,
    ) -> None:
        """Note an attempt that came to nothing."""
        reason = f"{error.code}: {error.message}"
        self.attempts.append(
            Attempt(source=source, succeeded=False, duration_s=duration_s, reason=reason, raw_answer=raw, seed=seed)
        )

    @property
    def reasons(self) -> str:
        """Why attempts failed, each reason once."""
        return "; ".join(dict.fromkeys(a.reason for a in self.attempts if not a.succeeded and a.reason))

    def provenance(self, draft: Proposal, bundle: PromptBundle) -> Provenance:
        """The draft's, with every attempt, and with the prompt and the model if one was asked in vain."""
        found = draft.provenance
        if found.prompt is None and any(a.seed is not None for a in self.attempts):
            found = replace(found, prompt=bundle.label, prompt_hash=bundle.content_hash)
        if self.completion is not None:
            told = self.completion
            found = replace(found, model=found.model or told.model, checkpoint_hash=told.checkpoint_hash)
        return replace(found, attempts=tuple(self.attempts))
