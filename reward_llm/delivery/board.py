"""The board of what is served: the store's activations in memory, and who wins among them.

activations ─► refresh ─► board ─► lookup ─► weights
                every second        the segment's latest that covers now,
                and after writes    else the scenario's, else the defaults
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Final

import rfc8785
import structlog

from reward_llm.domain.policy import Activation, RewardPolicy, default_policy
from reward_llm.domain.ports import Clock, Store
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.serving import Freshness, Rule, ServedWeights
from reward_llm.errors import ScenarioUnknown, StoreUnavailable

_ETAG_DIGITS: Final = 32
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardConfig:
    """How often the board looks at the store, and when it calls itself stale."""

    refresh_s: float = 1.0
    """Seconds from one look to the next."""
    stale_after_s: float = 10.0
    """The age in seconds over which what is served is stale."""
    timeout_s: float = 5.0
    """How long one look may take, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holding:
    """What holds for a scope in [since, until), worked out once."""

    policy: RewardPolicy
    policy_id: str
    rule: Rule
    since: datetime
    until: datetime | None
    etag: str

    def covers(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)


class Board:
    """A `reward_llm.domain.ports.WeightsBoard` over a store's activations.

    Args:
        scenarios: What there is to serve, by name.
        store: Where activations are kept; only `activations` is asked of it.
        clock: Says when the store was last read.
        config: How often it is read, and what counts as stale.
    """

    def __init__(self, *, scenarios: Mapping[str, Scenario], store: Store, clock: Clock, config: BoardConfig) -> None:
        self._scenarios = scenarios
        self._store = store
        self._clock = clock
        self._config = config
        self._started_at = clock()
        self._confirmed_at: datetime | None = None
        self._latest_sequence = 0
        self._newest_first: dict[Scope, list[Activation]] = {}
        self._activated_ids: set[str] = set()
        self._holdings: dict[Scope, _Holding] = {}
        self._refreshing = asyncio.Lock()

    def lookup(self, scope: Scope, now: datetime) -> ServedWeights:
        """The weights that hold for the scope: its segment's, else its scenario's, else the defaults."""
        return self._served(scope, now, self.freshness(now))

    def snapshot(self, now: datetime) -> Sequence[ServedWeights]:
        """What `lookup` gives for every scenario and each of its segments."""
        freshness = self.freshness(now)
        return [self._served(scope, now, freshness) for s in self._scenarios.values() for scope in _scopes(s)]

    def held_at(self, scope: Scope, moment: datetime) -> RewardPolicy:
        """The policy that was served at a moment in the past, whatever was activated since."""
        scenario = self._checked(scope)
        for layer, _ in _layers(scope):
            for activation in self._newest_first.get(layer, ()):
                if activation.activated_at <= moment and activation.window.covers(moment):
                    return activation.policy
        return default_policy(scenario, scope.segment, self._started_at)

    def was_activated(self, policy_id: str) -> bool:
        """Whether the policy was put into force before."""
        return policy_id in self._activated_ids

    def freshness(self, now: datetime) -> Freshness:
        """How sure the board is of what it serves."""
        age_s = max(0.0, (now - (self._confirmed_at or self._started_at)).total_seconds())
        confirmed = self._confirmed_at is not None
        return Freshness(age_s=age_s, stale=not confirmed or age_s > self._config.stale_after_s, confirmed=confirmed)

    async def refresh(self) -> None:
        """Take over the activations that the store has since the last look."""
        async with self._refreshing:
            asked_at = self._clock()
            try:
                async with asyncio.timeout(self._config.timeout_s):
                    new = await self._store.activations(since=self._latest_sequence)
            except TimeoutError as exc:
                raise StoreUnavailable(f"no answer within {self._config.timeout_s:g} s") from exc
            for activation in new:
                self._take(activation)
            if new:
                self._holdings.clear()
            self._confirmed_at = asked_at

    async def keep_fresh(self) -> None:
        """Refresh every `refresh_s`, whatever the store does, until cancelled."""
        failing = False
        while True:
            try:
                await self.refresh()
            except Exception as exc:  # noqa: BLE001 - a board that stops looking would serve old weights for ever
                if not failing:
                    _log.warning("board.refresh_failed", error=str(exc), kind=type(exc).__name__)
                failing = True
            else:
                if failing:
                    _log.info("board.refresh_recovered")
                failing = False
            await asyncio.sleep(self._config.refresh_s)

    def _take(self, activation: Activation) -> None:
        self._latest_sequence = max(self._latest_sequence, activation.sequence)
        scope, policy_id = activation.policy.scope, activation.policy.policy_id
        self._activated_ids.add(policy_id)
        scenario = self._scenarios.get(scope.scenario)
        if scenario is None or set(activation.policy.weights) != set(scenario.utility_names):
            _log.warning("board.activation_ignored", policy_id=policy_id, scope=str(scope), reason="other utilities")
            return
        self._newest_first.setdefault(scope, []).insert(0, activation)

    def _served(self, scope: Scope, now: datetime, freshness: Freshness) -> ServedWeights:
        holding = self._holdings.get(scope)
        if holding is None or not holding.covers(now):
            holding = self._holdings[scope] = self._holding(scope, now)
        return ServedWeights(
            scope=scope,
            policy=holding.policy,
            policy_id=holding.policy_id,
            rule=holding.rule,
            valid_until=holding.until,
            etag=holding.etag,
            freshness=freshness,
        )

    def _holding(self, scope: Scope, now: datetime) -> _Holding:
        scenario = self._checked(scope)
        changes: list[datetime] = []
        for layer, rule in _layers(scope):
            activations = self._newest_first.get(layer, [])
            winner = next((a for a in activations if a.window.covers(now)), None)
            changes += _takeovers(activations, winner, now)
            if winner is not None:
                return _held(scope, winner.policy, rule, now, min(changes, default=None))
        default = default_policy(scenario, scope.segment, self._started_at)
        return _held(scope, default, Rule.DEFAULT, now, min(changes, default=None))

    def _checked(self, scope: Scope) -> Scenario:
        scenario = self._scenarios.get(scope.scenario)
        if scenario is None:
            known = ", ".join(self._scenarios) or "none"
            raise ScenarioUnknown(f"no scenario {scope.scenario!r}", hint=f"There are: {known}.")
        scenario.check_segment(scope.segment)
        return scenario


