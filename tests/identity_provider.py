"""A running OpenID provider, and the people that it knows."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

START_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A running provider."""

    url: str
    http: httpx.Client

    def knows(self, subject: str, **claims: Any) -> None:
        """Let there be a person."""
        self.http.put(f"/users/{subject}", json=claims).raise_for_status()

    def lies(
        self, *, signature: str | None = None, status: int = 200, remove: tuple[str, ...] = (), **claims: Any
    ) -> None:
        """Change the tokens from now on."""
        lie = {"claims": claims, "remove": remove, "signature": signature, "status": status}
        self.http.put("/lies", json=lie).raise_for_status()

    def signs_in(self, url: str, subject: str) -> str:
        """Sign the person in on the provider's page; gives where the browser is sent then."""
        answer = self.http.post(url, data={"sub": subject})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def denies(self, url: str) -> str:
        """Cancel on the provider's page."""
        return self.http.post(url, data={"action": "deny"}).headers["location"]


@contextmanager
def provider(port: int) -> Iterator[Provider]:
    """The provider, answering."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.lying_provider", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    http = httpx.Client(base_url=url, trust_env=False)
    try:
        _wait(process, http)
        yield Provider(url=url, http=http)
    finally:
        http.close()
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], http: httpx.Client) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the provider ended"
        try:
            if http.get("/.well-known/openid-configuration").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError("the provider doesn't answer")
