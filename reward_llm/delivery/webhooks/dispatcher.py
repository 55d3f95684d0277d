"""Sends what is due, again and again.

    outbox ── waiting ──► one worker a webhook ── claim ──► send ──► settle ──► claim …

A worker lives as long as something is due for its webhook, and waits for nobody but its own receiver.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog

from reward_llm.domain.ports import Clock
from reward_llm.domain.ports.webhooks import Outbox
from reward_llm.domain.webhooks import Attempt, Consignment, RetrySchedule, step_after
from reward_llm.errors import StoreUnavailable

_CHANCES = random.SystemRandom()
Send = Callable[[Consignment], Awaitable[Attempt]]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatcherConfig:
    """How eagerly what is due is sent, and how long a receiver that fails is put up with."""

    poll_s: float = 1.0
    """How often the outbox is looked at."""
    concurrency: int = 1
    """What one webhook is sent at once, by all processes; 1 keeps the order as long as nothing fails."""
    lease_s: float = 60.0
    """When others may take over what is being sent; well over the sender's timeout."""
    grace_s: float = 5.0
    """How long what is being sent may take at shutdown."""
    schedule: RetrySchedule = field(default_factory=RetrySchedule)
    give_up_after: timedelta = timedelta(days=5)
    """A webhook without a success for so long is made inactive when its next delivery dies."""


class Dispatcher:
    """Takes from the outbox what is due and has it sent; several may share one outbox."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        send: Send,
        clock: Clock,
        config: DispatcherConfig,
        chance: Callable[[], float] = _CHANCES.random,
    ) -> None:
        self._outbox = outbox
        self._send = send
        self._clock = clock
        self._config = config
        self._chance = chance
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    async def run(self) -> None:
        """Send what is due until cancelled, whatever the store does; what is being sent then may still end."""
        self._stopping = False
        try:
            while True:
                await self.look()
                await asyncio.sleep(self._config.poll_s)
        finally:
            await self.aclose()

    async def look(self) -> None:
        """See to it that every webhook that something is due for has its worker."""
        try:
            waiting = await self._outbox.waiting(self._clock())
        except StoreUnavailable as exc:
            _log.warning("webhooks.outbox_away", error=exc.message)
            return
        for webhook_id in waiting:
            if webhook_id not in self._workers:
                worker = asyncio.create_task(self._serve(webhook_id))
                self._workers[webhook_id] = worker
                worker.add_done_callback(partial(self._ended, webhook_id))

    async def settled(self) -> None:
        """Wait until the workers that there are now have nothing to do."""
        while self._workers:
            await asyncio.wait(set(self._workers.values()))

    async def aclose(self) -> None:
        """Let what is being sent end; what doesn't is sent again, by whoever takes over its lease."""
        self._stopping = True
        workers = set(self._workers.values())
        if not workers:
            return
        _, late = await asyncio.wait(workers, timeout=self._config.grace_s)
        for worker in late:
            worker.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _serve(self, webhook_id: str) -> None:
        while not self._stopping:
            now = self._clock()
            until = now + timedelta(seconds=self._config.lease_s)
            lease = uuid.uuid4().hex
            claimed = await self._outbox.claim(webhook_id, lease, now, until, self._config.concurrency)
            if not claimed:
                return
            await asyncio.gather(*(self._deliver(c) for c in claimed))

    async def _deliver(self, consignment: Consignment) -> None:
        attempt = await self._tried(consignment)
        delivery = consignment.delivery
        step = step_after(attempt, delivery.tries + 1, self._config.schedule, self._chance())
        await self._outbox.settle(consignment, attempt, step, self._config.give_up_after)
        _log.info(
            "webhook.sent",
            webhook=delivery.webhook_id,
            delivery=delivery.id,
            status=attempt.status,
            error=attempt.error,
            state=step.state.value,
        )

    async def _tried(self, consignment: Consignment) -> Attempt:
        """What came of a try. What nobody foresaw is a failure as well, or it would be sent anew for ever."""
        try:
            return await self._send(consignment)
        except Exception as exc:  # noqa: BLE001 - whatever it was, the webhook's other deliveries go on
            _log.exception("webhooks.try_crashed", delivery=consignment.delivery.id)
            return Attempt(at=self._clock(), duration_ms=0, error=f"the service itself failed: {type(exc).__name__}")

    def _ended(self, webhook_id: str, worker: asyncio.Task[None]) -> None:
        self._workers.pop(webhook_id, None)
        if worker.cancelled():
            return
        if isinstance(exc := worker.exception(), StoreUnavailable):
            _log.warning("webhooks.outbox_away", webhook=webhook_id, error=exc.message)
        elif exc is not None:
            _log.error("webhooks.worker_crashed", webhook=webhook_id, exc_info=exc)
