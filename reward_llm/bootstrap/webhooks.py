"""Webhooks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from reward_llm.bootstrap.basics import now
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.store.database import Database
    from reward_llm.store.sealing import Sealer


def build_sealer(settings: Settings) -> Sealer:
    """What keeps the secrets of webhooks."""
    from reward_llm.store.sealing import Sealer

    key = settings.webhook_key
    return Sealer(key.get_secret_value().split(",") if key else ())


def deliveries(settings: Settings, database: Database) -> Callable[[], Coroutine[Any, Any, None]]:
    """What sends to webhooks until it is cancelled."""
    from reward_llm.delivery.webhooks import Dispatcher, DispatcherConfig, PublicAddresses, Sender, SenderConfig
    from reward_llm.store.outbox import SqlOutbox

    outbox = SqlOutbox(database, build_sealer(settings))
    addresses = PublicAddresses(allow_private=settings.webhooks_allow_private)

    async def deliver() -> None:
        async with Sender(addresses=addresses, clock=now, config=SenderConfig()) as sender:
            await Dispatcher(outbox=outbox, send=sender.send, clock=now, config=DispatcherConfig()).run()

    return deliver
