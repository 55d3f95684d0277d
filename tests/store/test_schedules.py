"""What the database is asked of schedules, against the same questions to all activations in memory."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.activation import PLANNED, Activation
from reward_llm.domain.lifecycle import PolicyState, state_of
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import conflicts, stack, winner, winners_first
from reward_llm.store import codec, schedules, standings
from reward_llm.store.engine import writing_engine
from reward_llm.store.tables import activations, policies
from tests.activations import activation, moment

ACTIVE = PolicyState.ACTIVE
MOMENTS = [moment(m / 2) for m in range(-14, 20)]


@pytest.fixture
async def connection(url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction that is rolled back, because what is written here past the audit log must not stay."""
    engine = writing_engine(url)
    async with engine.connect() as connection, connection.begin() as begun:
        yield connection
        await begun.rollback()
    await engine.dispose()


def drawn(rng: random.Random, scope: Scope, first: int) -> list[Activation]:
    """Some activations of a scope, with sequences from `first` on."""
    made = []
    for sequence in range(first, first + rng.randint(0, 6)):
        start, end = rng.choice([None, rng.randint(-6, 6)]), rng.choice([None, rng.randint(-6, 6)])
        made.append(
            activation(
                sequence,
                scope,
                start=start,
                end=end if end is None or start is None or end > start else None,
                made=rng.randint(-6, 2),
                percent=rng.choice([100, 100, 50]),
                ended=rng.choice([None, None, rng.randint(-5, 5)]),
            )
        )
    return made


async def put(connection: AsyncConnection, made: list[Activation]) -> None:
    for policy in dict.fromkeys(a.policy for a in made):
        await connection.execute(insert(policies).values(codec.policy_values(policy, "ann")))
    for one in made:
        values = codec.activation_values(one) | {"sequence": one.sequence, "changed": one.sequence}
        await connection.execute(insert(activations).values(values))


async def test_the_database_finds_what_going_through_all_activations_finds(connection: AsyncConnection) -> None:
    rng, following = random.Random(7), 1
    for number in range(25):
        whole, part = Scope(f"scenario_{number}"), Scope(f"scenario_{number}", "new_user")
        ours = drawn(rng, whole, following)
        theirs = drawn(rng, part, following + len(ours))
        following += len(ours) + len(theirs)
        await put(connection, ours + theirs)
        for when in rng.sample(MOMENTS, 4):
            await check_winner(connection, ours, theirs, whole, part, when)
            await check_schedule(connection, ours, whole, when)


async def check_winner(
    connection: AsyncConnection,
    ours: list[Activation],
    theirs: list[Activation],
    whole: Scope,
    part: Scope,
    when: datetime,
) -> None:
    everybody, some = winner(winners_first(ours), when), winner(winners_first(theirs), when)
    active = await schedules.active_policy(connection, whole, when)
    assert active == (everybody.policy if everybody else None)
    served = some or everybody
    assert await schedules.active_policy(connection, part, when) == (served.policy if served else None)
    if everybody:
        others = winner(winners_first(a for a in ours if a is not everybody), when)
        besides = await schedules.active_policy(connection, whole, when, besides=everybody.sequence)
        assert besides == (others.policy if others else None)


async def check_schedule(connection: AsyncConnection, ours: list[Activation], scope: Scope, when: datetime) -> None:
    winning = await schedules.winning(connection, scope, when)
    assert winning == next(iter(stack(ours, when)), None)
    assert tuple(await schedules.covering(connection, scope, when)) == stack(ours, when)
    later = [a for a in reversed(winners_first(ours)) if a.start > when and not a.is_over(when)]
    assert await schedules.coming(connection, scope, when) == later
    for start, end in ((None, None), (when, moment(12)), (moment(3), moment(9))):
        if start is not None and end is not None and end <= when:
            continue
        new = replace(
            activation(1, scope),
            sequence=PLANNED,
            activated_at=when,
            window=replace(activation(1).window, valid_from=start, valid_until=end),
        )
        found = await schedules.interruptible(connection, new, when)
        assert conflicts(new, found, when) == conflicts(new, ours, when)


async def test_what_is_to_come_never_hides_what_holds(connection: AsyncConnection) -> None:
    scope, count = Scope("home_feed"), schedules.MAX_SHOWN
    base, many = activation(1), [activation(i, start=i, end=i + 1) for i in range(2, count + 4)]
    await put(connection, [base, *many])
    assert await schedules.covering(connection, scope, moment(1)) == [base]
    assert await schedules.coming(connection, scope, moment(1)) == many[:count]
    assert state_of(await standings.standing(connection, base.policy.policy_id, moment(1)), moment(1)) is ACTIVE


async def test_of_a_policy_that_was_activated_often_what_holds_is_known(connection: AsyncConnection) -> None:
    """However much is to come and is over, the state is that of all its activations."""
    ours, count = activation(1).policy, schedules.MAX_SHOWN
    made = [activation(1, made=-9, end=None)]
    made += [activation(i, made=-9, start=-9, end=-8) for i in range(2, count)]
    made += [activation(i, made=-9, start=i, end=i + 1) for i in range(count, 2 * count)]
    await put(connection, [replace(a, policy=ours) for a in made])
    found = await standings.standing(connection, ours.policy_id, moment(0))
    assert len(found.activations) == count
    assert made[0].sequence in {a.sequence for a in found.activations}
    assert state_of(found, moment(0)) is ACTIVE
