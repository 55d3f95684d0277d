"""What a client has on its disk when it starts without the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reward_llm.delivery.sdk import ClientConfig, WeightsClient
from tests.live.delivery.following import QUICK, Followed, followed, until
from tests.live.delivery.writing import SCENARIO, SNAPSHOT


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "weights.json"


@pytest.fixture
def kept(proxy, running, cache) -> Followed:
    """A client that has ended, and left its last snapshot in the file."""
    with followed(proxy, running.http, cache=cache) as client:
        served = client.served
    assert served.encode() in cache.read_bytes()
    return client


def start(kept: Followed, cache: Path, **config) -> Followed:
    """A new client over the same file."""
    client = WeightsClient(kept.proxy.url, ClientConfig(**{**QUICK, **config}, cache=cache))
    client.start()
    return Followed(client, kept.proxy, kept.http, kept.policies)


def test_a_client_that_starts_without_the_service_serves_its_cache_as_stale(kept, cache):
    old = kept.served
    with kept.proxy.suffering(refuse=True):
        again = start(kept, cache)
        until(lambda: again.client.weights(SCENARIO), again.client.health)
        again.goes_stale_with(old)
        again.says_what_is_wrong()
        assert again.client.health().source == "cache"
    new = again.change()
    again.gets(new)
    again.client.close()


DAMAGE = {
    "empty": lambda data: b"",
    "cut off": lambda data: data[: len(data) // 2],
    "flipped in one bit": lambda data: data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
    "something else": lambda data: b'{"hello": "world"}',
    "not even text": lambda data: bytes(range(256)) * 10,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_is_not_served_and_is_replaced(kept, cache, damage):
    cache.write_bytes(damage(cache.read_bytes()))
    with kept.proxy.suffering(refuse=True):
        again = start(kept, cache)
        until(lambda: again.client.health().last_error, again.client.health)
        assert again.client.weights(SCENARIO) is None
        assert not again.client.health().ready
    new = again.change()
    until(lambda: again.client.weights(SCENARIO), again.client.health)
    again.gets(new)
    again.client.close()
    assert new.encode() in cache.read_bytes()


def test_an_older_cache_gives_way_to_the_service(kept, cache):
    older = cache.read_bytes()
    new = kept.change()
    cache.write_bytes(older)
    again = start(kept, cache)
    until(lambda: again.client.weights(SCENARIO), again.client.health)
    again.gets(new)
    again.client.close()


def test_of_a_cache_and_a_bootstrap_the_newer_is_served(kept, cache):
    old = kept.served
    new = kept.change()
    newer = kept.http.get(SNAPSHOT).content
    older = json.loads(newer) | {"revision": 0, "as_of": "2020-01-01T00:00:00Z"}
    with kept.proxy.suffering(refuse=True):
        for bootstrap, policy_id in ((newer, new), (json.dumps(older).encode(), old)):
            again = start(kept, cache, bootstrap=bootstrap)
            until(lambda: again.client.weights(SCENARIO), again.client.health)  # noqa: B023
            assert (again.served, again.stale) == (policy_id, True)
            again.client.close()
