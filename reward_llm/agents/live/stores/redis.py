"""The agents' state in Redis.

    PREFIX:SCENARIO:u:USER  a hash: v the version, s what has settled, e:ID each event since then
    PREFIX:SCENARIO:i:ITEM  a hash: v the version, and every count

Each user is written by one script, which does nothing if another process has written the user since it was read; the
scripts of a batch, and what is read for a decision, are one round trip. A script's keys may lie anywhere, so this is
for one server and its replicas, not for Redis Cluster.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from reward_llm.agents.live.counts import Counts
from reward_llm.agents.live.stores import Changed, UserRecord, UserWrite, Versions
from reward_llm.errors import ConfigurationInvalid, EventsUnavailable

_TIMEOUT_S: Final = 5.0
_EVENT: Final = "e:"
_URL_HINT: Final = "Such as redis://host:6379/0, or rediss://user:password@host:6379/0 over TLS."
_AWAY_HINT: Final = "Look whether the server at REWARD_LLM_REDIS_URL runs and has memory left."

_WRITE: Final = """
local held = tonumber(redis.call('HGET', KEYS[1], 'v') or '0')
if held ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'v', held + 1)
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 's', ARGV[3]) end
local last = 5 + 2 * tonumber(ARGV[4])
for n = 6, last, 2 do redis.call('HSET', KEYS[1], ARGV[n], ARGV[n + 1]) end
local first = last + 1
last = last + tonumber(ARGV[5])
for n = first, last do redis.call('HDEL', KEYS[1], ARGV[n]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
for n = last + 1, #ARGV, 3 do
  redis.call('HINCRBY', KEYS[tonumber(ARGV[n])], ARGV[n + 1], ARGV[n + 2])
end
for n = 2, #KEYS do
  redis.call('HINCRBY', KEYS[n], 'v', 1)
  redis.call('EXPIRE', KEYS[n], ARGV[2])
end
return 1
"""
_CHANGED: Final = """
local found = {}
for n, key in ipairs(KEYS) do
  local held = redis.call('HGET', key, 'v') or '0'
  if held == ARGV[n] then found[n] = false else found[n] = redis.call('HGETALL', key) end
end
return found
"""
_PUBLISH: Final = """
for n, key in ipairs(KEYS) do
  local held = redis.call('HGET', key, 'published_ms')
  if not held or tonumber(ARGV[n + 1]) < tonumber(held) then
    redis.call('HSET', key, 'published_ms', ARGV[n + 1])
    redis.call('HINCRBY', key, 'v', 1)
    redis.call('EXPIRE', key, ARGV[1])
  end
end
"""


class RedisStates:
    """A `reward_llm.agents.live.stores.StateStore` that all processes share.

    Args:
        url: Names the server; it may hold a password, and is told nobody.
        prefix: What all keys begin with.
        kept_s: How long a user or an item is kept after the last change, in seconds.

    Raises:
        ConfigurationInvalid: If the URL can't be used.
    """

    def __init__(self, url: str, *, prefix: str, kept_s: int) -> None:
        try:
            self._client = Redis.from_url(
                url,
                socket_connect_timeout=_TIMEOUT_S,
                socket_timeout=_TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError:
            raise ConfigurationInvalid("the Redis URL can't be used", hint=_URL_HINT) from None
        self._prefix = prefix
        self._kept_s = kept_s
        self._hashes: dict[str, str] = {}

    async def changed(self, scenario: str, users: Versions, items: Versions) -> Changed:
        """What has another version."""
        keys = [*(self._user(scenario, u) for u in users), *(self._item(scenario, i) for i in items)]
        versions = [str(v) for v in (*users.values(), *items.values())]
        if not keys:
            return Changed(users={}, items={})
        (found,) = await self._run(_CHANGED, [(keys, versions)])
        hashes = [None if flat is None else dict(zip(flat[::2], flat[1::2], strict=True)) for flat in found]
        of_users = zip(users, hashes[: len(users)], strict=True)
        of_items = zip(items, hashes[len(users) :], strict=True)
        return Changed(
            users={name: _known_user(h) for name, h in of_users if h is not None},
            items={name: _known_item(h) for name, h in of_items if h is not None},
        )

    async def write(self, scenario: str, writes: Sequence[UserWrite]) -> list[bool]:
        """Write those that have the version that was read."""
        return [done == 1 for done in await self._run(_WRITE, [self._arguments(scenario, w) for w in writes])]

    async def publish(self, scenario: str, published_ms: Mapping[str, int]) -> None:
        """Note when items were published."""
        if published_ms:
            keys = [self._item(scenario, item) for item in published_ms]
            await self._run(_PUBLISH, [(keys, [self._kept_s, *published_ms.values()])])

    async def aclose(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    def _arguments(self, scenario: str, write: UserWrite) -> tuple[list[str], list[Any]]:
        keys = [self._user(scenario, write.user), *(self._item(scenario, item) for item in write.additions)]
        arguments: list[Any] = [
            write.version,
            self._kept_s,
            write.settled or "",
            len(write.added),
            len(write.removed),
        ]
        for event_id, text in write.added.items():
            arguments += [_EVENT + event_id, text]
        arguments += [_EVENT + event_id for event_id in write.removed]
        for place, added in enumerate(write.additions.values(), start=2):
            for name, number in added.items():
                arguments += [place, name, number]
        return keys, arguments

    async def _run(self, script: str, calls: Sequence[tuple[list[str], list[Any]]]) -> list[Any]:
        """Run a script several times in one round trip; again where the server has forgotten it."""
        async with _translated():
            if script not in self._hashes:
                self._hashes[script] = await self._client.script_load(script)
            try:
                return await self._pipelined(script, calls)
            except NoScriptError:
                self._hashes[script] = await self._client.script_load(script)
                return await self._pipelined(script, calls)

    async def _pipelined(self, script: str, calls: Sequence[tuple[list[str], list[Any]]]) -> list[Any]:
        async with self._client.pipeline(transaction=False) as pipe:
            for keys, arguments in calls:
                pipe.evalsha(self._hashes[script], len(keys), *keys, *arguments)
            return list(await pipe.execute())

    def _user(self, scenario: str, user: str) -> str:
        return f"{self._prefix}:{scenario}:u:{user}"

    def _item(self, scenario: str, item: str) -> str:
        return f"{self._prefix}:{scenario}:i:{item}"


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError) as exc:
        raise EventsUnavailable(f"the agents' state can't be reached: {type(exc).__name__}", hint=_AWAY_HINT) from exc


def _known_user(found: Mapping[bytes, bytes]) -> tuple[int, UserRecord]:
    texts = {name.decode(): value.decode() for name, value in found.items()}
    recent = {name.removeprefix(_EVENT): text for name, text in texts.items() if name.startswith(_EVENT)}
    return int(texts.get("v", 0)), UserRecord(settled=texts.get("s"), recent=recent)


def _known_item(found: Mapping[bytes, bytes]) -> tuple[int, Counts]:
    numbers = {name.decode(): int(number) for name, number in found.items()}
    return numbers.get("v", 0), Counts.read(numbers)
