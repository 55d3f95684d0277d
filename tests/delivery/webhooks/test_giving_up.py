from __future__ import annotations

from datetime import timedelta

from sqlalchemy import RowMapping, select

from reward_llm.domain.webhooks import DeliveryState, RetrySchedule
from reward_llm.store.tables import audit
from tests.receivers import answer, receiver
from tests.webhooks import Office, dispatcher, sent

DEAD = DeliveryState.DEAD
SHORT = RetrySchedule(pauses_s=(10, 60))


async def last_record(here: Office) -> RowMapping:
    async with here.database.reading() as connection:
        found = await connection.execute(select(audit).order_by(audit.c.sequence.desc()).limit(1))
        return found.mappings().one()


async def test_a_webhook_that_fails_for_days_is_made_inactive_on_record(here: Office) -> None:
    async with (
        receiver(answer(500)) as hook,
        dispatcher(here.outbox, here.clock, schedule=SHORT, give_up_after=timedelta(days=5)) as made,
    ):
        await here.add(hook.url, actions=("thing.", "webhook."))
        for _ in range(3):
            await here.happen("thing.made")
            for _ in range(3):
                await sent(made)
                here.clock.advance(minutes=2)
            here.clock.advance(days=2)
        assert (await here.webhooks.webhook("whk_1")).subscription.active
        await here.happen("thing.made")
        for _ in range(3):
            await sent(made)
            here.clock.advance(minutes=2)
    webhook = await here.webhooks.webhook("whk_1")
    assert not webhook.subscription.active
    assert webhook.failing_since is not None
    assert webhook.revision == 2
    disabled = await last_record(here)
    assert (disabled["action"], disabled["subject"], disabled["actor"]) == ("webhook.disabled", "whk_1", "webhooks")
    assert disabled["details"]["failing_since"] == webhook.failing_since.isoformat()


async def test_a_success_in_between_starts_the_days_anew(here: Office) -> None:
    async with (
        receiver(answer(500)) as hook,
        dispatcher(
            here.outbox, here.clock, schedule=RetrySchedule(pauses_s=()), give_up_after=timedelta(days=5)
        ) as made,
    ):
        await here.add(hook.url)
        for given in (answer(500), answer(204), answer(500), answer(500)):
            hook.answers = [given]
            await here.happen("thing.made")
            await sent(made)
            here.clock.advance(days=3)
    assert (await here.webhooks.webhook("whk_1")).subscription.active
    assert (await here.states()).count(DEAD) == 3


async def test_a_receiver_that_is_gone_is_told_nothing_more(here: Office) -> None:
    async with receiver(answer(410)) as hook, dispatcher(here.outbox, here.clock) as made:
        await here.add(hook.url)
        await here.happen("thing.made")
        await sent(made)
        await here.happen("thing.used")
        await sent(made)
        assert len(hook.requests) == 1
    assert not (await here.webhooks.webhook("whk_1")).subscription.active
