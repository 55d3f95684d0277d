"""Edges of schedules on record, each once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from reward_llm.domain.act import Act
from reward_llm.domain.edges import Edge, EdgeKind
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.store.database import Repository
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried

_ACTIONS = {EdgeKind.BEGAN: Action.ACTIVATION_BEGAN, EdgeKind.EXPIRED: Action.ACTIVATION_EXPIRED}


class SqlEdgeLog(Repository):
    """A `reward_llm.domain.edges.EdgeLog` in a SQL database."""

    @to_the_end
    @retried
    async def announce(self, edges: Sequence[Edge], act: Act) -> Sequence[Edge]:
        """Put those on record that aren't yet, and give them."""
        announced = []
        async with self._database.writing(act) as writing:
            for edge in edges:
                action, policy = _ACTIONS[edge.kind], edge.activation.policy
                claim = IdempotencyClaim(key=edge.key, request_hash=hashlib.sha256(edge.key.encode()).hexdigest())
                if await claimed(writing.connection, claim, action):
                    continue
                details = {"activation": edge.activation.sequence, "at": edge.at, "percent": edge.activation.percent}
                await writing.put_on_record(action, policy.policy_id, chain=policy.scope.scenario, details=details)
                await remember(writing.connection, claim, action, policy.policy_id, act.at)
                announced.append(edge)
        return announced
