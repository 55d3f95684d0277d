"""Long work as it goes on: one JSON document a line, the last of them its outcome.

First come lines such as `{"done": 1, "of": 40}`, then one with the `result`, or with the `problem` document.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from starlette.responses import StreamingResponse

from reward_llm.api.problems import answer_to
from reward_llm.api.wire.base import Outgoing
from reward_llm.domain.ports.prompts import OnProgress
from reward_llm.errors import RewardLLMError

MEDIA_TYPE: Final = "application/x-ndjson"

Work = Callable[[OnProgress], Coroutine[Any, Any, Outgoing]]
Told = asyncio.Queue[dict[str, Any] | None]


def wants_progress(request: Request) -> bool:
    """Whether `Accept` asks for the lines."""
    return MEDIA_TYPE in request.headers.get("accept", "")


async def followed(request: Request, work: Work) -> Response:
    """The work's lines from its first progress on; whoever stops listening ends the work.

    Raises:
        RewardLLMError: If the work fails before that.
    """
    loop, told = asyncio.get_running_loop(), Told()

    def tell(done: int, of: int) -> None:
        loop.call_soon_threadsafe(told.put_nowait, {"done": done, "of": of})

    task = loop.create_task(work(tell))
    task.add_done_callback(lambda _: told.put_nowait(None))
    try:
        first = await told.get()
    except asyncio.CancelledError:
        task.cancel()
        raise
    if first is None:
        task.result()
    return StreamingResponse(_lines(request, task, first, told), media_type=MEDIA_TYPE)


async def _lines(
    request: Request, task: asyncio.Task[Outgoing], first: dict[str, Any] | None, told: Told
) -> AsyncIterator[bytes]:
    line = first
    try:
        while line is not None:
            yield _encoded(line)
            line = await told.get()
        yield _encoded(await _outcome(request, task))
    finally:
        task.cancel()


async def _outcome(request: Request, task: asyncio.Task[Outgoing]) -> dict[str, Any]:
    try:
        return {"result": task.result().model_dump(mode="json")}
    except RewardLLMError as exc:
        return {"problem": json.loads(bytes((await answer_to(request, exc)).body))}


def _encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
