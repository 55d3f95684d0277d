from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jsonpatch
import pytest
from sqlalchemy import select

from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.domain.webhooks import Attempt, DeliveryState, NextStep, Subscription, Webhook
from reward_llm.errors import (
    Conflict,
    DeliveryUnderway,
    DeliveryUnknown,
    IdempotencyConflict,
    InvalidInput,
    WebhookInactive,
    WebhookUnknown,
)
from reward_llm.store.cloud_events import MAX_BODY_BYTES
from reward_llm.store.state import state_document
from reward_llm.store.tables import audit
from reward_llm.store.webhooks import MAX_ACTIVE
from tests.webhooks import NEW_SECRET, SECRET, Office, office

URL = "https://hooks.example.org/in"
FIVE_DAYS = timedelta(days=5)
PENDING, DELIVERED = DeliveryState.PENDING, DeliveryState.DELIVERED


@pytest.fixture
async def here(url: str) -> AsyncIterator[Office]:
    async with office(url) as made:
        yield made


def inactive(webhook: Webhook) -> Subscription:
    return replace(webhook.subscription, active=False)


async def settle(here: Office, consignment: Any, state: DeliveryState = DELIVERED, status: int = 200) -> None:
    at, failed = here.clock(), status >= 300
    attempt = Attempt(at=at, duration_ms=7, status=status, error=f"answered {status}" if failed else "")
    await here.outbox.settle(consignment, attempt, NextStep(state=state, due_at=at), FIVE_DAYS)


async def records(here: Office) -> list[Any]:
    async with here.database.reading() as connection:
        return list((await connection.execute(select(audit).order_by(audit.c.sequence))).mappings())


async def event(here: Office) -> dict[str, Any]:
    (consignment,) = await here.claim()
    document: dict[str, Any] = json.loads(consignment.body)
    return document


