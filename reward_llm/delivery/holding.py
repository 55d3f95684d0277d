"""What holds for a scope until something changes, worked out once.

frozen ─► the defaults
else: the segment's winner, else the scenario's, else the defaults; for a unit, among what is rolled out to it
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import rfc8785

from reward_llm.domain.activation import Activation
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import live, takeovers, winner
from reward_llm.domain.serving import Rollout, Rule

_ETAG_DIGITS: Final = 32

Layers = tuple[tuple[Rule, tuple[Activation, ...]], ...]
"""Whose activations count for a scope, the most specific first, each `winners_first`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a unit is served, until when, and under which entity tag."""

    policy: RewardPolicy
    policy_id: str
    rule: Rule
    rollout: Rollout | None
    until: datetime | None
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is served to everybody in [since, until), and what some may be served instead."""

    scope: Scope
    default: RewardPolicy
    since: datetime
    layers: Layers
    everybody: Answer
    rolled_out: bool

    def covers(self, now: datetime) -> bool:
        """Whether it can still be asked."""
        until = self.everybody.until
        return self.since <= now and (until is None or now < until)

    def answer(self, now: datetime, unit: str | None) -> Answer:
        """What the unit is served now."""
        if unit is None or not self.rolled_out:
            return self.everybody
        return _found(self.scope, self.layers, self.default, now, unit)


def holding(scope: Scope, layers: Layers, default: RewardPolicy, now: datetime) -> Holding:
    """What the activations of the layers make of a scope, from now on."""
    lively = tuple((rule, live(ordered, now)) for rule, ordered in layers)
    return Holding(
        scope=scope,
        default=default,
        since=now,
        layers=lively,
        everybody=_found(scope, lively, default, now, None),
        rolled_out=any(a.partial for _, ordered in lively for a in ordered),
    )


def frozen(scope: Scope, default: RewardPolicy, now: datetime) -> Holding:
    """What a frozen scope is served."""
    answer = _answer(scope, default, Rule.FROZEN, None, None)
    return Holding(scope=scope, default=default, since=now, layers=(), everybody=answer, rolled_out=False)


def _found(scope: Scope, layers: Layers, default: RewardPolicy, now: datetime, unit: str | None) -> Answer:
    changes: list[datetime] = []
    for rule, ordered in layers:
        found = winner(ordered, now, unit)
        changes += takeovers(ordered, found, now, unit)
        if found is not None:
            rollout = Rollout(activation=found.sequence, percent=found.percent)
            return _answer(scope, found.policy, rule, rollout, min(changes, default=None))
    return _answer(scope, default, Rule.DEFAULT, None, min(changes, default=None))


def _answer(
    scope: Scope, policy: RewardPolicy, rule: Rule, rollout: Rollout | None, until: datetime | None
) -> Answer:
    policy_id = policy.policy_id
    document = {
        "scenario": scope.scenario,
        "segment": scope.segment,
        "policy_id": policy_id,
        "version": policy.version,
        "weights": dict(policy.weights),
        "source": policy.source.value,
        "rule": rule.value,
        "rollout": [rollout.activation, rollout.percent] if rollout else None,
        "valid_until": until.isoformat() if until else None,
    }
    etag = hashlib.sha256(rfc8785.dumps(document)).hexdigest()[:_ETAG_DIGITS]
    return Answer(policy=policy, policy_id=policy_id, rule=rule, rollout=rollout, until=until, etag=etag)
