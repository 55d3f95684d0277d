from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from tests.faults import http_answer
from tests.network import FaultyProxy

BODY = b"x" * 2_000
SOON_S = 0.3
"""How long nothing must happen for a test to believe that it doesn't."""


@asynccontextmanager
async def backend(name: str, port: int = 0) -> AsyncIterator[int]:
    """Answers GET with its name, POST with the body that came, and /stream with a line every 20 ms."""
    open_ones: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
                said = await reader.readexactly(length) if length else name.encode()
                if head.startswith("get /stream"):
                    await stream(writer)
                writer.write(http_answer(200, said).replace(b"connection: close", b"connection: keep-alive"))
                await writer.drain()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(open_ones):
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)


async def stream(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
    while True:
        writer.write(b"data: now\n\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.fixture
async def proxy() -> AsyncIterator[FaultyProxy]:
    async with backend("one") as port:
        with FaultyProxy(port) as made:
            yield made


@pytest.fixture
async def http(proxy) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=proxy.url, timeout=10, trust_env=False) as client:
        yield client


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the proxy runs in another thread
            await asyncio.sleep(0.01)


async def is_stuck(request) -> bool:
    """Whether a request has no answer after a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SOON_S):
            await request
        return False
    return True


async def test_requests_and_their_bodies_pass_and_are_counted(proxy, http):
    assert (await http.get("/a?b=c")).text == "one"
    assert (await http.post("/echo", content=BODY * 100)).content == BODY * 100
    assert (await http.get("/d")).text == "one"
    assert [(r.method, r.target) for r in proxy.requests] == [("GET", "/a?b=c"), ("POST", "/echo"), ("GET", "/d")]
    assert len(proxy.connections) == 1
    assert proxy.requests[0].at_s <= proxy.requests[1].at_s <= time.monotonic()


async def test_connections_go_to_the_backends_in_turn_and_past_one_that_is_gone():
    async with backend("one") as one, backend("two") as two:
        with FaultyProxy(one, two) as proxy:
            async with httpx.AsyncClient(
                base_url=proxy.url, trust_env=False, headers={"Connection": "close"}
            ) as http:
                said = [(await http.get("/")).text for _ in range(4)]
                assert sorted(said[:2]) == ["one", "two"]
                assert said[:2] == said[2:]
                proxy.point_to(two, _closed())
                assert {(await http.get("/")).text for _ in range(4)} == {"two"}


def _closed() -> int:
    with FaultyProxy() as proxy:
        return proxy.port


async def test_with_no_backend_there_a_connection_is_reset():
    with FaultyProxy(_closed()) as proxy:
        async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as http:
            with pytest.raises(httpx.NetworkError):
                await http.get("/")
        assert len(proxy.connections) == 1


async def test_while_it_refuses_nobody_connects_and_open_connections_go_on(proxy, http):
    await http.get("/")
    with proxy.suffering(refuse=True):
        assert (await http.get("/")).text == "one"
        async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as other:
            for _ in range(20):
                with pytest.raises(httpx.ConnectError):
                    await other.get("/")
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as other:
        assert (await other.get("/")).text == "one"


async def test_a_reset_breaks_a_stream_and_a_cut_ends_it(proxy, http):
    async with http.stream("GET", "/stream") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "data: now"
        proxy.reset()
        with pytest.raises(httpx.ReadError):
            _ = [line async for line in lines]
    async with http.stream("GET", "/stream") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "data: now"
        proxy.cut()
        _ = [line async for line in lines]
    await until(lambda: proxy.open == 0)


async def test_silence_holds_connections_old_and_new_and_lets_them_go_on_afterwards(proxy, http):
    await http.get("/")
    with proxy.suffering(silent=True):
        asked = asyncio.ensure_future(http.get("/old"))
        async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as other:
            assert await is_stuck(other.get("/new"))
        assert not asked.done()
    assert (await asked).text == "one"


async def test_a_frozen_connection_stays_so_while_new_ones_work(proxy, http):
    await http.get("/")
    proxy.freeze()
    proxy.heal()
    asked = asyncio.ensure_future(http.get("/old"))
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as other:
        assert (await other.get("/new")).text == "one"
    assert await is_stuck(asyncio.shield(asked))
    asked.cancel()
    assert proxy.open >= 1


async def test_a_frozen_stream_says_nothing_more_and_doesnt_end(proxy, http):
    async with http.stream("GET", "/stream") as answer:
        lines = answer.aiter_lines()
        assert await anext(lines) == "data: now"
        proxy.freeze()

        async def rest() -> None:
            _ = [line async for line in lines]

        assert await is_stuck(rest())


async def test_a_slow_connection_passes_so_many_bytes_a_second_and_waits_before_each_piece(proxy, http):
    await http.get("/")
    began = time.monotonic()
    with proxy.suffering(bytes_per_s=10_000.0):
        assert (await http.post("/", content=BODY)).content == BODY
    assert time.monotonic() - began > len(BODY) / 10_000
    began = time.monotonic()
    with proxy.suffering(latency_s=0.1):
        await http.get("/")
    assert time.monotonic() - began > 0.2


async def test_a_request_is_answered_without_the_backend(proxy, http):
    with proxy.suffering(answer=http_answer(500, b"oh", "Retry-After: 3")):
        answer = await http.get("/")
        assert (answer.status_code, answer.text, answer.headers["Retry-After"]) == (500, "oh", "3")
    with proxy.suffering(answer=b"\0\1\2 nonsense\r\n\r\n"), pytest.raises(httpx.RemoteProtocolError):
        await http.get("/")
    with proxy.suffering(answer=b""), pytest.raises(httpx.RemoteProtocolError):
        await http.get("/")
    assert (await http.get("/")).text == "one"
    assert len(proxy.requests) == 4


async def test_an_open_connections_next_request_is_answered_without_the_backend(proxy, http):
    await http.get("/")
    with proxy.suffering(answer=http_answer(500)):
        assert (await http.get("/")).status_code == 500


async def test_an_answer_is_truncated(proxy, http):
    with proxy.suffering(truncate_after=100), pytest.raises(httpx.RemoteProtocolError):
        await http.post("/", content=BODY)
    assert (await http.post("/", content=BODY)).content == BODY


async def test_an_answer_is_rewritten(proxy, http):
    with proxy.suffering(rewrite=lambda data: data.replace(b"one", b"two")):
        assert (await http.get("/")).text == "two"
    assert (await http.get("/")).text == "one"


async def test_its_port_is_its_own_while_nothing_listens(proxy):
    with proxy.suffering(refuse=True), pytest.raises(OSError, match="in use"):
        await asyncio.start_server(lambda *_: None, "127.0.0.1", proxy.port)
