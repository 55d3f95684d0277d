"""The activations and freezes that the store has told of, by scope."""

from __future__ import annotations

from datetime import datetime

from reward_llm.delivery.holding import next_edge
from reward_llm.domain.activation import Activation
from reward_llm.domain.ports import Freeze
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import live, winners_first


class Book:
    """Every activation in its latest revision, and every freeze."""

    def __init__(self) -> None:
        self._activations: dict[Scope, dict[int, Activation]] = {}
        self._ordered: dict[Scope, tuple[Activation, ...]] = {}
        self._freezes: dict[Scope, list[Freeze]] = {}

    def put(self, activation: Activation) -> None:
        """Add an activation, or replace its earlier revision."""
        scope = activation.policy.scope
        self._activations.setdefault(scope, {})[activation.sequence] = activation
        self._ordered.pop(scope, None)

    def put_freeze(self, freeze: Freeze) -> None:
        """Add a freeze; they come in the order in which they were made."""
        self._freezes.setdefault(freeze.scope, []).append(freeze)

    def winners_first(self, scope: Scope) -> tuple[Activation, ...]:
        """All activations of exactly that scope, those with the greatest precedence first."""
        if scope not in self._ordered:
            self._ordered[scope] = winners_first(self._activations.get(scope, {}).values())
        return self._ordered[scope]

    def next_edge(self, now: datetime) -> datetime | None:
        """When the next activation that may win begins or ends."""
        edges = (next_edge(live(self.winners_first(scope), now), now) for scope in self._activations)
        return min((e for e in edges if e is not None), default=None)

    def is_frozen(self, scope: Scope) -> bool:
        """Whether the scope or its scenario is frozen, whatever the clocks of those who did it say."""
        return any(made[-1].frozen for made in self._freezes_over(scope))

    def was_frozen(self, scope: Scope, moment: datetime) -> bool:
        """Whether the scope or its scenario was frozen at the moment."""
        for made in self._freezes_over(scope):
            latest = next((f for f in reversed(made) if f.at <= moment), None)
            if latest is not None and latest.frozen:
                return True
        return False

    def _freezes_over(self, scope: Scope) -> list[list[Freeze]]:
        return [self._freezes[s] for s in {scope, Scope(scope.scenario)} if s in self._freezes]
