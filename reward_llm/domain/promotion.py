"""Whether a version may take the place of another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reward_llm.domain.prompts import PromotionEvidence, PromptOverride, PromptVersion

OVERRIDES_NEEDED: Final = 2
"""So many people must consent to a version that falls short; its author isn't one of them."""


def counted(version: PromptVersion, overrides: Iterable[PromptOverride]) -> tuple[str, ...]:
    """Whose consent to exactly this version counts: everybody's once, and never its author's."""
    people = (o.given_by for o in overrides if o.content_hash == version.content_hash)
    return tuple(dict.fromkeys(p for p in people if p != version.author))


def may_pass(evidence: PromotionEvidence, consenting: tuple[str, ...]) -> bool:
    """Whether the evidence is good enough, or enough people have overridden it."""
    return not evidence.shortfalls or len(consenting) >= OVERRIDES_NEEDED


def measures(evidence: PromotionEvidence, version: PromptVersion) -> bool:
    """Whether the evidence is about this very version."""
    return evidence.candidate.content_hash == version.content_hash
