from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from tests.receivers import Receiver, receiver
from tests.service import Service, service

EDIT = {"scenario": "home_feed", "reason": "weekend sale", "weights": {}}
ALLOWED = {"backend": "rules", "webhooks_allow_private": "true"}


def edit(running: Service) -> dict[str, Any]:
    """A policy that a person made of what is served now."""
    weights = running.http.get("/v1/weights/home_feed").json()["weights"]
    made = running.http.post("/v1/policies", json={**EDIT, "weights": weights})
    assert made.status_code == 201, made.text
    policy: dict[str, Any] = made.json()
    return policy


def edit_and_lose_power(folder: Path, port: int, hook: Receiver) -> tuple[str, str]:
    """The secret of a new webhook, and the policy that was made just before the service was killed."""
    with service(folder, port, **ALLOWED) as running:
        made = running.http.post("/v1/webhooks", json={"url": hook.url, "actions": ["policy."]})
        assert made.status_code == 201, made.text
        policy = edit(running)
        running.kill()
    return made.json()["secret"], policy["policy_id"]


def run_until(folder: Path, port: int, done: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    """A service that runs until the receiver has what it was promised."""
    with service(folder, port, **ALLOWED):
        asyncio.run_coroutine_threadsafe(done.wait(), loop).result()


async def test_what_was_committed_before_a_power_cut_arrives_after_it(tmp_path: Path, unused_tcp_port: int) -> None:
    async with receiver() as hook:
        secret, policy = await asyncio.to_thread(edit_and_lose_power, tmp_path, unused_tcp_port, hook)
        done, loop = asyncio.Event(), asyncio.get_running_loop()
        again = asyncio.create_task(asyncio.to_thread(run_until, tmp_path, unused_tcp_port, done, loop))
        try:
            await hook.has(1)
        finally:
            done.set()
            await again
    for received in hook.requests:
        assert Webhook(secret).verify(received.body, received.headers)["subject"] == policy
    assert len({r.event_id for r in hook.requests}) == 1
