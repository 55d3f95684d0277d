"""Who does what has to be done again and again: inside the service, or in a process of its own.

A part of the loop adds its duties in `build_duties`, one line each, from a builder in its own module.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reward_llm.bootstrap.basics import load_all_scenarios, now
from reward_llm.bootstrap.control import control_duty
from reward_llm.bootstrap.experiments import experiments_duty
from reward_llm.bootstrap.memory import memory_duty
from reward_llm.bootstrap.schedule import schedule_duty
from reward_llm.domain.duties import Duty
from reward_llm.domain.scenario import Scenario
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.domain.ports.experiments import Experiments
    from reward_llm.domain.ports.leader import DutyRecord
    from reward_llm.domain.ports.metrics import OnlineMetrics
    from reward_llm.loop.duties.worker import Worker
    from reward_llm.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What duties work with, beside the settings.

    `online` are the metrics, wherever they are kept; None where nobody keeps them. `experiments` are run by the
    process that has the log of events, and None in a worker that runs apart.
    """

    database: Database
    scenarios: Mapping[str, Scenario]
    online: OnlineMetrics | None = None
    experiments: Experiments | None = None


def build_duties(settings: Settings, bench: Bench) -> list[Duty]:
    """All that a worker does."""
    duties = [schedule_duty(bench), memory_duty(settings, bench), control_duty(bench)]
    if bench.experiments is not None:
        duties.append(experiments_duty(bench.experiments))
    return duties


def build_worker(settings: Settings, bench: Bench) -> Worker:
    """What does the duties while it leads, of all who work on the database.

    Raises:
        ConfigurationInvalid: If the settings don't fit together.
    """
    from reward_llm.loop.duties.worker import Worker
    from reward_llm.store.leader import leader_lock

    return Worker(leader_lock(settings.database_url), build_duties(settings, bench), now)


async def run_worker(settings: Settings) -> None:
    """Do the duties whenever nobody else does, until cancelled."""
    worker, close = _apart(settings)
    try:
        await worker.run()
    finally:
        await close()


async def run_duties_once(settings: Settings) -> Mapping[str, DutyRecord]:
    """Do every duty one time; gives how it went.

    Raises:
        Conflict: If another process does them now.
        StoreUnavailable: If nobody can say who does.
    """
    worker, close = _apart(settings)
    try:
        return await worker.once()
    finally:
        await close()


def _apart(settings: Settings) -> tuple[Worker, Callable[[], Awaitable[None]]]:
    """A worker in a process of its own, which asks the service for metrics, and what closes all that it uses."""
    from reward_llm.feedback.metrics.remote import RemoteMetrics
    from reward_llm.store.database import Database

    database = Database.open(settings.database_url)
    token = settings.token.get_secret_value() if settings.token else None
    online = RemoteMetrics(settings.url, token)
    bench = Bench(database=database, scenarios=load_all_scenarios(settings), online=online)

    async def close() -> None:
        await online.aclose()
        await database.aclose()

    return build_worker(settings, bench), close
