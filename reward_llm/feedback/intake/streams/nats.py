"""Events through NATS JetStream: one stream, one durable pull consumer a group."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import BadRequestError, NotFoundError

from reward_llm.feedback.intake.streams.holding import holding
from reward_llm.feedback.intake.streams.links import (
    HOLDS,
    KEPT_S,
    MAX_MESSAGES,
    PATIENCE_S,
    REDELIVER_S,
    WAIT_S,
    OnBodies,
)

KIND: Final = "nats"
_RECONNECT_S: Final = 1
"""Between two tries to reach a server that went away."""
_MAKING_PAUSES_S: Final = (0.05, 0.2, 0.8)
"""Between two looks for a stream that another seems to be making."""


class NatsLink:
    """A `reward_llm.feedback.intake.streams.links.Link`.

    Args:
        url: Names the server, such as nats://host:4222; it may hold a password.
        stream: The name of the stream and of its subject.
    """

    def __init__(self, url: str, *, stream: str) -> None:
        self._stream = stream
        self._broker = NatsBroker(
            url,
            logger=None,
            apply_types=False,
            connect_timeout=round(PATIENCE_S),
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RECONNECT_S,
            graceful_timeout=PATIENCE_S,
            middlewares=[holding(_hold, REDELIVER_S / HOLDS)],
        )
        self._subscriber: Any = None

    async def connect(self) -> None:
        """Connect, and make the stream if it isn't there."""
        async with asyncio.timeout(PATIENCE_S):
            await self._broker.start()
            await self._make_stream((await self._broker.connect()).jetstream())

    async def _make_stream(self, jetstream: JetStreamContext) -> None:
        """While another makes it, the server doesn't know the stream, and says that its subject is taken."""
        for pause_s in (*_MAKING_PAUSES_S, None):
            try:
                await jetstream.stream_info(self._stream)
            except NotFoundError:
                try:
                    await jetstream.add_stream(name=self._stream, subjects=[self._stream], max_age=KEPT_S)
                except BadRequestError:
                    if pause_s is None:
                        raise
                    await asyncio.sleep(pause_s)
                    continue
            return

    async def publish(self, body: bytes) -> None:
        """Come back when the server has kept the message."""
        await self._broker.publish(body, self._stream, stream=self._stream, timeout=PATIENCE_S)

    async def consume(self, group: str, on_bodies: OnBodies) -> None:
        """Pull batches of messages."""

        async def work(bodies: list[object]) -> None:
            await on_bodies(bodies)

        self._subscriber = self._broker.subscriber(
            self._stream,
            stream=JStream(self._stream, declare=False),
            durable=group,
            pull_sub=PullSub(batch_size=MAX_MESSAGES, timeout=WAIT_S, batch=True),
            config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL, ack_wait=REDELIVER_S),
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )
        self._subscriber(work)
        await self._subscriber.start()
        self._subscriber.subscription = _Fetching(self._subscriber.subscription)

    @property
    def is_consuming(self) -> bool:
        """Whether it pulls."""
        return self._subscriber is not None and bool(self._subscriber.running)

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._broker.stop()


async def _hold(message: Any) -> None:
    await message.in_progress()


class _Fetching:
    """A pull subscription that runs out of time with NATS' own TimeoutError alone.

    FastStream 0.7.8 knows no other one; at asyncio's, which nats-py 2 raises as well, it lets go of the messages that
    it has fetched for a batch, and the server gives them out again only when `REDELIVER_S` are over.
    """

    def __init__(self, subscription: Any) -> None:
        self._subscription = subscription

    async def fetch(self, **options: Any) -> Any:
        """Fetch messages."""
        try:
            return await self._subscription.fetch(**options)
        except TimeoutError as exc:
            raise NatsTimeoutError from exc

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subscription, name)
