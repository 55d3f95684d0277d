"""Activations and freezes as they were at a moment.

An activation's row is its latest revision. Its past starts and ends can't be changed, so only its share of the units
has to be undone: the audit log has each share before it was changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.activation import Activation
from reward_llm.domain.audit import Patch
from reward_llm.domain.ports import Freeze, ScopeState
from reward_llm.domain.scenario import Scope
from reward_llm.store import codec, governance_codec, schedules
from reward_llm.store.ledger import Action
from reward_llm.store.state import path_of
from reward_llm.store.tables import activations, audit, freezes

_FIRST_REVISION = 1


async def scope_at(connection: AsyncConnection, scope: Scope, moment: datetime) -> ScopeState:
    """What was in force in exactly this scope at the moment, and what was frozen."""
    covering = await schedules.covering(connection, scope, moment)
    shares = await _shares_before(connection, covering, moment)
    then = (replace(a, percent=shares.get(path_of(activations, a.sequence, "percent"), a.percent)) for a in covering)
    frozen = await _freezes_at(connection, scope, moment)
    return ScopeState(scope=scope, stack=tuple(then), coming=(), frozen_by=frozen)


async def _shares_before(
    connection: AsyncConnection, found: Sequence[Activation], moment: datetime
) -> Mapping[str, float]:
    """The shares of those that were changed since, by their paths in the state."""
    policies = {a.policy_id for a in found if a.revision > _FIRST_REVISION}
    if not policies:
        return {}
    column = audit.c
    changed = select(column.patch).where(
        column.subject.in_(policies), column.action == Action.ACTIVATION_CHANGED.value, column.at > moment
    )
    shares: dict[str, float] = {}
    for patch in await connection.scalars(changed.order_by(column.sequence.desc())):
        shares |= _values_before(patch)
    return shares


def _values_before(patch: Patch) -> dict[str, float]:
    """The shares that a change found, by their paths."""
    return {o["path"]: o["value"] for o in patch if o["op"] == "test" and o["path"].endswith("/percent")}


async def _freezes_at(connection: AsyncConnection, scope: Scope, moment: datetime) -> tuple[Freeze, ...]:
    column = freezes.c
    segments = {codec.segment_value(scope), ""}
    newest = (
        select(func.max(column.sequence))
        .where(column.scenario == scope.scenario, column.segment.in_(segments), column.at <= moment)
        .group_by(column.segment)
    )
    query = select(freezes).where(column.sequence.in_(newest), column.frozen).order_by(column.segment)
    return tuple(governance_codec.freeze(r) for r in (await connection.execute(query)).mappings())
