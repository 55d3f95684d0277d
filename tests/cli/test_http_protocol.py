"""Heads over real sockets, to uvicorn as `serve` runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from reward_llm.cli import http_protocol
from reward_llm.cli.http_protocol import MAX_HEAD_BYTES, LimitedHeads

JUST_TOO_MUCH = MAX_HEAD_BYTES // 1_000 + 1
"""Parts of 1,000 bytes; what came after these would have the connection reset, and perhaps no answer read."""
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hello(scope: Any, receive: Any, send: Any) -> None:
    body = bytearray()
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    fields = len(scope["headers"])
    await send({"type": "http.response.start", "status": 200, "headers": [(b"fields", b"%d" % fields)]})
    await send({"type": "http.response.body", "body": bytes(body)})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(hello, port=0, http=LimitedHeads, lifespan="off", log_level="critical", ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def connected(port: int) -> Connection:
    return await asyncio.open_connection("127.0.0.1", port)


async def answer(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection is closed."""
    return await asyncio.wait_for(reader.read(), 30)


async def sent(writer: asyncio.StreamWriter, *parts: bytes) -> None:
    """Send the parts one by one; the other side may have given up."""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.001)
    except ConnectionError:
        pass


async def test_requests_are_answered_one_after_another(port: int) -> None:
    reader, writer = await connected(port)
    for _ in range(3):
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        assert head.startswith(b"HTTP/1.1 200")
        assert b"abc" in await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 30)
    writer.close()


@pytest.mark.parametrize(
    "endless",
    [b"X: " + b"x" * 1_000 + b"\r\n", b"x" * 1_000],
    ids=["fields", "a field"],
)
async def test_a_head_without_an_end_is_refused(port: int, endless: bytes) -> None:
    reader, writer = await connected(port)
    await sent(writer, b"GET / HTTP/1.1\r\nA: ", *[endless] * JUST_TOO_MUCH)
    assert (await answer(reader)).startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_an_address_without_an_end_is_refused(port: int) -> None:
    reader, writer = await connected(port)
    await sent(writer, b"GET /", *[b"x" * 1_000] * JUST_TOO_MUCH)
    assert (await answer(reader))[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 400"}
    writer.close()


async def test_a_head_that_drips_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.2)
    reader, writer = await connected(port)
    await sent(writer, b"GET / HTTP/1.1\r\n", b"a", b"b", b"c")
    assert (await answer(reader)).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_large_body_is_no_large_head(port: int) -> None:
    reader, writer = await connected(port)
    size = 4 * MAX_HEAD_BYTES
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size
    await sent(writer, head, *[b"y" * 10_000] * (size // 10_000), b"y" * (size % 10_000))
    whole = await answer(reader)
    assert whole.startswith(b"HTTP/1.1 200 ")
    assert whole.count(b"y") == size
    writer.close()


async def test_fields_after_a_body_are_no_fields_of_the_request(port: int) -> None:
    reader, writer = await connected(port)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    await sent(writer, head, b"3\r\nabc\r\n0\r\n", *[b"T: x\r\n"] * 50, b"\r\n")
    whole = await answer(reader)
    assert b"fields: 3" in whole
    writer.close()


async def test_many_requests_at_once_are_no_large_head(port: int) -> None:
    reader, writer = await connected(port)
    request, many = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100 + b"\r\n\r\n", 4_000
    last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    sending = asyncio.create_task(sent(writer, request * many + last))
    assert (await answer(reader)).count(b"HTTP/1.1 200 ") == many + 1
    await sending
    writer.close()
