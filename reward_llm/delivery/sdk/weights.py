"""What a lookup gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from reward_llm.delivery.sdk.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The sequence of the activation that serves, and the share of units that it is for, in percent."""

    activation: int
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The weights that hold for a scope, as one policy says them.

    `weights` and `vector` are in the order of `utilities`. `source` is where the policy came from; `rule` is whose
    activation won: the `segment`'s, the `scenario`'s, or nobody's (`default`), or `frozen`. `rollout` is None where
    no activation serves. `valid_until` is when others will hold, as far as is known.

    Two are equal if they say the same, whatever their age.
    """

    scenario: str
    segment: str | None
    policy_id: str
    version: int
    utilities: tuple[str, ...]
    weights: Mapping[str, float] = field(hash=False)
    vector: tuple[float, ...]
    source: str
    rule: str
    rollout: Rollout | None
    valid_until: datetime | None
    _standing: Standing = field(repr=False, compare=False)

    def under(self, standing: Standing) -> Weights:
        """The same of another snapshot."""
        return Weights(
            scenario=self.scenario,
            segment=self.segment,
            policy_id=self.policy_id,
            version=self.version,
            utilities=self.utilities,
            weights=self.weights,
            vector=self.vector,
            source=self.source,
            rule=self.rule,
            rollout=self.rollout,
            valid_until=self.valid_until,
            _standing=standing,
        )

    @property
    def age_s(self) -> float:
        """Seconds since the service's database last confirmed them, by now; inf if nobody knows."""
        return self._standing.age_s

    @property
    def stale(self) -> bool:
        """Whether that was too long ago, or no service has confirmed them to this process."""
        return self._standing.stale

    @property
    def revision(self) -> int:
        """How many changes the service had counted when it last confirmed them."""
        return self._standing.revision