def _layers(scope: Scope) -> Iterator[tuple[Scope, Rule]]:
    """Whose activations count for a scope, the most specific first."""
    if scope.segment is not None:
        yield scope, Rule.SEGMENT
    yield Scope(scope.scenario), Rule.SCENARIO


def _scopes(scenario: Scenario) -> Iterator[Scope]:
    yield Scope(scenario.name)
    for segment in scenario.segments:
        yield Scope(scenario.name, segment.name)


def _takeovers(newest_first: Sequence[Activation], winner: Activation | None, now: datetime) -> Iterator[datetime]:
    """When the winner ends, and when each later activation begins to win over it."""
    if winner is not None and winner.window.valid_until is not None:
        yield winner.window.valid_until
    for later in takewhile(lambda a: a is not winner, newest_first):
        if later.window.valid_from is not None and later.window.valid_from > now:
            yield later.window.valid_from


def _held(scope: Scope, policy: RewardPolicy, rule: Rule, now: datetime, until: datetime | None) -> _Holding:
    policy_id = policy.policy_id
    document = {
        "scenario": scope.scenario,
        "segment": scope.segment,
        "policy_id": policy_id,
        "version": policy.version,
        "weights": dict(policy.weights),
        "source": policy.source.value,
        "valid_until": until.isoformat() if until else None,
    }
    etag = hashlib.sha256(rfc8785.dumps(document)).hexdigest()[:_ETAG_DIGITS]
    return _Holding(policy=policy, policy_id=policy_id, rule=rule, since=now, until=until, etag=etag)
