"""Who is served what, worked out for a stretch of time in which nothing begins or ends.

scope ─► frozen: the defaults
         else the segment's winner, else the scenario's, else the segment's defaults
      ─► a period: one answer for everybody, and one for each way of being in or out of its partial rollouts
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from reward_llm.delivery.sdk.resting import Rests
from reward_llm.delivery.sdk.shares import Includes, includes
from reward_llm.delivery.sdk.snapshot import Item, PolicyWeights, ScheduledWeights, ScopeKey, Snapshot
from reward_llm.delivery.sdk.standing import Standing
from reward_llm.delivery.sdk.weights import Rollout, Weights
from reward_llm.domain.schedule import live, takeovers, winner

WARMED: Final = 1_000
"""Of up to so many scopes all are worked out in advance, of more those that were looked up before."""
_MOST_ANSWERS: Final = 256
"""How many answers a period keeps for units; more are worked out each time."""

Layers = tuple[tuple[str, tuple[ScheduledWeights, ...]], ...]
"""Whose activations count for a scope, the most specific first, each `winners_first`."""


@dataclass(slots=True, kw_only=True)
class Period:
    """What a scope is served until something begins or ends.

    `since` and `until` are seconds since 1970; `until` is None if nothing will. `deciding` are the partial
    activations on which the answer for a unit depends, as what says whether a unit is in one; which of them it is in
    is the key of `answers`.
    """

    item: Item
    layers: Layers
    since: float
    until: float | None
    everybody: Weights
    deciding: tuple[Includes, ...]
    answers: dict[tuple[bool, ...], Weights] = field(default_factory=dict)

    def holds(self, now_s: float) -> bool:
        """Whether it does now, if the clock went neither on nor back too far."""
        return self.since <= now_s and (self.until is None or now_s < self.until)

    def under(self, standing: Standing) -> Period:
        """The same of another snapshot; what units are answered is worked out again."""
        return Period(
            item=self.item,
            layers=self.layers,
            since=self.since,
            until=self.until,
            everybody=self.everybody.under(standing),
            deciding=self.deciding,
        )

    def known_answer(self, unit: str) -> Weights | None:
        """The unit's, if one like it has asked before."""
        return self.answers.get(self.included(unit)) if unit and self.deciding else self.everybody

    def included(self, unit: str) -> tuple[bool, ...]:
        """Which of `deciding` the unit is in."""
        return tuple([has(unit) for has in self.deciding])


