"""A real HTTP server on loopback that answers as badly as it is told to."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Answer = Callable[[Request], Awaitable[Response]]


def completion(text: object, finish_reason: str = "stop", logprobs: object = None) -> JSONResponse:
    """An answer in the OpenAI shape."""
    choice = {"message": {"content": text}, "finish_reason": finish_reason, "logprobs": logprobs}
    return JSONResponse({"choices": [choice]})


async def hang(_: Request) -> Response:
    """Never answer in anybody's lifetime."""
    await asyncio.sleep(3_600)
    return Response()


@contextmanager
def model_server(answer: Answer, models: Sequence[str] = ("qwen2",)) -> Iterator[str]:
    """A server whose chat completions come from `answer`; gives its base URL."""

    async def list_models(_: Request) -> Response:
        return JSONResponse({"data": [{"id": m} for m in models]})

    app = Starlette(
        routes=[Route("/v1/models", list_models), Route("/v1/chat/completions", answer, methods=["POST"])]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def unused_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
