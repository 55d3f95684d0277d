"""The board of what is served: the store's activations in memory, and who wins among them.

activations ─► refresh ─► book ─► holding ─► lookup ─► weights
and freezes    every second       the segment's latest start that covers now,
               and after writes   else the scenario's, else the defaults
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from reward_llm.delivery.book import Book
from reward_llm.delivery.holding import Ground, Holding, frozen, holding
from reward_llm.domain.activation import Activation
from reward_llm.domain.policy import RewardPolicy, default_policy
from reward_llm.domain.ports import Clock, ServingLog
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.schedule import winner
from reward_llm.domain.serving import Freshness, Rule, ServedWeights
from reward_llm.errors import ScenarioUnknown, StoreUnavailable

_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardConfig:
    """How often the board looks at the store, and when it calls itself stale."""

    refresh_s: float = 1.0
    """Seconds from one look to the next, if nothing wakes the board before."""
    apart_s: float = 0.02
    """The least seconds from one look to the next, however often the board is woken."""
    stale_after_s: float = 10.0
    """The age in seconds over which what is served is stale."""
    timeout_s: float = 5.0
    """How long one look may take, in seconds."""


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Nothing begins or ends in [since, until)."""

    since: datetime
    until: datetime | None


class Board:
    """A `reward_llm.domain.ports.WeightsBoard` over a store's activations.

    Args:
        scenarios: What there is to serve, by name.
        store: Where activations and freezes are kept.
        clock: Says when the store was last read.
        config: How often it is read, and what counts as stale.
    """

    def __init__(
        self, *, scenarios: Mapping[str, Scenario], store: ServingLog, clock: Clock, config: BoardConfig
    ) -> None:
        self._scenarios = scenarios
        self._store = store
        self._clock = clock
        self._config = config
        self._started_at = clock()
        self._confirmed_at: datetime | None = None
        self._latest_change = 0
        self._book = Book()
        self._activated_ids: set[str] = set()
        self._scopes = tuple(scope for s in scenarios.values() for scope in _scopes(s))
        self._grounds: dict[Scope, Ground] = {}
        self._holdings: dict[Scope, Holding] = {}
        self._refreshing = asyncio.Lock()
        self._next_edge: _Quiet | None = None
        self._woken = asyncio.Event()
        self._told: list[Callable[[], None]] = []

    @property
    def revision(self) -> int:
        """How many changes of activations and freezes it has taken over."""
        return self._latest_change

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Every scenario, each before its segments."""
        return self._scopes

    def lookup(self, scope: Scope, now: datetime, unit: str | None = None) -> ServedWeights:
        """The weights that hold for the scope: its segment's, else its scenario's, else the defaults."""
        return self._served(scope, now, self.freshness(now), unit)

    def snapshot(self, now: datetime) -> Sequence[ServedWeights]:
        """What `lookup` gives for every scenario and each of its segments."""
        freshness = self.freshness(now)
        return [self._served(scope, now, freshness) for scope in self._scopes]

    def holding(self, scope: Scope, now: datetime) -> Holding:
        """What holds for the scope now, worked out once for as long as nothing changes.

        Raises:
            ScenarioUnknown: If there is no such scenario.
            SegmentUnknown: If the scenario has no such segment.
        """
        kept = self._holdings.get(scope)
        if kept is None or not kept.covers(now):
            kept = self._holdings[scope] = self._holding(scope, now)
        return kept

    def kept_holding(self, scope: Scope, now: datetime) -> Holding | None:
        """What holds for the scope now, if that has been worked out."""
        kept = self._holdings.get(scope)
        return kept if kept is not None and kept.covers(now) else None

    def next_change(self, now: datetime) -> datetime | None:
        """When the next activation begins or ends: before that every scope is served what it is served now."""
        kept = self._next_edge
        if kept is None or not kept.since <= now < (kept.until or _NEVER):
            kept = self._next_edge = _Quiet(now, self._book.next_edge(now))
        return kept.until

    def held_at(self, scope: Scope, moment: datetime) -> RewardPolicy:
        """The policy that was served at a moment in the past, whatever was activated since."""
        default = self._ground(scope).default
        if self._book.was_frozen(scope, moment):
            return default
        winners = (winner(self._book.winners_first(layer), moment) for layer, _ in _layers(scope))
        return next((w.policy for w in winners if w is not None), default)

    def was_activated(self, policy_id: str) -> bool:
        """Whether the policy was put into force before."""
        return policy_id in self._activated_ids

    def freshness(self, now: datetime) -> Freshness:
        """How sure the board is of what it serves."""
        age_s = max(0.0, (now - (self._confirmed_at or self._started_at)).total_seconds())
        confirmed = self._confirmed_at is not None
        return Freshness(age_s=age_s, stale=not confirmed or age_s > self._config.stale_after_s, confirmed=confirmed)

    async def refresh(self) -> None:
        """Take over what the store has changed since the last look."""
        async with self._refreshing:
            asked_at = self._clock()
            try:
                async with asyncio.timeout(self._config.timeout_s):
                    changes = await self._store.serving(since=self._latest_change)
            except TimeoutError as exc:
                raise StoreUnavailable(f"no answer within {self._config.timeout_s:g} s") from exc
            for activation in changes.activations:
                self._take(activation)
            for freeze in changes.freezes:
                self._book.put_freeze(freeze)
            changed = changes.latest > self._latest_change
            self._forget({*(a.policy.scope for a in changes.activations), *(f.scope for f in changes.freezes)})
            self._next_edge = None if changed else self._next_edge
            self._latest_change = changes.latest
            self._confirmed_at = asked_at
        if changed:
            for tell in self._told:
                tell()

    async def keep_fresh(self) -> None:
        """Refresh when woken, else every `refresh_s`, whatever the store does, until cancelled."""
        failing = False
        while True:
            self._woken.clear()
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
            await self._doze()

    def wake(self) -> None:
        """Have `keep_fresh` refresh now; for the thread of its event loop."""
        self._woken.set()

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have this called after every refresh that changed something."""
        self._told.append(callback)

    async def _doze(self) -> None:
        """Wait for the next refresh: those who wake the board in a storm of changes share one."""
        apart_s = min(self._config.apart_s, self._config.refresh_s)
        await asyncio.sleep(apart_s)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._config.refresh_s - apart_s):
                await self._woken.wait()

    def _take(self, activation: Activation) -> None:
        scope, policy_id = activation.policy.scope, activation.policy.policy_id
        self._activated_ids.add(policy_id)
        scenario = self._scenarios.get(scope.scenario)
        if scenario is None or set(activation.policy.weights) != set(scenario.utility_names):
            _log.warning("board.activation_ignored", policy_id=policy_id, scope=str(scope), reason="other utilities")
            return
        self._book.put(activation)

    def _forget(self, changed: Iterable[Scope]) -> None:
        """Work out anew what a change of these scopes may have changed, and nothing else."""
        for scope in changed:
            if scope.segment is not None:
                self._holdings.pop(scope, None)
                continue
            for below in [s for s in self._holdings if s.scenario == scope.scenario]:
                del self._holdings[below]

    def _served(self, scope: Scope, now: datetime, freshness: Freshness, unit: str | None = None) -> ServedWeights:
        answer = self.holding(scope, now).answer(now, unit)
        return ServedWeights(
            scope=scope,
            policy=answer.policy,
            policy_id=answer.policy_id,
            rule=answer.rule,
            rollout=answer.rollout,
            valid_until=answer.until,
            content=answer.content,
            etag=answer.etag,
            freshness=freshness,
        )

    def _holding(self, scope: Scope, now: datetime) -> Holding:
        ground = self._ground(scope)
        if self._book.is_frozen(scope):
            return frozen(ground, now)
        layers = tuple((rule, self._book.winners_first(layer)) for layer, rule in _layers(scope))
        return holding(ground, layers, now)

    def _ground(self, scope: Scope) -> Ground:
        ground = self._grounds.get(scope)
        if ground is None:
            scenario = self._checked(scope)
            default = default_policy(scenario, scope.segment, self._started_at)
            ground = Ground(scope=scope, default=default, utilities=scenario.utility_names)
            self._grounds[scope] = ground
        return ground

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
