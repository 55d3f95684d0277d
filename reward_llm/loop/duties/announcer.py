"""Announces activations that begin or expire by time alone: on record, and so to webhooks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.edges import EdgeLog, edges_between, edges_of
from reward_llm.domain.ports import Clock
from reward_llm.domain.ports.governance import ServingLog

ACTOR: Final = "schedule"
"""Who the audit log says it was."""
LOOKED_BACK: Final = timedelta(days=1)
"""How old an edge may be to be announced, after all workers were away."""
_log = structlog.get_logger(__name__)


class Announcer:
    """Announces each edge once, whoever announced others.

    Args:
        serving: What is in force and planned.
        edges: Where edges are put on record.
        clock: The time.
    """

    def __init__(self, *, serving: ServingLog, edges: EdgeLog, clock: Clock) -> None:
        self._serving = serving
        self._edges = edges
        self._clock = clock
        self._heard = 0
        self._watched: dict[int, Activation] = {}
        self._announced: dict[str, datetime] = {}

    async def run(self) -> None:
        """Announce what began or expired since the last time, or in the last day.

        Raises:
            StoreUnavailable: If the database can't be read or written.
        """
        now = self._clock()
        oldest = now - LOOKED_BACK
        await self._hear(oldest)
        due = edges_between(self._watched.values(), oldest, now)
        new = [edge for edge in due if edge.key not in self._announced]
        if not new:
            return
        for edge in await self._edges.announce(new, Act(actor=ACTOR, at=now)):
            scope = edge.activation.policy.scope
            _log.info(
                f"activation.{edge.kind}",
                activation=edge.activation.sequence,
                policy_id=edge.activation.policy_id,
                scenario=scope.scenario,
                segment=scope.segment,
            )
        known = {key: at for key, at in self._announced.items() if at > oldest}
        self._announced = known | {edge.key: edge.at for edge in new}

    async def _hear(self, oldest: datetime) -> None:
        """Take note of activations that were made or changed, and let go of those whose edges are all too old."""
        changes = await self._serving.serving(since=self._heard)
        known = {**self._watched, **{a.sequence: a for a in changes.activations}}
        self._watched = {n: a for n, a in known.items() if any(edge.at > oldest for edge in edges_of(a))}
        self._heard = changes.latest
