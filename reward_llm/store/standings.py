"""All that is known of policies, gathered from the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, Select, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.activation import Activation
from reward_llm.domain.lifecycle import ReviewFact, Standing
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import EVERYBODY
from reward_llm.errors import PolicyUnknown
from reward_llm.store import codec, schedules
from reward_llm.store.governance_codec import review_fact
from reward_llm.store.tables import activations, policies, proposals, reviews

_AUTHORED: Select[tuple[object, ...]] = select(policies, proposals.c.review).select_from(
    policies.outerjoin(proposals, proposals.c.goal_id == policies.c.origin)
)
"""Policies, with the review that the reading which they came from needs."""


async def standing(connection: AsyncConnection, policy_id: str, at: datetime) -> Standing:
    """All that is known of the policy, as it stands at that moment.

    Raises:
        PolicyUnknown: If there is no such policy.
    """
    found = await standings(connection, [policy_id], at)
    if policy_id not in found:
        raise PolicyUnknown(f"no policy {policy_id!r}")
    return found[policy_id]


async def standings(connection: AsyncConnection, ids: Sequence[str], at: datetime) -> Mapping[str, Standing]:
    """All that is known of those of the policies that there are, by their ids."""
    rows = (await connection.execute(_AUTHORED.where(policies.c.id.in_(ids)))).mappings().all()
    known = {row[policies.c.id]: row for row in rows}
    facts, own = await _facts(connection, ids), await _own(connection, ids, at)
    scopes = {codec.policy(row).scope for row in rows}
    holding = {s: await schedules.winning(connection, s, at, percent=EVERYBODY) for s in sorted(scopes, key=str)}
    return {
        policy_id: _standing(codec.policy(known[policy_id]), known[policy_id], facts, own, holding)
        for policy_id in ids
        if policy_id in known
    }


def _standing(
    policy: RewardPolicy,
    row: RowMapping,
    facts: Mapping[str, Sequence[ReviewFact]],
    own: Mapping[str, Sequence[Activation]],
    holding: Mapping[Scope, Activation | None],
) -> Standing:
    policy_id, holder = policy.policy_id, holding[policy.scope]
    return Standing(
        policy=policy,
        author=row[policies.c.author],
        unsure=row[proposals.c.review] is not None,
        facts=tuple(facts.get(policy_id, ())),
        activations=tuple(own.get(policy_id, ())),
        rivals=(holder,) if holder is not None and holder.policy != policy else (),
    )


async def _facts(connection: AsyncConnection, ids: Sequence[str]) -> dict[str, list[ReviewFact]]:
    query = select(reviews).where(reviews.c.policy_id.in_(ids)).order_by(reviews.c.sequence)
    found: dict[str, list[ReviewFact]] = {}
    for row in (await connection.execute(query)).mappings():
        found.setdefault(row[reviews.c.policy_id], []).append(review_fact(row))
    return found


async def _own(connection: AsyncConnection, ids: Sequence[str], at: datetime) -> dict[str, list[Activation]]:
    """The policies' own activations, of each policy as many as are shown: first what holds, last what is over."""
    column = activations.c
    place = case((~schedules.not_over(at), 2), (column.starts_at > at, 1), else_=0)
    places = func.row_number().over(
        partition_by=column.policy_id, order_by=(place, column.starts_at.desc(), column.sequence.desc())
    )
    ranked = select(column.sequence, places.label("place")).where(column.policy_id.in_(ids)).subquery()
    shown = select(ranked.c.sequence).where(ranked.c.place <= schedules.MAX_SHOWN)
    found: dict[str, list[Activation]] = {}
    for activation in await schedules.find(connection, schedules.ACTIVATIONS.where(column.sequence.in_(shown))):
        found.setdefault(activation.policy.policy_id, []).append(activation)
    return found
