"""Clients and readers behind one address, while activations are made through two servers in turn.

    writer ─► server 0, server 1, …              in turn, past the proxy
    clients, readers ─► proxy ─► servers         connections kept, and one a request

Each reader's sights go to a `Watcher`; what it says is what the soak finds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from reward_llm.delivery.sdk import AsyncWeightsClient, ClientConfig, Weights, WeightsClient
from tests.live.delivery.fleet import Fleet
from tests.live.delivery.watching import GAP, Ledger, Sight, Watcher
from tests.live.delivery.writing import LOOKUP, SCENARIO, SNAPSHOT, edit, policy_of

_POLICIES: Final = 40
"""That are put into force in turn, in each of the two scopes."""
_SEGMENT: Final = "new_user"
_SEGMENTS: Final = (None, _SEGMENT, "mature_user")
_SEGMENT_EVERY: Final = 4
"""One activation of so many is of the segment's own."""
_UNITS: Final = (None, "u1", "u2")
_READY_S: Final = 60.0
_SYNC_EVERY: Final = 5
"""One client of so many has a thread of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakConfig:
    """How long, and how much."""

    seconds: float = 600.0
    clients: int = 20
    readers: int = 4
    """Without the client library, half of which keep their connection."""
    activation_every_s: float = 1.0
    """From the moment that one is asked for to that of the next, however long it takes."""
    look_every_s: float = 0.05
    restarts: int = 2
    """0 to 2: one server is killed after a third of the time, another is stopped after two; both start again."""


@dataclass(slots=True)
class Soaked:
    """What came of it."""

    ledger: Ledger = field(default_factory=Ledger)
    seconds: float = 0.0
    asked: int = 0
    """Activations that were asked for, one in each turn."""
    latest_s: float = 0.0
    """How much later than in its turn one was asked for, at most."""
    restarts: int = 0
    interrupted: int = 0
    """Requests of readers and the writer that a restart broke off."""
    went_back_for_readers: int = 0
    """Answers to plain readers that were older than what they had seen and asked for, from a server behind."""
    oldest_s: float = 0.0
    """The greatest age that any client had."""
    changes: int = 0
    """That clients were told of."""
    carried: int = 0
    """Of these, how many came with their notices."""

    def as_dict(self) -> dict[str, Any]:
        ledger = self.ledger
        return {
            "seconds": round(self.seconds, 1),
            "activations_asked": self.asked,
            "latest_s": round(self.latest_s, 3),
            "activations": len(ledger.activations),
            "carried": self.carried,
            "looks": dict(ledger.sights),
            "changes": self.changes,
            "restarts": self.restarts,
            "interrupted": self.interrupted,
            "went_back_for_readers": self.went_back_for_readers,
            "oldest_s": round(self.oldest_s, 3),
            "violations": dict(ledger.violations),
            "examples": ledger.examples,
        }


Progress = Callable[[float], None]
"""Told the seconds that have passed."""


class Soak:
    """One run over a fleet."""

    def __init__(self, fleet: Fleet, config: SoakConfig, progress: Progress = lambda _: None) -> None:
        self._fleet = fleet
        self._config = config
        self._progress = progress
        self._restarting = False
        self.result = Soaked()

    async def run(self) -> Soaked:
        """Soak, and say what was seen."""
        ledger, config = self.result.ledger, self._config
        policies = await self._prepare()
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(self._client(number)) for number in range(config.clients)]
            began = time.monotonic()
            work = [self._write(policies), self._look(clients)]
            work += [self._read(number, keep=number % 2 == 0) for number in range(config.readers)]
            work += [self._restart()] if config.restarts else []
            await self._for_a_while(work)
            self.result.seconds = time.monotonic() - began
            self.result.carried = sum(client.health().carried for client, _ in clients)
        ledger.settle()
        return self.result

    async def _for_a_while(self, work: list[Coroutine[Any, Any, None]]) -> None:
        """All of the work until the time is over; whatever fails in between fails the run."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(w) for w in work]
            while (passed := time.monotonic() - began) < self._config.seconds or self._restarting:
                self._progress(passed)
                await asyncio.sleep(0.2)
            for task in tasks:
                task.cancel()

    async def _prepare(self) -> dict[str | None, list[str]]:
        """Policies of both scopes, one of each in force and served by every server."""
        made: dict[str | None, list[str]] = {None: [], _SEGMENT: []}
        async with self._http(self._fleet.url_of(0)) as http:
            for scope, policy_ids in made.items():
                for step in range(1, _POLICIES + 1):
                    answer = await http.post("/v1/policies", json=edit(step, scope))
                    policy_ids.append(self.result.ledger.add(policy_of(answer)).policy_id)
                await self._activate(http, policy_ids[0])
            revision = int((await http.get(LOOKUP)).headers["Weights-Revision"])
        for number in self._fleet.servers:
            await self._caught_up(number, revision)
        return made

    async def _caught_up(self, number: int, revision: int) -> None:
        async with self._http(self._fleet.url_of(number)) as http, asyncio.timeout(_READY_S):
            while int((await http.get(LOOKUP)).headers["Weights-Revision"]) < revision:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def _client(self, number: int) -> AsyncIterator[tuple[AsyncWeightsClient | WeightsClient, Watcher]]:
        revisions = Watcher(f"notices {number}", self.result.ledger)

        def changed(change: Any) -> None:
            self.result.changes += 1
            if change.old_revision is not None and change.new_revision < change.old_revision:
                revisions.ledger.violated("back", revisions.who, f"were of {change}")

        config = ClientConfig(on_change=changed)
        watcher = Watcher(f"client {number}", self.result.ledger)
        if number % _SYNC_EVERY == 0:
            with WeightsClient(self._fleet.url, config) as threaded:
                if not await asyncio.to_thread(threaded.wait_ready, _READY_S):
                    watcher.ledger.violated(GAP, watcher.who, f"never got ready: {threaded.health()}")
                yield threaded, watcher
        else:
            async with AsyncWeightsClient(self._fleet.url, config) as client:
                if not await client.wait_ready(_READY_S):
                    watcher.ledger.violated(GAP, watcher.who, f"never got ready: {client.health()}")
                yield client, watcher

    async def _look(self, clients: list[tuple[AsyncWeightsClient | WeightsClient, Watcher]]) -> None:
        for turn in count():
            for client, watcher in clients:
                for segment in _SEGMENTS:
                    weights = client.weights(SCENARIO, segment, _UNITS[turn % len(_UNITS)])
                    watcher.check(weights and _sight(weights))
                    if weights is not None:
                        self.result.oldest_s = max(self.result.oldest_s, weights.age_s)
            await asyncio.sleep(self._config.look_every_s)

    async def _write(self, policies: dict[str | None, list[str]]) -> None:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for turn in count(1):
                policy_ids = policies[_SEGMENT if turn % _SEGMENT_EVERY == 0 else None]
                due = began + (turn - 1) * self._config.activation_every_s
                await asyncio.sleep(due - time.monotonic())
                self.result.latest_s = max(self.result.latest_s, time.monotonic() - due)
                self.result.asked += 1
                group.create_task(self._write_one(turn, policy_ids[turn % len(policy_ids)]))

    async def _write_one(self, turn: int, policy_id: str) -> None:
        servers = tuple(self._fleet.servers)
        async with self._http(self._fleet.url_of(servers[turn % len(servers)])) as http:
            try:
                await self._activate(http, policy_id)
            except httpx.TransportError:
                self._interrupted("writer")

    async def _activate(self, http: httpx.AsyncClient, policy_id: str) -> None:
        answer = await http.post(f"/v1/policies/{policy_id}/activation", json={})
        self.result.ledger.activations[answer.raise_for_status().json()["sequence"]] = policy_id

    async def _read(self, number: int, *, keep: bool) -> None:
        reader = _Reader(number, self.result, keep=keep)
        async with self._http(self._fleet.url, keep=keep) as http:
            while True:
                try:
                    await reader.read(http)
                except httpx.TransportError:
                    self._interrupted(reader.watcher.who)
                await asyncio.sleep(self._config.look_every_s)

    async def _restart(self) -> None:
        began = time.monotonic()
        for number, kill in ((0, True), (1, False))[: self._config.restarts]:
            await asyncio.sleep(began + (number + 1) * self._config.seconds / 3 - time.monotonic())
            self._restarting = True
            await self._fleet.restart(number, kill=kill)
            await asyncio.sleep(1.0)
            self._restarting = False
            self.result.restarts += 1

    def _interrupted(self, who: str) -> None:
        self.result.interrupted += 1
        if not self._restarting:
            self.result.ledger.violated(GAP, who, "got no answer although nothing was restarted")

    def _http(self, url: str, *, keep: bool = True) -> httpx.AsyncClient:
        headers = {} if keep else {"Connection": "close"}
        return httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, headers=headers)


