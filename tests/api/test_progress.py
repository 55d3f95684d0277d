from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fastapi import FastAPI, Request, Response
from starlette.responses import StreamingResponse

from reward_llm.api.progress import followed, wants_progress
from reward_llm.api.recent_errors import RecentErrors
from reward_llm.api.wire.health import Liveness
from reward_llm.domain.ports import OnProgress
from reward_llm.errors import EvaluationTimeout

ERRORS = RecentErrors()


def application() -> FastAPI:
    app = FastAPI()
    services = SimpleNamespace(clock=lambda: datetime(2026, 6, 18, tzinfo=UTC))
    app.state.context = SimpleNamespace(services=services, errors=ERRORS)
    return app


REQUEST = Request(
    {
        "type": "http",
        "method": "POST",
        "path": "/v1/prompts/p/versions/1/evaluate",
        "headers": [(b"host", b"test")],
        "query_string": b"",
        "state": {"request_id": "r1"},
        "app": application(),
    }
)


def lines(response: Response) -> AsyncGenerator[bytes, None]:
    assert isinstance(response, StreamingResponse)
    return cast("AsyncGenerator[bytes, None]", response.body_iterator)


async def documents(response: Response) -> list[dict[str, Any]]:
    return [json.loads(line) async for line in lines(response)]


@pytest.mark.parametrize(
    ("accept", "wants"), [("application/x-ndjson", True), ("application/json", False), ("*/*", False)]
)
def test_progress_is_told_to_who_asks_for_it(accept: str, wants: bool) -> None:
    request = Request({"type": "http", "headers": [(b"accept", accept.encode())]})
    assert wants_progress(request) is wants


async def test_every_step_is_told_and_the_result_last() -> None:
    async def work(tell: OnProgress) -> Liveness:
        for done in (1, 2):
            tell(done, 2)
            await asyncio.sleep(0)
        return Liveness()

    told = await documents(await followed(REQUEST, work))
    assert told == [{"done": 1, "of": 2}, {"done": 2, "of": 2}, {"result": {"status": "alive"}}]


async def test_steps_may_be_told_by_another_thread() -> None:
    async def work(tell: OnProgress) -> Liveness:
        await asyncio.to_thread(tell, 1, 1)
        return Liveness()

    assert (await documents(await followed(REQUEST, work)))[0] == {"done": 1, "of": 1}


async def test_a_failure_on_the_way_is_the_last_line() -> None:
    async def work(tell: OnProgress) -> Liveness:
        tell(1, 2)
        await asyncio.sleep(0)
        raise EvaluationTimeout("it took too long")

    *_, last = await documents(await followed(REQUEST, work))
    assert (last["problem"]["code"], last["problem"]["status"]) == ("evaluation_timeout", 504)
    assert [(e.status, e.request_id) for e in ERRORS.newest_first()] == [(504, "r1")]


async def test_a_failure_before_the_first_step_is_raised() -> None:
    async def work(tell: OnProgress) -> Liveness:
        raise EvaluationTimeout("it took too long")

    with pytest.raises(EvaluationTimeout):
        await followed(REQUEST, work)


async def test_who_stops_listening_ends_the_work() -> None:
    ended = asyncio.Event()

    async def work(tell: OnProgress) -> Liveness:
        tell(1, 2)
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Liveness()

    told = lines(await followed(REQUEST, work))
    assert json.loads(await anext(told)) == {"done": 1, "of": 2}
    await told.aclose()
    await ended.wait()