async def test_an_event_says_what_the_audit_record_says(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.made", chain="home_feed", size=3)
    made, record = await event(here), (await records(here))[-1]
    assert made["specversion"] == "1.0"
    assert made["type"] == "reward-llm.thing.made"
    assert made["source"] == "/reward-llm/scenarios/home_feed"
    assert made["subject"] == "it"
    assert made["sequence"] == f"{record['sequence']:020}"
    said = {k: made["data"][k] for k in ("sequence", "actor", "action", "subject", "scenario", "reason")}
    assert said == {"sequence": record["sequence"], "actor": "ann", "action": "thing.made", "subject": "it"} | {
        "scenario": "home_feed",
        "reason": "because",
    }
    assert made["data"]["details"] == {"size": 3}
    assert "192.0.2.7" not in json.dumps(made)


async def test_an_event_carries_the_patch_of_what_changed(here: Office) -> None:
    await here.add(URL, actions=("webhook.",))
    await here.webhooks.change("whk_1", lambda w: replace(w.subscription, description="for the wall"), here.act())
    _, changed = [json.loads(c.body) for c in await here.claim(most=2)]
    assert {"op": "replace", "path": "/webhooks/whk_1/description", "value": "for the wall"} in changed["data"][
        "patch"
    ]


async def test_an_event_that_would_be_too_large_leaves_out_what_is_largest(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.made", text="目" * 100_000)
    (consignment,) = await here.claim()
    assert len(consignment.body.encode()) <= MAX_BODY_BYTES
    data = json.loads(consignment.body)["data"]
    assert data["omitted"] == ["patch", "details"]
    assert data["patch"] is data["details"] is None
    assert data["subject"] == "it"


async def test_every_subscriber_is_told_of_one_event_by_one_id(here: Office) -> None:
    await here.add(URL, "whk_1")
    await here.add(URL, "whk_2", actions=())
    await here.add(URL, "whk_3", scenario="home_feed")
    await here.add(URL, "whk_4", active=False)
    await here.happen("thing.made", chain="video_feed")
    told = [await here.deliveries(f"whk_{i}") for i in (1, 2, 3, 4)]
    assert [[d.action for d in one if d.action == "thing.made"] for one in told] == [["thing.made"]] * 2 + [[]] * 2
    assert told[0][0].event_id == told[1][0].event_id
    assert told[0][0].id != told[1][0].id


async def test_the_audit_log_rebuilds_the_webhooks_without_their_secrets(here: Office) -> None:
    await here.add(URL)
    await here.webhooks.rotate("whk_1", NEW_SECRET, timedelta(hours=1), lambda _: None, here.act())
    await here.webhooks.change("whk_1", inactive, here.act("no longer needed"))
    async with here.database.reading() as connection:
        state = await state_document(connection)
    written = json.dumps([dict(r) for r in await records(here)], default=str)
    rebuilt: Any = {name: {} for name in state}
    for record in await records(here):
        rebuilt = jsonpatch.apply_patch(rebuilt, record["patch"])
    assert rebuilt == state
    assert state["webhooks"]["whk_1"]["active"] is False
    assert "whsec_" not in written + json.dumps(state)


async def test_a_change_is_decided_from_how_the_webhook_stands_in_the_transaction(here: Office) -> None:
    await here.add(URL)
    seen: list[int] = []

    def decide(webhook: Webhook) -> Subscription:
        seen.append(webhook.revision)
        return replace(webhook.subscription, description=f"{webhook.subscription.description}x")

    await asyncio.gather(*(here.webhooks.change("whk_1", decide, here.act()) for _ in range(3)))
    webhook = await here.webhooks.webhook("whk_1")
    assert sorted(seen) == [1, 2, 3]
    assert (webhook.subscription.description, webhook.revision) == ("xxx", 4)


async def test_a_change_that_changes_nothing_leaves_no_record(here: Office) -> None:
    before = await here.add(URL)
    assert await here.webhooks.change("whk_1", lambda w: w.subscription, here.act()) == before
    assert [r["action"] for r in await records(here)][-1] == "webhook.created"


async def test_the_same_key_makes_one_webhook(here: Office) -> None:
    claim, wanted = IdempotencyClaim(key="k", request_hash="h"), Subscription(url=URL)
    first, is_new = await here.webhooks.create("whk_1", wanted, SECRET, here.act(), claim)
    assert is_new
    assert await here.webhooks.create("whk_2", wanted, NEW_SECRET, here.act(), claim) == (first, False)
    other = replace(claim, request_hash="x")
    with pytest.raises(IdempotencyConflict):
        await here.webhooks.create("whk_3", wanted, SECRET, here.act(), other)


async def test_there_are_only_so_many_active_ones(here: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_ACTIVE > 2
    monkeypatch.setattr("reward_llm.store.webhooks.MAX_ACTIVE", 2)
    await here.add(URL, "whk_1")
    await here.add(URL, "whk_2")
    await here.add(URL, "whk_3", active=False)
    with pytest.raises(Conflict, match="2 active"):
        await here.add(URL, "whk_4")
    with pytest.raises(Conflict, match="2 active"):
        await here.webhooks.change("whk_3", lambda w: replace(w.subscription, active=True), here.act())


async def test_a_lease_keeps_others_out_until_it_runs_out(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.made", "thing.used")
    (mine,) = await here.claim("mine")
    assert await here.claim("theirs", most=1) == []
    assert [c.delivery.id for c in await here.claim("theirs", most=2)] != [mine.delivery.id]
    here.clock.advance(seconds=61)
    taken_over = await here.claim("theirs", most=1)
    assert [c.delivery.id for c in taken_over] == [mine.delivery.id]
    assert taken_over[0].delivery.event_id == mine.delivery.event_id


async def test_who_lost_the_lease_decides_nothing_any_more(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.made")
    (late,) = await here.claim("late")
    here.clock.advance(seconds=61)
    (quick,) = await here.claim("quick")
    await settle(here, late, DeliveryState.DEAD, status=500)
    assert await here.states() == [PENDING]
    await settle(here, quick)
    (delivery,) = await here.deliveries()
    assert delivery.state is DELIVERED
    assert [a.status for a in delivery.attempts] == [500, 200]


async def test_of_many_who_claim_at_once_one_gets_it(url: str) -> None:
    async with office(url) as one, office(url, clock=one.clock) as two:
        await one.add(URL)
        await one.happen("thing.made")
        claims = [at.claim(f"l{i}") for i in range(4) for at in (one, two)]
        claimed = await asyncio.gather(*claims)
        assert sorted(map(len, claimed)) == [0] * 7 + [1]


async def test_what_is_due_is_claimed_oldest_first_and_only_for_who_is_active(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.made", "thing.used")
    assert [c.delivery.action for c in await here.claim(most=5)] == ["thing.made", "thing.used"]
    here.clock.advance(seconds=61)
    assert await here.outbox.waiting(here.clock()) == ["whk_1"]
    await here.webhooks.change("whk_1", inactive, here.act())
    assert await here.outbox.waiting(here.clock()) == []
    assert await here.claim() == []


async def test_a_test_reaches_a_webhook_that_wanted_something_else(here: Office) -> None:
    await here.add(URL, "whk_1")
    await here.add(URL, "whk_2")
    delivery = await here.webhooks.test("whk_1", here.act())
    assert (delivery.action, delivery.webhook_id, delivery.state) == ("webhook.tested", "whk_1", PENDING)
    assert await here.deliveries("whk_2") == []
    await here.webhooks.change("whk_1", inactive, here.act())
    with pytest.raises(WebhookInactive):
        await here.webhooks.test("whk_1", here.act())


async def test_what_is_being_sent_or_can_t_be_is_not_sent_again(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.made")
    (consignment,) = await here.claim()
    with pytest.raises(DeliveryUnderway):
        await here.webhooks.redeliver(consignment.delivery.id, here.act())
    await settle(here, consignment)
    again = await here.webhooks.redeliver(consignment.delivery.id, here.act())
    assert (again.state, again.tries, len(again.attempts)) == (PENDING, 0, 1)
    assert [r["action"] for r in await records(here)][-1] == "webhook.redelivered"
    await here.webhooks.change("whk_1", inactive, here.act())
    with pytest.raises(WebhookInactive):
        await here.webhooks.redeliver(consignment.delivery.id, here.act())
    with pytest.raises(DeliveryUnknown):
        await here.webhooks.redeliver("dlv_none", here.act())


async def test_deliveries_are_listed_by_pages_and_states(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.a", "thing.b", "thing.c")
    (oldest,) = await here.claim()
    await settle(here, oldest)
    first = await here.webhooks.deliveries("whk_1", limit=2)
    rest = await here.webhooks.deliveries("whk_1", limit=2, cursor=first.next_cursor)
    assert [d.action for d in (*first.items, *rest.items)] == ["thing.c", "thing.b", "thing.a"]
    assert rest.next_cursor is None
    delivered = await here.webhooks.deliveries("whk_1", state=DELIVERED)
    assert [d.action for d in delivered.items] == ["thing.a"]
    with pytest.raises(InvalidInput):
        await here.webhooks.deliveries("whk_1", cursor="x")
    with pytest.raises(WebhookUnknown):
        await here.webhooks.deliveries("whk_none")


async def test_a_failure_shows_until_a_success_or_a_change(here: Office) -> None:
    await here.add(URL)
    await here.happen("thing.a", "thing.b")
    one, two = await here.claim(most=2)
    await settle(here, one, PENDING, status=500)
    assert (await here.webhooks.webhook("whk_1")).failing_since is not None
    await settle(here, two)
    assert (await here.webhooks.webhook("whk_1")).failing_since is None
    (again,) = await here.claim()
    await settle(here, again, PENDING, status=500)
    (listed,) = (await here.webhooks.webhooks()).items
    assert listed.failing_since is not None
    changed = await here.webhooks.change("whk_1", lambda w: replace(w.subscription, url=f"{URL}2"), here.act())
    assert changed.failing_since is None
