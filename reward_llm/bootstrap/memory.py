"""What remembers what came of goals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.basics import now
from reward_llm.bootstrap.solving import build_forecaster
from reward_llm.domain.duties import Duty
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.bootstrap.worker import Bench
    from reward_llm.domain.memory import Forecast
    from reward_llm.domain.scenario import Scenario, Scope
    from reward_llm.loop.memory.correction_book import CorrectionBook
    from reward_llm.loop.memory.ledger import Ledger
    from reward_llm.store.database import Database

_EVERY: Final = timedelta(minutes=10)


class _LaterForecaster:
    """Loads what forecasts once something is to be forecast: numpy isn't needed before."""

    def __init__(self, settings: Settings, book: CorrectionBook) -> None:
        self._settings = settings
        self._book = book

    async def forecast(self, scope: Scope, weights: Mapping[str, float]) -> Forecast | None:
        """What the weights are expected to bring; None if nothing can be said of it."""
        found = build_forecaster(self._settings, self._book.factors)
        return await found.forecast(scope, weights) if found else None


def build_ledger(database: Database) -> Ledger:
    """The ledger of goals."""
    from reward_llm.loop.memory.ledger import Ledger
    from reward_llm.store.loop import SqlLoop

    return Ledger(SqlLoop(database))


def build_corrections(database: Database, scenarios: Mapping[str, Scenario]) -> CorrectionBook:
    """What predictions are multiplied with, by what came of goals."""
    from reward_llm.loop.memory.correction_book import CorrectionBook

    return CorrectionBook(build_ledger(database), tuple(scenarios))


def memory_duty(settings: Settings, bench: Bench) -> Duty:
    """Looks at what came of goals."""
    from reward_llm.loop.memory.observer import Observer
    from reward_llm.store import SqlStore
    from reward_llm.store.governance import SqlGovernance

    book = build_corrections(bench.database, bench.scenarios)
    observer = Observer(
        store=SqlStore(bench.database),
        governance=SqlGovernance(bench.database),
        ledger=build_ledger(bench.database),
        online=bench.online,
        forecaster=_LaterForecaster(settings, book),
        clock=now,
    )

    async def observe() -> None:
        await book.refresh()
        await observer.run()

    return Duty(name="memory", every=_EVERY, run=observe)