class Table:
    """A snapshot, ready to be looked up in.

    A snapshot leaves out what was over when it was made, so it says nothing of the time before: while the clock is
    behind `as_of_s`, in seconds since 1970, what held then holds. `periods` grows as scopes are looked up, by any
    thread: each puts in what it worked out itself. `edges` are when something begins or ends, in order, once they
    were looked for.
    """

    __slots__ = ("as_of_s", "edges", "items", "periods", "standing")

    def __init__(self, items: Mapping[ScopeKey, Item], standing: Standing, as_of_s: float) -> None:
        self.items = items
        self.as_of_s = as_of_s
        self.standing = standing
        self.periods: dict[ScopeKey, Period] = {}
        self.edges: tuple[float, ...] = ()

    @classmethod
    def of(cls, snapshot: Snapshot, standing: Standing) -> Table:
        """The snapshot's."""
        return cls(snapshot.items, standing, snapshot.as_of.timestamp())

    def anew(self) -> Table:
        """The same, with nothing worked out: the clock went back."""
        table = Table(self.items, self.standing, self.as_of_s)
        table.edges = self.edges
        return table

    @classmethod
    def empty(cls) -> Table:
        """What there is at first."""
        standing = Standing(
            revision=0, confirmed_at=float("-inf"), confirmed=False, service_stale=False, stale_after_s=1.0
        )
        return cls(MappingProxyType({}), standing, float("-inf"))

    def says_what(self, other: Table) -> bool:
        """Whether both are of the same scopes, each as the service wrote it."""
        known = other.items
        if len(known) != len(self.items):
            return False
        pairs = ((item, known.get(key)) for key, item in self.items.items())
        return all(one is two or (two is not None and one.digest == two.digest) for one, two in pairs)

    def period(self, key: ScopeKey, now_s: float) -> Period:
        """The period that holds now.

        Raises:
            KeyError: If there is no such scope.
        """
        period = self.periods.get(key)
        if period is None or not period.holds(now_s):
            period = self.periods[key] = self._period(self.items[key], now_s)
        return period

    def for_unit(self, period: Period, unit: str, now_s: float) -> Weights:
        """The unit's answer in the period."""
        included = period.included(unit)
        answer = period.answers.get(included)
        if answer is None:
            answer = self._answer(period.item, period.layers, self._moment(now_s), unit)
            if len(period.answers) < _MOST_ANSWERS:
                period.answers[included] = answer
        return answer

    def warm(self, before: Table, now_s: float) -> None:
        """Work out what is likely to be asked for, so that no lookup has to: all of it, or what was asked before."""
        rests = Rests()
        for key in list(self.items if len(self.items) <= WARMED else before.periods):
            if key in self.items:
                self._warm(key, before, now_s)
            rests.rest_if_due()

    def find_edges(self) -> None:
        """Look for all moments at which something begins or ends."""
        rests, found = Rests(), set[float]()
        for item in self.items.values():
            found.update(edge.timestamp() for edge in item.edges)
            rests.rest_if_due()
        self.edges = tuple(sorted(found))

    def _warm(self, key: ScopeKey, before: Table, now_s: float) -> None:
        kept, whole = before.periods.get(key), (key[0], None)
        same = kept is not None and kept.item is self.items[key] and before.items[whole] is self.items[whole]
        if kept is not None and same and kept.holds(now_s):
            self.periods[key] = kept.under(self.standing)
        else:
            self.period(key, now_s)

    def _period(self, item: Item, now_s: float) -> Period:
        now = self._moment(now_s)
        layers = self.layers(item, now)
        walked = [a for _, ordered in layers for a in ordered]
        edges = [m for a in walked for m in (a.start, a.end) if m is not None and m > now]
        return Period(
            item=item,
            layers=layers,
            since=now_s if now_s > self.as_of_s else float("-inf"),
            until=min(edges).timestamp() if edges else None,
            everybody=self._answer(item, layers, now, None),
            deciding=tuple(includes(a.policy_id, a.percent) for a in walked if a.partial),
        )

    def _moment(self, now_s: float) -> datetime:
        return datetime.fromtimestamp(max(now_s, self.as_of_s), UTC)

    def layers(self, item: Item, now: datetime) -> Layers:
        """What of each layer may matter until the next edge: nothing below what holds for everybody."""
        whole = self.items[item.scenario, None]
        if item.frozen or whole.frozen:
            return ()
        layers = [("segment", item)] if item.segment is not None else []
        layers.append(("scenario", whole))
        kept: list[tuple[str, tuple[ScheduledWeights, ...]]] = []
        for rule, layer in layers:
            lively = live(layer.activations, now)
            bottom = next((i for i, a in enumerate(lively) if a.covers(now) and not a.partial), None)
            kept.append((rule, lively if bottom is None else lively[: bottom + 1]))
            if bottom is not None:
                break
        return tuple(kept)

    def _answer(self, item: Item, layers: Layers, now: datetime, unit: str | None) -> Weights:
        if item.frozen or self.items[item.scenario, None].frozen:
            return self._weights(item, item.default, "frozen", None, None)
        changes: list[datetime] = []
        for rule, ordered in layers:
            found = winner(ordered, now, unit)
            changes += takeovers(ordered, found, now, unit)
            if found is not None:
                rollout = Rollout(activation=found.sequence, percent=found.percent)
                return self._weights(item, found.policy, rule, rollout, min(changes, default=None))
        return self._weights(item, item.default, "default", None, min(changes, default=None))

    def _weights(
        self, item: Item, policy: PolicyWeights, rule: str, rollout: Rollout | None, until: datetime | None
    ) -> Weights:
        weights = policy.weights
        if tuple(weights) != item.utilities:
            weights = MappingProxyType({u: weights[u] for u in item.utilities})
        return Weights(
            scenario=item.scenario,
            segment=item.segment,
            policy_id=policy.policy_id,
            version=policy.version,
            utilities=item.utilities,
            weights=weights,
            vector=tuple(weights.values()),
            source=policy.source,
            rule=rule,
            rollout=rollout,
            valid_until=until,
            _standing=self.standing,
        )
