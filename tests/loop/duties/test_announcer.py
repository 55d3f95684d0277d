"""Activations are planned over the interface, time goes by, and it is on record that they began and expired."""

from __future__ import annotations

from datetime import timedelta

from reward_llm.domain.edges import edges_of
from reward_llm.domain.webhooks import Subscription
from reward_llm.loop.duties.announcer import Announcer
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.edges import SqlEdgeLog
from reward_llm.store.serving_log import SqlServingLog
from tests.api.harness import EDIT, NOON, Desk, Setup, assert_problem

HOUR_S = 3_600.0


def announcer(setup: Setup, database: Database) -> Announcer:
    return Announcer(serving=SqlServingLog(database), edges=SqlEdgeLog(database), clock=setup.clock)


async def planned(desk: Desk, start: int | None, end: int | None) -> str:
    """A policy that is in force between hours after noon."""
    goal = await desk.submit()
    policy_id: str = goal["proposal"]["policy_id"]
    hours = {"from": start, "until": end}
    window = {k: (NOON + timedelta(hours=h)).isoformat() for k, h in hours.items() if h is not None}
    assert (await desk.activate(policy_id, **window)).status_code == 200
    return policy_id


async def announced(desk: Desk) -> list[tuple[str, str]]:
    items = (await desk.client.get("/v1/audit", params={"limit": 200})).json()["items"]
    return [(r["action"], r["subject"]) for r in reversed(items) if r["actor"] == "schedule"]


async def test_what_begins_and_expires_by_time_alone_is_on_record_once(setup: Setup) -> None:
    async with setup.start() as desk:
        database = Database.open(setup.url)
        policy_id = await planned(desk, 1, 3)
        first = announcer(setup, database)
        await first.run()
        assert await announced(desk) == []
        setup.clock.advance(HOUR_S)
        for _ in range(2):
            await first.run()
        assert await announced(desk) == [("activation.began", policy_id)]
        setup.clock.advance(2 * HOUR_S)
        for worker in (announcer(setup, database), first):
            await worker.run()
        assert await announced(desk) == [("activation.began", policy_id), ("activation.expired", policy_id)]
        assert (await SqlAuditLog(database).verification()).flaw is None
        await database.aclose()


async def test_no_request_can_take_an_edges_key(setup: Setup) -> None:
    async with setup.start() as desk:
        database = Database.open(setup.url)
        policy_id = await planned(desk, 1, None)
        (activation,) = (await SqlServingLog(database).serving()).activations
        (edge,) = edges_of(activation)
        headers = [(b"Idempotency-Key", edge.key.encode())]
        answer = await desk.client.post("/v1/policies", json=EDIT, headers=headers)
        setup.clock.advance(HOUR_S)
        await announcer(setup, database).run()
        assert await announced(desk) == [("activation.began", policy_id)]
        assert_problem(answer, 422, "invalid_input")
        await database.aclose()


async def test_what_is_put_into_force_at_once_is_on_record_already(setup: Setup) -> None:
    async with setup.start() as desk:
        database = Database.open(setup.url)
        await planned(desk, None, None)
        setup.clock.advance(HOUR_S)
        await announcer(setup, database).run()
        assert await announced(desk) == []
        await database.aclose()


async def test_what_happened_more_than_a_day_ago_is_no_news(setup: Setup) -> None:
    async with setup.start() as desk:
        database = Database.open(setup.url)
        policy_id = await planned(desk, 1, 30)
        setup.clock.advance(31 * HOUR_S)
        await announcer(setup, database).run()
        assert await announced(desk) == [("activation.expired", policy_id)]
        await database.aclose()


async def test_a_change_of_the_plan_is_heard_of(setup: Setup) -> None:
    async with setup.start() as desk:
        database = Database.open(setup.url)
        policy_id = await planned(desk, 2, 5)
        worker = announcer(setup, database)
        await worker.run()
        setup.clock.advance(HOUR_S)
        (activation,) = (await desk.client.get("/v1/activations")).json()["items"]
        path = f"/v1/activations/{activation['sequence']}"
        moved = {"from": (NOON + timedelta(hours=3)).isoformat()}
        response = await desk.client.patch(path, json=moved, headers={"If-Match": '"1"'})
        assert response.status_code == 200, response.text
        setup.clock.advance(1.5 * HOUR_S)
        await worker.run()
        assert await announced(desk) == []
        setup.clock.advance(HOUR_S)
        await worker.run()
        assert await announced(desk) == [("activation.began", policy_id)]
        await database.aclose()


async def test_webhooks_are_told(setup: Setup) -> None:
    subscription = Subscription(url="https://example.org/told", actions=("activation.",))
    assert subscription.wants("activation.began", "home_feed")
    async with setup.start() as desk:
        database = Database.open(setup.url)
        sent = {"url": subscription.url, "actions": list(subscription.actions)}
        made = await desk.client.post("/v1/webhooks", json=sent)
        assert made.status_code == 201, made.text
        await planned(desk, 1, None)
        setup.clock.advance(HOUR_S)
        await announcer(setup, database).run()
        path = f"/v1/webhooks/{made.json()['id']}/deliveries"
        (delivery,) = (await desk.client.get(path)).json()["items"]
        assert delivery["action"] == "activation.began"
        await database.aclose()
