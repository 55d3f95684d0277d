"""Events through a Kafka topic: a consumer group, whose offsets are committed when a batch was worked on."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from faststream import AckPolicy
from faststream.confluent import KafkaBroker, Topic

from reward_llm.feedback.intake.streams.links import MAX_MESSAGES, PATIENCE_S, WAIT_S, OnBodies

KIND: Final = "kafka"
_FETCH_MS: Final = 50
"""How long a server may wait for messages before it answers that there are none."""


class KafkaLink:
    """A `reward_llm.feedback.intake.streams.links.Link`.

    Args:
        servers: Some of the cluster's servers, such as host:9092,other:9092.
        topic: The topic's name.
    """

    def __init__(self, servers: str, *, topic: str) -> None:
        self._topic = topic
        self._broker = KafkaBroker(
            servers.split(","),
            logger=None,
            apply_types=False,
            graceful_timeout=PATIENCE_S,
            config={"delivery.timeout.ms": round(PATIENCE_S * 1_000)},
        )
        self._subscriber: Any = None

    async def connect(self) -> None:
        """Connect; the topic comes with its first message, or is made by whoever runs the cluster."""
        async with asyncio.timeout(PATIENCE_S):
            await self._broker.start()

    async def publish(self, body: bytes) -> None:
        """Come back when the cluster has kept the message."""
        await self._broker.publish(body, self._topic)

    async def consume(self, group: str, on_bodies: OnBodies) -> None:
        """Poll batches of messages."""

        async def work(bodies: list[object]) -> None:
            await on_bodies(bodies)

        self._subscriber = self._broker.subscriber(
            Topic(self._topic, declare=False),
            group_id=group,
            batch=True,
            max_records=MAX_MESSAGES,
            polling_interval=WAIT_S,
            fetch_max_wait_ms=_FETCH_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
        )
        self._subscriber(work)
        await self._subscriber.start()

    @property
    def is_consuming(self) -> bool:
        """Whether it polls."""
        return self._subscriber is not None and bool(self._subscriber.running)

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._broker.stop()
