"""The questions that are asked of activations and freezes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, CompoundSelect, Select, bindparam, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.activation import Activation
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import Freeze, ServingChanges
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import EVERYBODY
from reward_llm.errors import ActivationUnknown
from reward_llm.store import codec, governance_codec
from reward_llm.store.tables import activations, freezes, policies

ACTIVATIONS: Final[Select[Any]] = select(activations, policies).join_from(
    activations, policies, activations.c.policy_id == policies.c.id
)
"""Activations with their policies."""
MAX_SHOWN: Final = 200
"""How many activations of a scope are looked at, at most, to show it."""
_column: Final = activations.c
_PRECEDENCE: Final = (_column.starts_at.desc(), _column.sequence.desc())
_SOONEST: Final = (_column.starts_at, _column.sequence)


def not_over(at: datetime) -> ColumnElement[bool]:
    """Whether an activation may cover the moment or a later one."""
    return or_(_column.ends_at.is_(None), _column.ends_at > at)


async def find(connection: AsyncConnection, query: Select[Any]) -> list[Activation]:
    """What a query made of `ACTIVATIONS` finds, in the order in which they were made."""
    return await _all(connection, query.order_by(activations.c.sequence))


async def activation(connection: AsyncConnection, sequence: int) -> Activation:
    """The activation by that sequence.

    Raises:
        ActivationUnknown: If there is none.
    """
    found = await find(connection, ACTIVATIONS.where(activations.c.sequence == sequence))
    if not found:
        raise ActivationUnknown(f"no activation {sequence}")
    return found[0]


async def winning(
    connection: AsyncConnection, scope: Scope, at: datetime, *, percent: float = 0, besides: int | None = None
) -> Activation | None:
    """The scope's activation with the greatest precedence of those that cover the moment.

    Args:
        connection: The transaction.
        scope: A scenario or a segment, and no other.
        at: The moment.
        percent: The least share of units that it must be for.
        besides: The sequence of an activation that doesn't count.
    """
    names = {"scenario": scope.scenario, "segment": codec.segment_value(scope), "at": at}
    row = (await connection.execute(_WINNING, {**names, "percent": percent, "besides": besides or 0})).mappings()
    return next(map(codec.activation, row), None)


async def covering(connection: AsyncConnection, scope: Scope, at: datetime) -> list[Activation]:
    """The scope's activations that cover the moment, at most `MAX_SHOWN`, the winning one first."""
    begun = (_in_scope(scope), _column.starts_at <= at)
    query = ACTIVATIONS.where(_column.sequence.in_(_open_and_bounded(begun, at, MAX_SHOWN)))
    return await _all(connection, query.order_by(*_PRECEDENCE).limit(MAX_SHOWN))


async def coming_within(connection: AsyncConnection, scope: Scope, at: datetime) -> list[Activation]:
    """As `coming`, with those of the scenario's segments if the scope is a whole scenario."""
    if scope.segment is not None:
        return await coming(connection, scope, at)
    later = (_column.scenario == scope.scenario, _column.starts_at > at, not_over(at))
    return await _all(connection, ACTIVATIONS.where(*later).order_by(*_SOONEST).limit(MAX_SHOWN))


async def coming(connection: AsyncConnection, scope: Scope, at: datetime) -> list[Activation]:
    """The scope's activations that begin later, at most `MAX_SHOWN`, the first to begin first."""
    later = (_in_scope(scope), _column.starts_at > at)
    query = ACTIVATIONS.where(_column.sequence.in_(_open_and_bounded(later, at, MAX_SHOWN, latest=False)))
    found = await _all(connection, query.order_by(*_SOONEST).limit(MAX_SHOWN))
    return [a for a in found if not a.is_over(at)]


async def interruptible(connection: AsyncConnection, planned: Activation, at: datetime) -> list[Activation]:
    """The scope's other activations that the planned one may cut into, or that may cut into it."""
    start, end = planned.start, planned.end
    others = _in_scope(planned.policy.scope) & (_column.sequence != planned.sequence)
    before_its_end = _column.starts_at <= start if end is None else _column.starts_at < end
    cut = select(_column.sequence).where(others, _column.ends_at > max(at, start), before_its_end)
    cutting = select(_column.sequence).where(others, _column.ends_at.is_(None), _column.starts_at >= start)
    if end is not None:
        cutting = cutting.where(before_its_end)
    return await find(connection, ACTIVATIONS.where(_column.sequence.in_(union_all(cut, cutting))))


async def open_ones(connection: AsyncConnection, policy_id: str, at: datetime) -> list[Activation]:
    """The policy's activations that aren't over."""
    return await find(connection, ACTIVATIONS.where(activations.c.policy_id == policy_id, not_over(at)))


