"""What holds for a scope until something changes, worked out once.

frozen ─► the defaults
else: the segment's winner, else the scenario's, else the defaults; for a unit, among what is rolled out to it
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from reward_llm.delivery.encoding import encoded_item, encoded_weights
from reward_llm.domain.activation import Activation
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.rollout import bucket
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import live, takeovers, winner
from reward_llm.domain.serving import Rollout, Rule

_ETAG_DIGITS: Final = 32
_MOST_ANSWERS: Final = 256

Layers = tuple[tuple[Rule, tuple[Activation, ...]], ...]
"""Whose activations count for a scope, the most specific first, each `winners_first`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A scope, what holds where nothing was activated, and the order of its weights."""

    scope: Scope
    default: RewardPolicy
    utilities: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a unit is served, until when, as it is told, and under which entity tag."""

    policy: RewardPolicy
    policy_id: str
    rule: Rule
    rollout: Rollout | None
    until: datetime | None
    content: bytes
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What is served to everybody in [since, until), and what some may be served instead.

    Nothing begins or ends in between. `shares` are the policies that are for some only, each with its percentage;
    which of them a unit falls under decides on its answer, and those `answers` are kept.
    """

    ground: Ground
    since: datetime
    until: datetime | None
    layers: Layers
    everybody: Answer
    shares: tuple[tuple[str, float], ...]
    answers: dict[tuple[bool, ...], Answer] = field(default_factory=dict, compare=False)

    def covers(self, now: datetime) -> bool:
        """Whether it can still be asked."""
        return self.since <= now and (self.until is None or now < self.until)

    def answer(self, now: datetime, unit: str | None) -> Answer:
        """What the unit is served now."""
        if unit is None or not self.shares:
            return self.everybody
        under = tuple([bucket(policy_id, unit) < percent for policy_id, percent in self.shares])
        answer = self.answers.get(under)
        if answer is None:
            answer = _found(self.ground, self.layers, now, unit)
            if len(self.answers) < _MOST_ANSWERS:
                self.answers[under] = answer
        return answer

    def item(self) -> bytes:
        """The scope's item in a snapshot."""
        own = self.layers[0][1] if self.layers else ()
        ground, frozen = self.ground, self.everybody.rule is Rule.FROZEN
        return encoded_item(self.everybody.content, ground.utilities, ground.default, own, frozen=frozen)


def holding(ground: Ground, layers: Layers, now: datetime) -> Holding:
    """What the activations of the layers make of a scope, from now on."""
    lively = tuple((rule, live(ordered, now)) for rule, ordered in layers)
    activations = [a for _, ordered in lively for a in ordered]
    return Holding(
        ground=ground,
        since=now,
        until=next_edge(activations, now),
        layers=lively,
        everybody=_found(ground, lively, now, None),
        shares=tuple((a.policy_id, a.percent) for a in activations if a.partial),
    )


def frozen(ground: Ground, now: datetime) -> Holding:
    """What a frozen scope is served."""
    answer = _answer(ground, ground.default, Rule.FROZEN, None, None)
    return Holding(ground=ground, since=now, until=None, layers=(), everybody=answer, shares=())


def next_edge(activations: Iterable[Activation], now: datetime) -> datetime | None:
    """When the next of the activations begins or ends."""
    return min((edge for a in activations for edge in _edges(a) if edge > now), default=None)


def _edges(activation: Activation) -> Iterator[datetime]:
    yield activation.start
    if (end := activation.end) is not None:
        yield end


def _found(ground: Ground, layers: Layers, now: datetime, unit: str | None) -> Answer:
    changes: list[datetime] = []
    for rule, ordered in layers:
        found = winner(ordered, now, unit)
        changes += takeovers(ordered, found, now, unit)
        if found is not None:
            rollout = Rollout(activation=found.sequence, percent=found.percent)
            return _answer(ground, found.policy, rule, rollout, min(changes, default=None))
    return _answer(ground, ground.default, Rule.DEFAULT, None, min(changes, default=None))


def _answer(
    ground: Ground, policy: RewardPolicy, rule: Rule, rollout: Rollout | None, until: datetime | None
) -> Answer:
    content = encoded_weights(ground.scope, ground.utilities, policy, rule, rollout, until)
    return Answer(
        policy=policy,
        policy_id=policy.policy_id,
        rule=rule,
        rollout=rollout,
        until=until,
        content=content,
        etag=hashlib.sha256(content).hexdigest()[:_ETAG_DIGITS],
    )
