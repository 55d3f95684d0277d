"""A policy: an immutable, content-addressed version of weights for a scope."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final

import rfc8785

from reward_llm.domain.interpretation import DatedSpan, Interpretation, Quantity
from reward_llm.domain.review import Review
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.source import Source
from reward_llm.domain.weights import Weights

__all__ = ["Attempt", "Proposal", "Provenance", "RewardPolicy", "Source", "default_policy"]

_ID_DIGITS: Final = 20
_LAST: Final = "weights"
"""The last of a policy's fields in canonical order: those of many segments have the same."""


@dataclass(frozen=True, kw_only=True)
class RewardPolicy:
    """Weights for a scope, with where they came from.

    `version` counts the scope's policies from 1; 0 is the scenario's defaults. `origin` is the goal or the edit
    that they came from.
    """

    scope: Scope
    version: int
    weights: Weights
    source: Source
    origin: str
    created_at: datetime

    @property
    def document(self) -> dict[str, Any]:
        """What the content hash is taken over."""
        return {
            "kind": "reward_policy/1",
            "scenario": self.scope.scenario,
            "segment": self.scope.segment,
            "version": self.version,
            "weights": dict(self.weights),
            "source": self.source.value,
            "origin": self.origin,
        }

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over the RFC 8785 canonical JSON of `document`, in hexadecimal."""
        rest = {k: v for k, v in self.document.items() if k != _LAST}
        whole = b'%b,"%b":%b}' % (_canonical_rest(rest)[:-1], _LAST.encode(), _canonical_weights(self.weights))
        return hashlib.sha256(whole).hexdigest()

    @cached_property
    def policy_id(self) -> str:
        """The content hash, shortened to a name."""
        return f"pol_{self.content_hash[:_ID_DIGITS]}"


def _canonical_rest(fields: Mapping[str, Any]) -> bytes:
    """RFC 8785 of strings and whole numbers, which is what `json` writes as well, many times as fast."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


@lru_cache(maxsize=1_024)
def _canonical_weights(weights: Weights) -> bytes:
    return rfc8785.dumps(dict(weights))


def default_policy(scenario: Scenario, segment: str | None, created_at: datetime) -> RewardPolicy:
    """The scenario's defaults as a policy: what holds where nothing was activated."""
    return RewardPolicy(
        scope=Scope(scenario.name, segment),
        version=0,
        weights=scenario.defaults,
        source=Source.DEFAULT,
        origin="scenario",
        created_at=created_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One step of the way to an answer: who was asked and, if it failed, why.

    `raw_answer` is what a model said, cut to what is worth keeping; `duration_s` is in seconds. `asked` is False
    where a model wasn't shown the goal at all.
    """

    source: Source
    succeeded: bool
    duration_s: float
    reason: str | None = None
    raw_answer: str | None = None
    seed: int | None = None
    asked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is needed to say afterwards why the weights are what they are.

    `prompt` is the version that the model was asked with, such as `goal_to_intents@1`; `prompt_reason` says why it
    was the packaged one when another was to be taken. `checkpoint_hash` is the SHA-256 of an embedded model's
    weights, or what vLLM tells as its system's fingerprint; None if nobody tells.
    """

    prompt: str | None = None
    prompt_hash: str | None = None
    prompt_reason: str | None = None
    model: str | None = None
    checkpoint_hash: str | None = None
    seed: int | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An interpretation and weights with their provenance, not yet decided on.

    `numbers` and `dates` are all that the text holds, whatever they belong to. `reason` says why a fallback
    answered; None when the first choice did. `review` says why a person must look at it first; None if none need.
    """

    interpretation: Interpretation
    numbers: tuple[Quantity, ...] = ()
    dates: tuple[DatedSpan, ...] = ()
    weights: Weights
    source: Source
    reason: str | None = None
    provenance: Provenance = field(default_factory=Provenance)
    review: Review | None = None