async def now_in(connection: AsyncConnection, scope: Scope, at: datetime) -> datetime:
    """The moment at which an activation of the scope is made: never before those that began when they were made.

    So what is written last also starts last, even if its writer's clock is behind another's. What is over doesn't
    count: ending what a clock far ahead has made puts that right.
    """
    ahead = (_in_scope(scope), _column.starts_at > at, _column.starts_at == _column.activated_at)
    running = or_(_column.ends_at.is_(None), _column.ends_at > _column.starts_at)
    found = select(_column.sequence).where(_column.sequence.in_(_open_and_bounded(ahead, at, None))).subquery()
    query = select(func.max(_column.starts_at)).where(_column.sequence.in_(select(found.c.sequence)), running)
    last = await connection.scalar(query)
    return max(at, last) if last else at


async def active_policy(
    connection: AsyncConnection, scope: Scope, at: datetime, *, besides: int | None = None
) -> RewardPolicy | None:
    """The policy in force for everybody: the segment's own before the scenario's, a later start before earlier ones.

    Args:
        connection: The transaction.
        scope: A scenario or a segment.
        at: The moment.
        besides: The sequence of an activation that doesn't count.
    """
    for layer in dict.fromkeys((scope, Scope(scope.scenario))):
        found = await winning(connection, layer, at, percent=EVERYBODY, besides=besides)
        if found is not None:
            return found.policy
    return None


async def freezes_over(connection: AsyncConnection, scope: Scope) -> tuple[Freeze, ...]:
    """The freezes that hold for the scope: its scenario's and its own."""
    column = freezes.c
    segments = {codec.segment_value(scope), ""}
    newest = (
        select(func.max(column.sequence))
        .where(column.scenario == scope.scenario, column.segment.in_(segments))
        .group_by(column.segment)
    )
    query = select(freezes).where(column.sequence.in_(newest), column.frozen).order_by(column.segment)
    return tuple(governance_codec.freeze(r) for r in (await connection.execute(query)).mappings())


async def changes_since(connection: AsyncConnection, since: int) -> ServingChanges:
    """What was made or changed after that change."""
    changed = activations.c.changed
    rows = (await connection.execute(ACTIVATIONS.where(changed > since).order_by(changed))).mappings().all()
    frozen = select(freezes).where(freezes.c.changed > since).order_by(freezes.c.changed)
    freeze_rows = (await connection.execute(frozen)).mappings().all()
    counts = [since, *(r[changed] for r in rows), *(r[freezes.c.changed] for r in freeze_rows)]
    return ServingChanges(
        latest=max(counts),
        activations=tuple(codec.activation(r) for r in rows),
        freezes=tuple(governance_codec.freeze(r) for r in freeze_rows),
    )


async def next_change(connection: AsyncConnection) -> int:
    """What the next change of an activation or a freeze is counted as."""
    latest = (select(func.max(table.c.changed)).scalar_subquery() for table in (activations, freezes))
    counts = (await connection.execute(select(*latest))).one()
    return 1 + max(count or 0 for count in counts)


def _in_scope(scope: Scope) -> ColumnElement[bool]:
    return (_column.scenario == scope.scenario) & (_column.segment == codec.segment_value(scope))


def _open_and_bounded(
    conditions: Sequence[ColumnElement[bool]],
    at: datetime | BindParameter[datetime],
    limit: int | None,
    *,
    latest: bool = True,
) -> CompoundSelect[Any]:
    """The sequences of those that aren't over by the moment: without end and with one, at most `limit` of each.

    They are asked for apart, because each is a stretch of the index, however many others there are. Those without
    end all have the same `ends_at`; naming it makes their order the index's own.
    """
    open_ones = select(_column.sequence).where(*conditions, _column.ends_at.is_(None))
    bounded = select(_column.sequence).where(*conditions, _column.ends_at > at)
    if limit is not None:
        first = (_column.ends_at, _column.starts_at, _column.sequence)
        open_ones = open_ones.order_by(*(c.desc() if latest else c for c in first)).limit(limit)
        bounded = bounded.order_by(*(c.desc() if latest else c for c in first[1:])).limit(limit)
    return union_all(*(select(part.subquery()) for part in (open_ones, bounded)))


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[Activation]:
    return [codec.activation(row) for row in (await connection.execute(query)).mappings()]


def _winning() -> Select[Any]:
    """Made once, because every write asks it and it takes longer to make than to answer."""
    at = bindparam("at", type_=_column.starts_at.type)
    begun = (
        _column.scenario == bindparam("scenario"),
        _column.segment == bindparam("segment"),
        _column.starts_at <= at,
        _column.percent >= bindparam("percent"),
        _column.sequence != bindparam("besides"),
    )
    query = ACTIVATIONS.where(_column.sequence.in_(_open_and_bounded(begun, at, 1)))
    return query.order_by(*_PRECEDENCE).limit(1)


_WINNING: Final = _winning()