class _Reader:
    """Asks for weights as any HTTP client may."""

    def __init__(self, number: int, result: Soaked, *, keep: bool) -> None:
        self.watcher = Watcher(f"{'kept' if keep else 'single'} {number}", result.ledger)
        self._result = result
        self._etags: dict[str, str] = {}
        self._turn = 0
        self._connection: Any = None
        self._newest = 0

    async def read(self, http: httpx.AsyncClient) -> None:
        """One request: a lookup or a snapshot, sometimes on condition."""
        self._turn += 1
        path = (LOOKUP, SNAPSHOT, f"{LOOKUP}?segment={_SEGMENT}")[self._turn % 3]
        headers = {"Weights-At-Least": str(self._newest)}
        if self._turn % 2 and path in self._etags:
            headers["If-None-Match"] = self._etags[path]
        answer = await http.get(path, headers=headers)
        self._meet(answer)
        self._etags[path] = answer.headers["ETag"]
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return
        revision, stale = self._newest_of(answer), answer.headers["Weights-Stale"] == "true"
        body = answer.raise_for_status().json()
        for item in body.get("items", [body]):
            if item["scenario"] == SCENARIO:
                self.watcher.check(Sight.of_body(item, revision, stale=stale))

    def _meet(self, answer: httpx.Response) -> None:
        """Another connection may lead to another server, which may be a little behind."""
        connection = answer.extensions["network_stream"]
        if connection is not self._connection:
            self._connection = connection
            self.watcher.forget()

    def _newest_of(self, answer: httpx.Response) -> int:
        revision = int(answer.headers["Weights-Revision"])
        self._result.went_back_for_readers += revision < self._newest
        self._newest = max(self._newest, revision)
        return revision


def _sight(weights: Weights) -> Sight:
    return Sight(
        segment=weights.segment,
        revision=weights.revision,
        policy_id=weights.policy_id,
        version=weights.version,
        weights=weights.weights,
        vector=weights.vector,
        activation=weights.rollout.activation if weights.rollout else None,
        stale=weights.stale,
    )
