"""Changes of what is served, told through Redis: publish and subscribe.

A message is sent after the commit and may be lost, which costs the time until the others look by themselves. It says
no more than that there is something new, so it is never wrong.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from reward_llm.domain.ports.feed import BEAT_S
from reward_llm.errors import ConfigurationInvalid

KIND: Final = "redis"
_CONNECT_S: Final = 5.0
_OWN_BYTES: Final = 8
_URL_HINT: Final = "Such as redis://host:6379/0, or rediss://user:password@host:6379/0 over TLS."


class RedisSource:
    """A `reward_llm.domain.ports.FeedSource` over a Redis server.

    Args:
        url: Names the server; it may hold a password, and is told nobody.
        channel: The prefix of the channels, which all processes on one database have in common and no others.
        beat_s: How often it publishes to itself, in seconds.

    Raises:
        ConfigurationInvalid: If the URL can't be used.
    """

    def __init__(self, url: str, *, channel: str, beat_s: float = BEAT_S) -> None:
        self._url = url
        self._beat_s = beat_s
        self._channel = f"{channel}:changes"
        self._name = f"reward-llm:{channel}"
        self._own_channel = f"{channel}:beats:{secrets.token_hex(_OWN_BYTES)}"
        self._untold: int | None = None
        self._told = asyncio.Event()
        self._client()

    @property
    def kind(self) -> str:
        """What it listens to."""
        return KIND

    async def listen(self, on_change: Callable[[], None], on_beat: Callable[[], None]) -> None:
        """Connect and listen until the connection is lost; beats are published like changes are."""
        client = self._client()
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as heard, asyncio.TaskGroup() as tasks:
                await heard.subscribe(self._channel, self._own_channel)
                tasks.create_task(self._hear(heard, on_change, on_beat))
                tasks.create_task(self._beat(client))
                tasks.create_task(self._tell(client))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await client.aclose()

    async def announce(self, revision: int) -> None:
        """Tell the others as soon as there is a connection; of several changes the last is enough."""
        self._untold = revision
        self._told.set()

    async def _hear(self, heard: PubSub, on_change: Callable[[], None], on_beat: Callable[[], None]) -> None:
        own = self._own_channel.encode()
        while True:
            message: dict[str, Any] | None = await heard.get_message(timeout=None)
            if message is not None:
                (on_beat if message["channel"] == own else on_change)()

    async def _beat(self, client: Redis) -> None:
        while True:
            await client.publish(self._own_channel, b"")
            await asyncio.sleep(self._beat_s)

    async def _tell(self, client: Redis) -> None:
        while True:
            await self._told.wait()
            revision = self._untold
            await client.publish(self._channel, str(revision))
            if self._untold == revision:
                self._told.clear()

    def _client(self) -> Redis:
        """A client that connects when it is used, and leaves trying again to who keeps the feed up.

        It has no `socket_timeout` either: with one, redis-py sends through `asyncio.wait_for`, which in Python 3.11
        may swallow a cancellation, and the feed would never end. Who keeps it up notices the silence.
        """
        try:
            return Redis.from_url(
                self._url,
                socket_connect_timeout=_CONNECT_S,
                socket_timeout=None,
                retry=Retry(NoBackoff(), 0),
                client_name=self._name,
            )
        except ValueError:
            raise ConfigurationInvalid("the Redis URL can't be used", hint=_URL_HINT) from None
