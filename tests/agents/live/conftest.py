from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotConnected

SERVER = os.environ.get("REWARD_LLM_TEST_REDIS_URL") or "redis://127.0.0.1:6379/0"


@pytest.fixture
def prefix() -> Iterator[str]:
    """What the keys of one test begin with; REWARD_LLM_REQUIRE_REDIS=1 makes the server's absence a failure."""
    client = Redis.from_url(SERVER)
    prefix = f"reward-llm-test-{secrets.token_hex(8)}"
    try:
        client.ping()
    except NotConnected as exc:
        if os.environ.get("REWARD_LLM_REQUIRE_REDIS") == "1":
            pytest.fail(f"no Redis at {SERVER}: {exc}")
        pytest.skip(f"no Redis at REWARD_LLM_TEST_REDIS_URL or the standard port: {exc}")
    yield prefix
    for key in client.scan_iter(f"{prefix}*"):
        client.delete(key)
    client.close()
