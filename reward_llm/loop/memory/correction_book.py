"""The corrections that hold now, in memory, for who can't wait for the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

import structlog

from reward_llm.errors import StoreUnavailable
from reward_llm.loop.memory.ledger import Ledger

EVERY_S: Final = 300.0
"""How often the ledger is looked at; it grows once a day at most for each goal."""
_log = structlog.get_logger(__name__)


class CorrectionBook:
    """Factors of metrics by scenario, as far as goals have taught them."""

    def __init__(self, ledger: Ledger, scenarios: Collection[str]) -> None:
        self._ledger = ledger
        self._scenarios = scenarios
        self._factors: Mapping[str, Mapping[str, float]] = {}

    def factors(self, scenario: str) -> Mapping[str, float]:
        """What the scenario's predictions are to be multiplied with, by metric; others are right as they are."""
        return self._factors.get(scenario, {})

    async def refresh(self) -> None:
        """Look at the ledger.

        Raises:
            StoreUnavailable: If it can't be read; the factors stay as they were.
        """
        found = {name: await self._ledger.corrections(name) for name in self._scenarios}
        self._factors = {name: {m: c.factor for m, c in one.items()} for name, one in found.items()}

    async def keep_fresh(self) -> None:
        """Look at the ledger now and then, until cancelled."""
        while True:
            try:
                await self.refresh()
            except StoreUnavailable as exc:
                _log.warning("memory.corrections_unread", error=exc.message)
            await asyncio.sleep(EVERY_S)
