from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from structlog.testing import capture_logs

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from tests.api.harness import EDIT, Desk, Setup, assert_problem

SMALL = EdgeConfig(body_cap_bytes=70_000, body_timeout_s=0.2)


async def pieces(count: int, size: int = 1_000) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_header_fields_have_a_limit(desk: Desk) -> None:
    response = await desk.client.get("/livez", headers={"X-Long": "x" * 16_384})
    assert_problem(response, 431, "headers_too_large")
    many = {f"X-{i}": "x" * 10 for i in range(1_000)}
    assert_problem(await desk.client.get("/v1/policies", headers=many), 431, "headers_too_large")
    assert (await desk.client.get("/livez", headers={"X-Long": "x" * 8_000})).status_code == 200


async def test_an_address_counts_as_much_as_header_fields_and_isnt_logged_whole(desk: Desk) -> None:
    with capture_logs() as lines:
        assert_problem(await desk.client.get("/" + "a." * 8_192), 431, "headers_too_large")
        assert_problem(await desk.client.get("/livez?" + "a." * 8_192), 431, "headers_too_large")
    assert max(len(line["path"]) for line in lines if line["event"] == "request") < 1_000


async def test_a_length_that_no_number_holds_is_too_large(desk: Desk) -> None:
    response = await desk.client.post("/v1/goals", content=b"{}", headers={"Content-Length": "9" * 5_000})
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/goals"), ("GET", "/v1/policies"), ("POST", "/v1/sign-out")]
)
async def test_a_body_that_says_how_large_it_is_isnt_read(setup: Setup, method: str, path: str) -> None:
    async with setup.start(config=ApiConfig(edge=SMALL)) as desk:
        response = await desk.client.request(method, path, content=b"x" * 70_001)
        assert_problem(response, 413, "body_too_large")
        assert response.headers["connection"] == "close"
        assert await desk.actions() == []


async def test_a_body_without_end_is_cut_off(setup: Setup) -> None:
    async with setup.start(config=ApiConfig(edge=SMALL, body_limit_bytes=10**9)) as desk:
        response = await desk.client.post("/v1/goals", content=pieces(1_000))
        assert_problem(response, 413, "body_too_large")


async def test_a_route_that_reads_no_body_closes_the_connection(desk: Desk) -> None:
    response = await desk.client.request("GET", "/v1/policies", content=pieces(3))
    assert (response.status_code, response.headers["connection"]) == (200, "close")
    response = await desk.client.post("/v1/policies", json=EDIT)
    assert (response.status_code, "connection" in response.headers) == (201, False)


async def test_a_body_that_doesnt_arrive_is_given_up(setup: Setup) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async with setup.start(config=ApiConfig(edge=SMALL)) as desk:
        response = await desk.client.post("/v1/goals", content=slow())
        assert_problem(response, 408, "body_too_slow")
        assert await desk.actions() == []


async def test_a_body_that_trickles_in_is_given_up_as_well(setup: Setup) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async with setup.start(config=ApiConfig(edge=SMALL)) as desk:
        assert_problem(await desk.client.post("/v1/goals", content=trickle()), 408, "body_too_slow")


@asynccontextmanager
async def listening(desk: Desk, port: int) -> AsyncIterator[None]:
    config = uvicorn.Config(desk.app, port=port, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done()
            await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await serving


async def test_over_a_real_connection_a_slow_sender_gets_an_answer_and_is_hung_up_on(
    setup: Setup, unused_tcp_port: int
) -> None:
    async with setup.start(config=ApiConfig(edge=SMALL)) as desk, listening(desk, unused_tcp_port):
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"POST /v1/goals HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "body_too_slow"


async def test_over_a_real_connection_others_are_served_meanwhile(setup: Setup, unused_tcp_port: int) -> None:
    config = ApiConfig(edge=EdgeConfig(body_timeout_s=600))
    async with setup.start(config=config) as desk, listening(desk, unused_tcp_port):
        _, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port)
        writer.write(b"POST /v1/goals HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{")
        await writer.drain()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}", trust_env=False) as client:
            assert (await client.post("/v1/policies", json=EDIT)).status_code == 201
        writer.close()
