from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.goal import Window
from reward_llm.domain.lifecycle import Verdict
from reward_llm.domain.ports import Governance, Store
from reward_llm.errors import Outdated, PolicyInForce, PolicyRejected
from reward_llm.store import SqlStore
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from tests.activations import NOON, moment
from tests.contracts.governance.acts import ANN, BO, FREE, activate, edited, later, window
from tests.contracts.governance.contract import GovernanceContract


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    yield database
    await database.aclose()


@pytest.fixture
def store(database: Database) -> Store:
    return SqlStore(database)


@pytest.fixture
def governance(database: Database) -> Governance:
    return SqlGovernance(database)


@pytest.fixture
async def neighbour(url: str) -> AsyncIterator[Governance]:
    """A second one on the same database, as another process has it."""
    database = Database.open(url)
    yield SqlGovernance(database)
    await database.aclose()


class TestSqlGovernance(GovernanceContract):
    """SQLite and PostgreSQL keep the contract."""


async def test_a_reader_misses_no_change_that_two_processes_make(
    store: Store, governance: Governance, neighbour: Governance
) -> None:
    policy = await edited(store)
    both = (governance, neighbour)
    making = asyncio.gather(*(activate(both[i % 2], policy) for i in range(20)))
    seen, latest = [], 0
    while not making.done():
        changes = await governance.serving(since=latest)
        seen += [a.sequence for a in changes.activations]
        latest = changes.latest
    seen += [a.sequence for a in (await governance.serving(since=latest)).activations]
    assert seen == sorted(a.sequence for a in await making)


async def test_of_a_rejection_and_an_activation_at_once_one_is_refused(
    store: Store, governance: Governance, neighbour: Governance
) -> None:
    for _ in range(5):
        policy = await edited(store)
        outcomes = await asyncio.gather(
            governance.decide(policy.policy_id, policy.content_hash, Verdict.REJECT, BO, FREE),
            activate(neighbour, policy),
            return_exceptions=True,
        )
        refused = [o for o in outcomes if isinstance(o, BaseException)]
        assert len(refused) == 1
        assert isinstance(refused[0], PolicyRejected | PolicyInForce)


async def test_of_an_ending_and_a_change_at_once_none_is_lost(
    store: Store, governance: Governance, neighbour: Governance
) -> None:
    for _ in range(5):
        made = await activate(governance, await edited(store), window=window(10))
        change = ActivationChange(window=Window(valid_from=moment(20)))
        outcomes = await asyncio.gather(
            governance.end_activation(made.sequence, later(1), FREE),
            neighbour.change_activation(made.sequence, 1, change, later(1), FREE),
            return_exceptions=True,
        )
        refused = [o for o in outcomes if isinstance(o, BaseException)]
        assert all(isinstance(o, Outdated) for o in refused)
        after = await governance.activation(made.sequence)
        assert after.is_over(moment(1))
        assert after.revision == 3 - len(refused)


async def test_what_is_decided_is_there_after_a_restart(store: Store, governance: Governance, url: str) -> None:
    policy = await edited(store)
    await governance.request_review(policy.policy_id, ANN)
    made = await activate(governance, policy, percent=5)
    reopened = SqlGovernance(Database.open(url))
    assert await reopened.standing(policy.policy_id, NOON) == await governance.standing(policy.policy_id, NOON)
    assert (await reopened.serving()).activations == (made,)
    await reopened._database.aclose()
