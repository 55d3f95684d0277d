"""What no reader of weights may ever see, checked on each thing that it sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.live.delivery.writing import UTILITIES, Policy

_MOST_EXAMPLES: Final = 20

GAP: Final = "gap"
"""No weights, stale ones, or the defaults although something is active."""
MIX: Final = "mix"
"""Weights that aren't exactly those of their policy, or of an activation of another one."""
BACK: Final = "back"
"""An older revision or activation than the same reader saw before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a reader sees of one scope; `activation` is None where the defaults hold."""

    segment: str | None
    revision: int
    policy_id: str
    version: int
    weights: Mapping[str, float]
    vector: Sequence[float]
    activation: int | None
    stale: bool

    @classmethod
    def of_body(cls, body: Mapping[str, Any], revision: int, *, stale: bool) -> Sight:
        """What an answer of the server, or an item of its snapshot, says."""
        return cls(
            segment=body["segment"],
            revision=revision,
            policy_id=body["policy_id"],
            version=body["version"],
            weights=body["weights"],
            vector=body["vector"],
            activation=body["rollout"]["activation"] if body["rollout"] else None,
            stale=stale,
        )


@dataclass(slots=True)
class Ledger:
    """What is true, and what was seen that isn't."""

    policies: dict[str, Policy] = field(default_factory=dict)
    """Every policy there is, from before it is first activated."""
    activations: dict[int, str] = field(default_factory=dict)
    """Of which policy each activation is, once its writer knows."""
    seen: dict[int, str] = field(default_factory=dict)
    """Of which policy each activation was seen to be."""
    violations: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    sights: Counter[str] = field(default_factory=Counter)
    """How often each kind of reader looked."""

    def add(self, policy: Policy) -> Policy:
        self.policies[policy.policy_id] = policy
        return policy

    def violated(self, kind: str, who: str, what: str) -> None:
        self.violations[kind] += 1
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(f"{kind}: {who} {what}")

    def settle(self) -> None:
        """Compare the activations that were seen with those that were made."""
        for sequence, policy_id in self.seen.items():
            made = self.activations.get(sequence, policy_id)
            if made != policy_id:
                self.violated(MIX, "somebody", f"saw activation {sequence} of {made} as one of {policy_id}")


@dataclass(slots=True)
class Watcher:
    """One reader, whose sights must not go back."""

    who: str
    ledger: Ledger
    _revision: int = 0
    _activations: dict[str | None, int] = field(default_factory=dict)

    def check(self, sight: Sight | None) -> None:
        """Look at what the reader sees now; None is nothing at all."""
        self.ledger.sights[self.who.partition(" ")[0]] += 1
        if sight is None:
            self._say(GAP, "has no weights")
            return
        self._check_gap(sight)
        self._check_mix(sight)
        self._check_back(sight)

    def forget(self) -> None:
        """From here on it may be another server that answers, which knows less."""
        self._revision = 0
        self._activations.clear()

    def _check_gap(self, sight: Sight) -> None:
        if sight.stale:
            self._say(GAP, f"has stale weights of revision {sight.revision}")
        if sight.activation is None:
            self._say(GAP, f"is served the defaults at revision {sight.revision}")

    def _check_mix(self, sight: Sight) -> None:
        policy = self.ledger.policies.get(sight.policy_id)
        if sight.activation is None:
            return
        if policy is None:
            self._say(MIX, f"sees {sight.policy_id}, which nobody made")
        elif (sight.version, dict(sight.weights)) != (policy.version, dict(policy.weights)):
            self._say(MIX, f"sees {sight.policy_id} as {sight.version} {dict(sight.weights)}, not as {policy}")
        if list(sight.vector) != [sight.weights.get(u) for u in UTILITIES]:
            self._say(MIX, f"has the vector {list(sight.vector)} of {dict(sight.weights)}")
        if self.ledger.seen.setdefault(sight.activation, sight.policy_id) != sight.policy_id:
            self._say(MIX, f"sees activation {sight.activation} with {sight.policy_id}, others saw another policy")

    def _check_back(self, sight: Sight) -> None:
        if sight.revision < self._revision:
            self._say(BACK, f"went from revision {self._revision} to {sight.revision}")
        newest = self._activations.get(sight.segment, 0)
        if sight.activation is not None and sight.activation < newest:
            self._say(BACK, f"went from activation {newest} to {sight.activation} in {sight.segment}")
        self._revision = sight.revision
        self._activations[sight.segment] = sight.activation or newest

    def _say(self, kind: str, what: str) -> None:
        self.ledger.violated(kind, self.who, what)
