"""Connections that the express answers on keep the order, the pace and the ends that uvicorn gives them."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
import uvicorn

from reward_llm.api.lane.express import MOST_BYTES, at_once, express_of
from reward_llm.cli.express_protocol import ExpressProtocol
from reward_llm.domain.serving import EncodedSnapshot
from tests.api.harness import Desk
from tests.api.lane.sockets import get, listening

HERE = "/v1/weights/home_feed"
SLOWLY_S = 1.6
KEPT_S = 1


class Slow:
    """The application, but for an address that takes longer than idle connections are kept."""

    def __init__(self, desk: Desk) -> None:
        self.state, self._app = desk.app.state, desk.app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != "/slow":
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(SLOWLY_S)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"slow"})


async def closed_after(reader: asyncio.StreamReader) -> float:
    """Seconds until the other side closes."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await asyncio.wait_for(reader.read(), 30) == b""
    return loop.time() - began


async def test_answers_come_in_the_order_of_the_requests(desk: Desk) -> None:
    async with listening(Slow(desk), ExpressProtocol) as door:
        connection = await door.connected()
        await connection.ask(get(HERE))
        connection.writer.write(get(HERE) + get("/slow") + get(HERE) + get(HERE, end="Connection: close"))
        whole = await asyncio.wait_for(connection.reader.read(), 30)
        assert re.findall(rb"\r\n\r\n(?:(slow)|\{)", whole) == [b"", b"slow", b"", b""]
        await connection.aclose()


@pytest.mark.parametrize("last", [get(HERE, end="Connection: close"), get(HERE, version="1.0")], ids=["close", "1.0"])
async def test_who_asks_for_an_end_gets_it(desk: Desk, last: bytes) -> None:
    async with listening(desk.app, ExpressProtocol) as door:
        connection = await door.connected()
        await connection.ask(get(HERE))
        assert b"\r\nconnection: close\r\n" in await connection.ask(last)
        assert await closed_after(connection.reader) < 5
        await connection.aclose()


async def test_a_slow_answer_is_waited_for_however_long_the_connection_was_idle(desk: Desk) -> None:
    async with listening(Slow(desk), ExpressProtocol, timeout_keep_alive=KEPT_S) as door:
        connection = await door.connected()
        for _ in range(2):
            await connection.ask(get(HERE))
        for request in (get(HERE) + get("/slow"), get("/slow")):
            connection.writer.write(request)
            while not (await connection.answer()).endswith(b"slow"):
                pass
        await connection.ask(get(HERE))
        await connection.aclose()


async def test_an_idle_connection_is_closed_and_one_that_asks_is_not(desk: Desk) -> None:
    async with listening(desk.app, ExpressProtocol, timeout_keep_alive=KEPT_S) as door:
        connection = await door.connected()
        for _ in range(5):
            await connection.ask(get(HERE))
            await asyncio.sleep(0.4 * KEPT_S)
        assert await closed_after(connection.reader) > 0.3 * KEPT_S
        assert door.app.requests == 1
        await connection.aclose()


async def test_a_head_that_has_begun_ends_however_it_is_cut(desk: Desk) -> None:
    async with listening(desk.app, ExpressProtocol) as door:
        connection = await door.connected()
        whole = await connection.ask(get(HERE))
        head = get(HERE)
        for cut in range(1, len(head), 7):
            connection.writer.write(head[:cut])
            await connection.writer.drain()
            await asyncio.sleep(0.01)
            again = await connection.ask(head[cut:])
            assert again.partition(b"\r\n")[0] == whole.partition(b"\r\n")[0]
            connection.writer.write(b"\r\n")
        assert door.app.requests == 1
        await connection.aclose()


async def test_a_read_that_looks_like_a_head_but_belongs_to_another_is_none(desk: Desk) -> None:
    known = get(HERE)
    begun = [
        b"GET /v1/no HTTP/1.1\r\nHost: test\r\nX: ",
        b"POST /v1/goals HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(known),
    ]
    async with listening(desk.app, ExpressProtocol) as door:
        for first in begun:
            connection = await door.connected()
            for _ in range(2):
                assert (await connection.ask(known)).startswith(b"HTTP/1.1 200")
            connection.writer.write(first)
            await connection.writer.drain()
            await asyncio.sleep(0.2)
            assert (await connection.ask(known)).startswith(b"HTTP/1.1 4")
            await connection.aclose()


