"""Events through a Redis stream: a consumer group, and a look now and then for what a dead worker left."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final

from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from redis.exceptions import ResponseError

from reward_llm.feedback.intake.streams.holding import holding
from reward_llm.feedback.intake.streams.links import HOLDS, MAX_MESSAGES, PATIENCE_S, REDELIVER_S, WAIT_S, OnBodies

KIND: Final = "redis"
MAX_KEPT: Final = 100_000
"""About how many messages the stream keeps, as it is in memory; workers may be behind by less than that."""
_OWN_BYTES: Final = 6


class RedisLink:
    """A `reward_llm.feedback.intake.streams.links.Link`.

    Args:
        url: Names the server, such as redis://host:6379/0; it may hold a password.
        stream: The stream's key.
    """

    def __init__(self, url: str, *, stream: str) -> None:
        self._stream = stream
        silent: Any = None  # which the broker takes, and its annotation doesn't say
        self._broker = RedisBroker(url, logger=silent, apply_types=False, graceful_timeout=PATIENCE_S)
        self._subscribers: list[Any] = []

    async def connect(self) -> None:
        """Connect; the stream comes with its first message."""
        async with asyncio.timeout(PATIENCE_S):
            await self._broker.start()

    async def publish(self, body: bytes) -> None:
        """Come back when the server has the message."""
        await self._broker.publish(body, stream=self._stream, maxlen=MAX_KEPT)

    async def consume(self, group: str, on_bodies: OnBodies) -> None:
        """Read batches of messages."""

        async def work(bodies: list[object]) -> None:
            await on_bodies(bodies)

        async def work_on_left(body: object) -> None:
            await on_bodies([body])

        client = await self._broker.connect()
        try:
            await client.xgroup_create(self._stream, group, id="0", mkstream=True)
        except ResponseError as exc:
            if "BUSYGROUP" not in str(exc):
                raise
        consumer = f"worker-{secrets.token_hex(_OWN_BYTES)}"

        async def hold(message: Any) -> None:
            ids = message.raw_message["message_ids"]
            await client.xclaim(self._stream, group, consumer, 0, ids, idle=0, justid=True)

        self._broker.add_middleware(holding(hold, REDELIVER_S / HOLDS))
        fresh = StreamSub(
            self._stream,
            group=group,
            consumer=consumer,
            batch=True,
            max_records=MAX_MESSAGES,
            polling_interval=round(WAIT_S * 1_000),
        )
        left = StreamSub(
            self._stream,
            group=group,
            consumer=consumer,
            min_idle_time=round(REDELIVER_S * 1_000),
            polling_interval=1_000,
        )
        for sub, handler in ((fresh, work), (left, work_on_left)):
            subscriber: Any = self._broker.subscriber(stream=sub, ack_policy=AckPolicy.NACK_ON_ERROR)
            subscriber(handler)
            await subscriber.start()
            self._subscribers.append(subscriber)

    @property
    def is_consuming(self) -> bool:
        """Whether it reads; it stops where the stream was deleted."""
        return bool(self._subscribers) and all(s.running for s in self._subscribers)

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._broker.stop()
