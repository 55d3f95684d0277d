"""The client against the service itself, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from reward_llm.delivery.sdk import ClientChange, WeightsClient
from tests.delivery.sdk.scripted import until
from tests.service import Service, service
from tests.strategies import HOME_FEED

DEFAULTS = dict(HOME_FEED.defaults)
UNITS = [f"user_{i}" for i in range(40)]


def activate(running: Service, step: int, segment: str | None = None, **options: object) -> str:
    weights = DEFAULTS | {"click": DEFAULTS["click"] + step / 1000, "gmv": DEFAULTS["gmv"] - step / 1000}
    edit = {"scenario": "home_feed", "segment": segment, "weights": weights, "reason": f"step {step}"}
    policy_id = running.http.post("/v1/policies", json=edit).raise_for_status().json()["policy_id"]
    running.http.post(f"/v1/policies/{policy_id}/activation", json=options).raise_for_status()
    return str(policy_id)


def served(client: WeightsClient, segment: str | None = None, unit: str | None = None) -> str:
    found = client.weights("home_feed", segment, unit)
    return "" if found is None else found.policy_id


def by_http(http: httpx.Client, segment: str | None, unit: str | None) -> dict[str, object]:
    asked = {k: v for k, v in {"segment": segment, "unit": unit}.items() if v is not None}
    answer = http.get("/v1/weights/home_feed", params=asked).raise_for_status().json()
    return {k: v for k, v in answer.items() if k not in {"stale", "age_s"}}


def by_client(client: WeightsClient, segment: str | None, unit: str | None) -> dict[str, object]:
    found = client.weights("home_feed", segment, unit)
    assert found is not None
    until = found.valid_until
    return {
        "scenario": found.scenario,
        "segment": found.segment,
        "policy_id": found.policy_id,
        "version": found.version,
        "utilities": list(found.utilities),
        "weights": dict(found.weights),
        "vector": list(found.vector),
        "source": found.source,
        "rule": found.rule,
        "rollout": found.rollout and {"activation": found.rollout.activation, "percent": found.rollout.percent},
        "valid_until": until and until.isoformat().replace("+00:00", "Z"),
    }


def test_the_client_follows_the_service_through_all_it_does(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    port, changes = unused_tcp_port_factory(), list[ClientChange]()
    cache = tmp_path / "weights"
    with WeightsClient(
        f"http://127.0.0.1:{port}", poll_s=0.5, stale_after_s=2.0, cache=cache, on_change=changes.append
    ) as client:
        with service(tmp_path, port, backend="rules", heartbeat_s="0.5") as running:
            assert client.wait_ready(60)
            until(lambda: client.health().streaming, "the stream")
            whole = activate(running, 1)
            until(lambda: served(client) == whole, "an activation")
            until(lambda: served(client, "new_user") == whole, "the same in a segment")
            part = activate(running, 2, "new_user", percent=30)
            window = {k: (datetime.now(UTC) + timedelta(hours=h)).isoformat() for k, h in (("from", 1), ("until", 2))}
            activate(running, 3, "new_user", **window)
            until(lambda: any(served(client, "new_user", u) == part for u in UNITS), "a rollout")
            until(lambda: by_client(client, "new_user", None)["valid_until"], "a window to come")
            for segment in (None, "new_user", "mature_user"):
                for unit in (None, *UNITS):
                    assert by_client(client, segment, unit) == by_http(running.http, segment, unit)
            frozen = {"frozen": True, "reason": "stop"}
            running.http.post("/v1/scopes/home_feed/new_user/freeze", json=frozen).raise_for_status()
            until(lambda: by_client(client, "new_user", "ann")["rule"] == "frozen", "a freeze")
            assert by_client(client, "new_user", "ann") == by_http(running.http, "new_user", "ann")
            revision = client.health().revision
            until(lambda: f'"revision": {revision}'.encode() in cache.read_bytes(), "the cache")
            running.kill()
            until(lambda: client.health().stale, "staleness")
            assert served(client) == whole
            assert client.health().last_error is not None
        with WeightsClient(f"http://127.0.0.1:{port}", cache=cache) as second:
            assert served(second) == whole
            assert second.health().source == "cache"
        with service(tmp_path, port, backend="rules", heartbeat_s="0.5") as running:
            until(lambda: not client.health().stale, "freshness")
            until(lambda: client.health().streaming, "the stream")
            again = activate(running, 4)
            until(lambda: served(client) == again, "an activation after the restart")
            assert (client.health().revision or 0) > (revision or 0)
            assert client.health().last_error is None
    revisions = [c.new_revision for c in changes]
    assert revisions == sorted(revisions)
    assert client.health().refused_older == 0
