"""uvicorn without an application to speak of."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from servers import Server, free_port, pinned, spawned, wait_until_answers

HELLO: Final = Path(__file__).with_name("hello.py")
"""The program; its argument is the port."""


@contextmanager
def bare_uvicorn(folder: Path, core: int | None = None) -> Iterator[Server]:
    """`hello.py` as a process of its own."""
    port, log = free_port(), folder / "bare.log"
    with spawned([*pinned(core), sys.executable, str(HELLO), str(port)], log) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until_answers(process, lambda: httpx.get(f"{url}/2", trust_env=False).is_success, log)
        yield Server(name="bare", process=process, url=url)
