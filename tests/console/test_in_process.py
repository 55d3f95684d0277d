"""The way from the pages to the interface: what passes, and that it comes as it is made."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from reward_llm.console.client import ApiClient
from reward_llm.console.in_process import InProcess
from reward_llm.errors import ServiceRefused


def visit(**headers: str) -> Request:
    """A browser's request, as the pages get it."""
    raw = [(k.replace("_", "-").encode(), v.encode()) for k, v in {"host": "feed.example", **headers}.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw, "scheme": "http"}
    return Request({**scope, "client": ("203.0.113.9", 4000), "server": ("feed.example", 80)})


class Answering:
    """An interface that answers one thing, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: bytes = b"{}", kind: str = "application/json") -> None:
        self.answer = (status, body, kind)
        self.scope: Scope = {}
        self.body = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.body = scope, (await receive())["body"]
        status, body, kind = self.answer
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind.encode())]})
        await send({"type": "http.response.body", "body": body})

    @property
    def headers(self) -> dict[str, str]:
        return {k.decode(): v.decode() for k, v in self.scope["headers"]}


async def test_the_interface_learns_who_asks_from_where_and_from_which_page() -> None:
    interface = Answering()
    passed = {"cookie": "reward_llm_session=s", "origin": "http://feed.example", "sec_fetch_site": "same-origin"}
    await ApiClient(InProcess(interface), visit(**passed, accept="x")).post(
        "/v1/goals", {"text": "提升"}, key="k1", if_match='"e"'
    )
    assert interface.scope["client"] == ("203.0.113.9", 4000)
    expected = {name.replace("_", "-"): value for name, value in passed.items()}
    expected |= {"host": "feed.example", "idempotency-key": "k1", "if-match": '"e"'}
    assert interface.headers.items() >= expected.items()
    assert interface.body.decode() == '{"text":"提升"}'


async def test_a_token_stands_for_itself_and_a_proxys_password_for_nothing() -> None:
    interface = Answering()
    await ApiClient(InProcess(interface), visit(cookie="a=b"), authorization="Bearer rlm_x").get("/v1/me")
    assert interface.headers["authorization"] == "Bearer rlm_x"
    assert "cookie" not in interface.headers
    await ApiClient(InProcess(interface), visit(cookie="a=b", authorization="Basic eDp5")).get("/v1/me")
    assert "authorization" not in interface.headers


async def test_parameters_that_say_nothing_are_left_out() -> None:
    interface = Answering()
    await ApiClient(InProcess(interface), visit()).get("/v1/goals", cursor=None, scenario="", limit=5, state="提")
    assert interface.scope["query_string"] == b"limit=5&state=%E6%8F%90"


async def test_a_refusal_is_what_the_problem_document_says() -> None:
    problem = b'{"status": 409, "code": "scope_frozen", "detail": "it is frozen", "hint": "Unfreeze it."}'
    client = ApiClient(InProcess(Answering(409, problem, "application/problem+json")), visit())
    with pytest.raises(ServiceRefused, match="it is frozen") as refused:
        await client.get("/v1/goals")
    assert (refused.value.status, refused.value.kind, refused.value.hint) == (409, "scope_frozen", "Unfreeze it.")


async def test_an_answer_without_a_document_is_refused_by_its_status() -> None:
    client = ApiClient(InProcess(Answering(502, b"bad", "text/plain")), visit())
    with pytest.raises(ServiceRefused) as refused:
        await client.get("/v1/goals")
    assert (refused.value.status, refused.value.kind) == (502, "internal_error")


async def test_a_stream_comes_part_by_part_and_ends_when_nobody_reads_on() -> None:
    gone = asyncio.Event()
    may_go_on = asyncio.Event()

    async def endless(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        try:
            await may_go_on.wait()
        finally:
            gone.set()

    async with ApiClient(InProcess(endless), visit()).stream("GET", "/v1/audit/export") as response:
        parts: Any = response.aiter_bytes()
        assert await anext(parts) == b"first"
        assert not gone.is_set()
    assert gone.is_set()


async def test_a_long_answer_waits_for_its_reader_and_ends_without_one() -> None:
    sent = 0

    async def long(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1_000):
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
            sent += 1
        await send({"type": "http.response.body", "body": b""})

    client = ApiClient(InProcess(long), visit())
    async with asyncio.timeout(5):
        async with client.stream("GET", "/v1/audit/export") as response:
            parts: Any = response.aiter_raw()
            assert await anext(parts) == b"part"
        assert sent < 100
        async with client.stream("GET", "/v1/audit/export") as response:
            assert len(await response.aread()) == 4_000


async def test_an_interface_that_breaks_off_is_an_error_of_its_own() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await ApiClient(InProcess(broken), visit()).get("/v1/me")

    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        return

    with pytest.raises(httpx.RemoteProtocolError):
        await ApiClient(InProcess(silent), visit()).get("/v1/me")
