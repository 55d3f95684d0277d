"""Looking weights up: in memory, without locks, without waiting, and without ever raising."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Final

from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.logbook import note
from reward_llm.delivery.sdk.table import Table
from reward_llm.delivery.sdk.weights import Weights

_MOST_NAMES: Final = 1_000
"""How many unknown names are remembered as said; the log has no more than these."""


@dataclass(slots=True, kw_only=True)
class Misses:
    """How many lookups couldn't be answered as they were meant; threads that count at once may lose one."""

    unknown_scenarios: int = 0
    unknown_segments: int = 0
    misuses: int = 0
    said: set[str] = field(default_factory=set)

    def say_once(self, what: str, hint: str) -> None:
        """Log what is the matter, once for each thing."""
        if what not in self.said and len(self.said) < _MOST_NAMES:
            self.said.add(what)
            note(logging.WARNING, "%s; %s", what, hint)


class Lookups:
    """What all clients have: a table of what is served, which a refresh replaces as a whole."""

    def __init__(self, clock: ServerClock) -> None:
        self._clock = clock
        self._table = Table.empty()
        self._misses = Misses()

    def serve(self, table: Table) -> None:
        """Look up in this table from now on; lookups that have begun end in the one before."""
        self._table = table

    def weights(self, scenario: str, segment: str | None = None, unit: str | None = None) -> Weights | None:
        """The weights that hold now for a scenario, or one of its segments; the last known ones, if need be.

        A segment that the scenario doesn't have is served the scenario's weights. It never raises and never waits;
        what it gives never changes, except that it ages.

        Args:
            scenario: Its name.
            segment: One of its segments; None is for all of it.
            unit: Whom they are for, such as a user's id, which partial rollouts go by; None is in none.

        Returns:
            None if nothing is known of the scenario, or the arguments aren't strings.
        """
        try:
            period = self._table.periods.get((scenario, segment))
            if period is None or (period.until is not None and not period.holds(self._clock.now())):
                return self._worked_out(scenario, segment, unit)
            if unit is None:
                return period.everybody
            if isinstance(unit, str):
                return period.known_answer(unit) or self._worked_out(scenario, segment, unit)
            return self._worked_out(scenario, segment, unit)
        except Exception as exc:  # noqa: BLE001 - a request that is being ranked must not fail for its weights
            self._misused(exc)
            return None

    def _worked_out(self, scenario: str, segment: str | None, unit: str | None) -> Weights | None:
        for value in (scenario, segment, unit):
            if value is not None and not isinstance(value, str):
                raise TypeError(f"names are strings, not {type(value).__name__}")
        table, now_s, key = self._table, self._clock.now(), (scenario, segment or None)
        if key not in table.items:
            if (scenario, None) not in table.items:
                self._unknown_scenario(table, scenario)
                return None
            self._misses.unknown_segments += 1
            self._misses.say_once(f"no segment {segment!r} in {scenario!r}", "the scenario's weights are served")
            key = scenario, None
        period = table.period(key, now_s)
        return table.for_unit(period, unit, now_s) if unit and period.deciding else period.everybody

    def _unknown_scenario(self, table: Table, scenario: str) -> None:
        if table.items:
            self._misses.unknown_scenarios += 1
            self._misses.say_once(f"no scenario {scenario!r}", "lookups of it give None")

    def _misused(self, exc: Exception) -> None:
        self._misses.misuses += 1
        self._misses.say_once(f"a lookup failed: {type(exc).__name__}: {str(exc)[:200]}", "it gave None")
