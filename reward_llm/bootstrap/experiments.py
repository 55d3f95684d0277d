"""What runs experiments: the process that has the log of events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from reward_llm.bootstrap.basics import now
from reward_llm.domain.duties import Duty
from reward_llm.errors import RewardLLMError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reward_llm.bootstrap.metrics import MetricsRoom
    from reward_llm.domain.ports import ChangeFeed, WeightsBoard
    from reward_llm.domain.ports.experiments import Experiments
    from reward_llm.domain.scenario import Scenario
    from reward_llm.store.database import Database

LOOK_S: Final = 600.0
"""How often it is asked which looks are due."""
_log = structlog.get_logger(__name__)


def build_experiments(
    database: Database,
    board: WeightsBoard,
    scenarios: Mapping[str, Scenario],
    feed: ChangeFeed,
    metrics: MetricsRoom,
) -> Experiments | None:
    """What runs experiments; None where nobody keeps the events that tell of them."""
    if metrics.online is None:
        return None
    from reward_llm.domain.admission import Admission
    from reward_llm.feedback.metrics.online import MetricsStore
    from reward_llm.feedback.metrics.units import UnitLog
    from reward_llm.loop.experiments.running import Laboratory, Room
    from reward_llm.store import SqlStore
    from reward_llm.store.experimenting import SqlTrials
    from reward_llm.store.governance import SqlGovernance
    from reward_llm.store.loop import SqlLoop
    from reward_llm.validation import gate

    if not isinstance(metrics.online, MetricsStore):
        return None

    async def served() -> None:
        try:
            await board.refresh()
        except StoreUnavailable as exc:
            _log.warning("board.late", error=exc.message)
        await feed.announce(board.revision)

    return Laboratory(
        Room(
            loop=SqlLoop(database),
            trials=SqlTrials(database),
            store=SqlStore(database),
            governance=SqlGovernance(database),
            board=board,
            scenarios=scenarios,
            admission=lambda scenario: Admission(scenario=scenario, gate=gate.check),
            data=UnitLog(metrics.online),
            clock=now,
            served=served,
        )
    )


def experiments_duty(experiments: Experiments) -> Duty:
    """The looks at experiments."""
    return Duty(name="experiments", every=timedelta(seconds=LOOK_S), run=experiments.look)


def looks(
    experiments: Experiments | None, every_s: float = LOOK_S
) -> tuple[Callable[[], Coroutine[Any, Any, None]], ...]:
    """The works of the background that experiments need, where no worker inside the service looks at them."""
    if experiments is None:
        return ()

    async def keep_looking() -> None:
        while True:
            try:
                await experiments.look()
            except RewardLLMError as exc:
                _log.warning("experiments.not_looked_at", code=exc.code, error=exc.message)
            await asyncio.sleep(every_s)

    return (keep_looking,)