async def test_requests_that_come_together_are_answered_one_by_one_each_time(desk: Desk) -> None:
    async with listening(desk.app, ExpressProtocol) as door:
        connection = await door.connected()
        await connection.ask(get(HERE))
        for _ in range(3):
            connection.writer.write(get(HERE) * 2)
            assert [(await connection.answer())[:12] for _ in range(2)] == [b"HTTP/1.1 200"] * 2
        half = get(HERE)[:20]
        for _ in range(3):
            assert (await connection.ask(get(HERE) + half)).startswith(b"HTTP/1.1 200")
            assert (await connection.ask(get(HERE)[20:])).startswith(b"HTTP/1.1 200")
        await connection.aclose()


async def test_who_does_not_read_is_not_written_to_for_ever(desk: Desk) -> None:
    asked = 20_000
    async with listening(desk.app, ExpressProtocol) as door:
        connection = await door.connected()
        await connection.ask(get(HERE))
        connection.writer.transport.pause_reading()
        connection.writer.write(get(HERE) * asked)
        await asyncio.sleep(1)
        waiting = door.protocols[0].transport.get_write_buffer_size()
        assert 0 < waiting < 4_000_000
        connection.writer.transport.resume_reading()
        for _ in range(asked):
            assert (await connection.answer()).startswith(b"HTTP/1.1 200")
        await connection.aclose()


async def test_a_large_snapshot_is_left_to_who_can_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    services = desk.app.state.context.services
    whole = await services.snapshots.snapshot(services.clock())
    much = EncodedSnapshot(etag="much", revision=0, parts=(*whole.parts, b" " * MOST_BYTES))

    async def snapshot(*_: Any) -> EncodedSnapshot:
        return much

    monkeypatch.setattr(services.snapshots, "snapshot", snapshot)
    async with listening(desk.app, ExpressProtocol) as door:
        connection = await door.connected()
        for _ in range(3):
            assert len(await connection.ask(get("/v1/weights"))) > MOST_BYTES
        assert door.app.requests == 3
        known = get("/v1/weights", "Host: test", 'If-None-Match: "much"')
        assert (await connection.ask(known)).startswith(b"HTTP/1.1 304")
        assert door.app.requests == 3
        await connection.aclose()


@pytest.mark.parametrize(
    "options", [{"access_log": True}, {"root_path": "/api"}, {"limit_concurrency": 100}], ids=lambda o: next(iter(o))
)
async def test_where_uvicorn_does_more_it_does_all(desk: Desk, options: dict[str, Any]) -> None:
    async with listening(desk.app, ExpressProtocol, **options) as door:
        connection = await door.connected()
        for _ in range(3):
            await connection.ask(get(HERE))
        assert door.app.requests == 3
        await connection.aclose()


async def test_the_date_is_told_and_a_server_that_stops_closes_what_is_idle(desk: Desk) -> None:
    config = uvicorn.Config(desk.app, port=0, http=ExpressProtocol, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    dates = set()
    for _ in range(25):
        writer.write(get(HERE))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
        dates.update(re.findall(rb"\r\ndate: ([^\r]+ GMT)\r\n", head))
        await asyncio.sleep(0.1)
    assert len(dates) > 1
    server.should_exit = True
    await asyncio.wait_for(serving, 30)
    assert await closed_after(reader) < 5
    writer.close()


async def test_a_crash_is_left_to_the_application(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(desk.app, ExpressProtocol) as door:
        connection = await door.connected()
        for _ in range(2):
            await connection.ask(get(HERE))

        def crash(*_: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(desk.board, "lookup", crash)
        assert (await connection.ask(get(HERE))).startswith(b"HTTP/1.1 500")
        await connection.aclose()
        monkeypatch.undo()
        connection = await door.connected()
        assert (await connection.ask(get(HERE))).startswith(b"HTTP/1.1 200")
        await connection.aclose()


async def test_what_must_wait_is_given_up_and_leaves_nothing_locked() -> None:
    lock = asyncio.Lock()

    async def locked() -> int:
        async with lock:
            await asyncio.sleep(0)
            return 1

    async def value() -> int:
        async with lock:
            return 2

    assert at_once(locked()) is None
    assert not lock.locked()
    assert at_once(value()) == 2
    await lock.acquire()
    assert at_once(value()) is None
    lock.release()
    assert await value() == 2


def test_an_application_without_a_lane_has_no_express(desk: Desk) -> None:
    async def hello(*_: Any) -> None: ...

    assert express_of(hello) is None
    assert express_of(desk.app) is express_of(desk.app)
