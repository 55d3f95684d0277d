"""Webhooks over a real database, as several tests set them up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reward_llm.delivery.webhooks import Dispatcher, DispatcherConfig, PublicAddresses, Sender, SenderConfig
from reward_llm.domain.act import Act
from reward_llm.domain.ports import Outbox
from reward_llm.domain.webhooks import Consignment, Delivery, DeliveryState, Subscription, Webhook, secret_of
from reward_llm.store.database import Database
from reward_llm.store.outbox import SqlOutbox
from reward_llm.store.sealing import Sealer
from reward_llm.store.webhooks import SqlWebhooks

SECRET = secret_of(bytes(range(32)))
NEW_SECRET = secret_of(bytes(range(1, 33)))


class Clock:
    """Real time, which can be moved on."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def advance(self, **spans: float) -> None:
        self._ahead += timedelta(**spans)


@dataclass(slots=True)
class Office:
    """The webhooks of one database."""

    database: Database
    webhooks: SqlWebhooks
    outbox: SqlOutbox
    clock: Clock

    def act(self, reason: str = "") -> Act:
        return Act(actor="ann", at=self.clock(), reason=reason, address="192.0.2.7", request_id="r1")

    async def add(self, url: str, webhook_id: str = "whk_1", **wanted: Any) -> Webhook:
        """A webhook that is told of what is done from now on, but for its own creation."""
        subscription = Subscription(url=url, **{"actions": ("thing.",), **wanted})
        webhook, _ = await self.webhooks.create(webhook_id, subscription, SECRET, self.act())
        return webhook

    async def happen(self, *actions: str, chain: str = "", **details: Any) -> None:
        """Put on record that something was done."""
        for action in actions:
            async with self.database.writing(self.act("because")) as writing:
                await writing.put_on_record(action, "it", chain=chain, details=details)

    async def claim(self, lease: str = "l", webhook_id: str = "whk_1", most: int = 1) -> list[Consignment]:
        now = self.clock()
        return list(await self.outbox.claim(webhook_id, lease, now, now + timedelta(seconds=60), most))

    async def deliveries(self, webhook_id: str = "whk_1") -> list[Delivery]:
        return list((await self.webhooks.deliveries(webhook_id)).items)

    async def states(self, webhook_id: str = "whk_1") -> list[DeliveryState]:
        return [d.state for d in await self.deliveries(webhook_id)]


@asynccontextmanager
async def office(url: str, *, keys: tuple[str, ...] = (), clock: Clock | None = None) -> AsyncIterator[Office]:
    """The webhooks of the database that the URL names."""
    database, sealer = Database.open(url), Sealer(keys)
    try:
        yield Office(
            database=database,
            webhooks=SqlWebhooks(database, sealer),
            outbox=SqlOutbox(database, sealer),
            clock=clock or Clock(),
        )
    finally:
        await database.aclose()


@asynccontextmanager
async def dispatcher(
    outbox: Outbox, clock: Clock, *, timeout_s: float = 30.0, **config: Any
) -> AsyncIterator[Dispatcher]:
    """A dispatcher that may send to this machine; what it is sending at the end is cut off."""
    addresses = PublicAddresses(allow_private=True)
    async with Sender(addresses=addresses, clock=clock, config=SenderConfig(timeout_s=timeout_s)) as sender:
        made = Dispatcher(
            outbox=outbox,
            send=sender.send,
            clock=clock,
            config=DispatcherConfig(**{"grace_s": 0.0, "poll_s": 0.01, **config}),
            chance=lambda: 0.0,
        )
        yield made
        await made.aclose()


async def sent(made: Dispatcher) -> None:
    """Have everything sent that is due."""
    await made.look()
    await made.settled()
