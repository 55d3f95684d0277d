"""The least that uvicorn can answer: `GET /SIZE` is a JSON body of so many bytes, `GET /304` no body at all.

    python benchmarks/rivals/hello.py PORT

One worker, with uvicorn's own choice of HTTP parser and event loop: httptools and uvloop where they are installed. It
routes nothing, checks nobody and counts nothing, so it is what any ASGI application on uvicorn is slower than.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Final

import uvicorn

NOT_MODIFIED: Final = 304


async def app(scope: dict[str, Any], receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    """Answer whatever is asked by the number in its path."""
    start, body = answers(scope["path"])
    await send(start)
    await send(body)


@cache
def answers(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two messages of an answer."""
    number = int(path[1:] or 2)
    if number == NOT_MODIFIED:
        return {"type": "http.response.start", "status": 304, "headers": []}, {"type": "http.response.body"}
    body = b'"' + b"." * (number - 2) + b'"'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(number).encode())]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), lifespan="off", access_log=False, log_level="warning",
        server_header=False,
    )  # fmt: skip
