"""What tells of schedules."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.basics import now
from reward_llm.domain.duties import Duty

if TYPE_CHECKING:
    from reward_llm.bootstrap.worker import Bench

_EVERY: Final = timedelta(seconds=10)


def schedule_duty(bench: Bench) -> Duty:
    """Announces activations that begin or expire by time alone."""
    from reward_llm.loop.duties.announcer import Announcer
    from reward_llm.store.edges import SqlEdgeLog
    from reward_llm.store.serving_log import SqlServingLog

    announcer = Announcer(serving=SqlServingLog(bench.database), edges=SqlEdgeLog(bench.database), clock=now)
    return Duty(name="schedule", every=_EVERY, run=announcer.run)
