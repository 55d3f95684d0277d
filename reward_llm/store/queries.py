"""The questions that are asked of the tables."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import GoalRecord
from reward_llm.domain.scenario import Scope
from reward_llm.errors import GoalUnknown, PolicyUnknown
from reward_llm.store import codec
from reward_llm.store.tables import goals, policies, proposals

GOAL_RECORDS: Final[Select[Any]] = select(goals, proposals, policies).select_from(
    goals.outerjoin(proposals, proposals.c.goal_id == goals.c.id).outerjoin(
        policies, policies.c.id == proposals.c.policy_id
    )
)
"""Goals, with their proposals and policies where they have them."""


def in_scope(scope: Scope) -> ColumnElement[bool]:
    """Whether a policy is of exactly that scope."""
    return (policies.c.scenario == scope.scenario) & (policies.c.segment == codec.segment_value(scope))


async def goal_record(connection: AsyncConnection, goal_id: str) -> GoalRecord:
    """The goal by that id.

    Raises:
        GoalUnknown: If there is none.
    """
    result = await connection.execute(GOAL_RECORDS.where(goals.c.id == goal_id))
    row = result.mappings().one_or_none()
    if row is None:
        raise GoalUnknown(f"no goal {goal_id!r}")
    return codec.goal_record(row)


async def policy(connection: AsyncConnection, policy_id: str) -> RewardPolicy:
    """The policy by that id.

    Raises:
        PolicyUnknown: If there is none.
    """
    result = await connection.execute(select(policies).where(policies.c.id == policy_id))
    row = result.mappings().one_or_none()
    if row is None:
        raise PolicyUnknown(f"no policy {policy_id!r}")
    return codec.policy(row)


async def newest_policy(connection: AsyncConnection, scope: Scope) -> RewardPolicy | None:
    """The scope's latest version, whoever made it; None if it has none."""
    query = select(policies).where(in_scope(scope)).order_by(policies.c.version.desc()).limit(1)
    row = (await connection.execute(query)).mappings().one_or_none()
    return codec.policy(row) if row else None


async def next_version(connection: AsyncConnection, scope: Scope) -> int:
    """The version that the scope's next policy gets."""
    latest = await connection.scalar(select(func.max(policies.c.version)).where(in_scope(scope)))
    return 1 + (latest or 0)
