"""OpenFeature's published provider for its remote protocol, and ours, against a real service."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails
from openfeature.provider import FeatureProvider

from reward_llm.delivery.sdk.openfeature import RewardProvider
from tests.service import PROGRAM, Service, environment, service
from tests.strategies import HOME_FEED

FALLBACK: Final[dict[str, Any]] = {"weights": {}}
UNITS: Final = [f"u-{n}" for n in range(40)]
PERCENT: Final = 30
EDITED: Final = {**HOME_FEED.defaults, "click": 0.2, "gmv": 0.25}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Any) -> Iterator[Service]:
    """A service in which a third of the users get other weights."""
    with service(tmp_path_factory.mktemp("ofrep"), unused_tcp_port_factory(), backend="rules") as started:
        policy = edited(started, {**EDITED}, "a trial")
        started.http.post(f"/v1/policies/{policy}/activation", json={"percent": PERCENT}).raise_for_status()
        yield started


@contextmanager
def remote(base_url: str, headers: dict[str, str] | None = None) -> Iterator[OpenFeatureClient]:
    """Flags by OpenFeature's own provider."""
    provider = OFREPProvider(base_url, headers_factory=lambda: headers or {})
    provider.session.trust_env = False
    try:
        yield flags_of(provider, "remote")
    finally:
        api.shutdown()
        provider.session.close()


def flags_of(provider: FeatureProvider, domain: str) -> OpenFeatureClient:
    api.set_provider_and_wait(provider, domain)
    return api.get_client(domain)


def address(running: Service) -> str:
    return str(running.http.base_url)


def edited(running: Service, weights: dict[str, float], reason: str, headers: dict[str, str] | None = None) -> str:
    body = {"scenario": "home_feed", "weights": weights, "reason": reason}
    answer = running.http.post("/v1/policies", json=body, headers=headers).raise_for_status()
    return str(answer.json()["policy_id"])


def looked_up(running: Service, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = running.http.get("/v1/weights/home_feed", params=query).raise_for_status().json()
    return found


def said(details: FlagEvaluationDetails[Any]) -> tuple[Any, ...]:
    """All that a provider says of a flag but its age."""
    metadata = {k: v for k, v in details.flag_metadata.items() if k != "age_s"}
    return details.value, details.variant, details.reason, details.error_code, metadata


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_published_provider_reads_a_scenario_as_an_object_flag(running: Service) -> None:
    with remote(address(running)) as flags:
        details: FlagEvaluationDetails[Any] = flags.get_object_details(
            "home_feed", FALLBACK, EvaluationContext(attributes={"segment": "new_user", "age": 30})
        )
    found = looked_up(running, segment="new_user")
    assert (details.error_code, details.variant, details.reason) == (None, found["policy_id"], "DEFAULT")
    assert (details.value["weights"], details.value["vector"]) == (found["weights"], found["vector"])
    assert details.flag_metadata["rule"] == found["rule"]
    assert details.flag_metadata["revision"] >= 1


def test_a_user_in_a_rollout_gets_what_looking_weights_up_gives(running: Service) -> None:
    with remote(address(running)) as flags:
        reasons = set()
        for unit in UNITS:
            details: FlagEvaluationDetails[Any] = flags.get_object_details(
                "home_feed", FALLBACK, EvaluationContext(unit)
            )
            found = looked_up(running, unit=unit)
            assert details.variant == found["policy_id"]
            assert details.value["weights"] == found["weights"]
            reasons.add((details.reason, found["rollout"] is not None))
    assert reasons == {("SPLIT", True), ("DEFAULT", False)}


def test_what_there_isnt_is_the_applications_own_default(running: Service) -> None:
    with remote(address(running)) as flags:
        unknown = flags.get_object_details("home_fed", FALLBACK)
        vip = flags.get_object_details("home_feed", FALLBACK, EvaluationContext(attributes={"segment": "vip"}))
        other = flags.get_boolean_details("home_feed", False)
    assert (unknown.error_code, unknown.value) == (ErrorCode.FLAG_NOT_FOUND, FALLBACK)
    assert "home_feed" in str(unknown.error_message)
    assert (vip.error_code, vip.value) == (ErrorCode.INVALID_CONTEXT, FALLBACK)
    assert "new_user" in str(vip.error_message)
    assert (other.error_code, other.value) == (ErrorCode.TYPE_MISMATCH, False)


def test_both_providers_say_the_same_of_every_flag(running: Service) -> None:
    contexts = [
        EvaluationContext(unit, {"segment": s}) for unit in (None, *UNITS[:8]) for s in ("", "new_user", "vip")
    ]
    with remote(address(running)) as flags:
        in_process = flags_of(RewardProvider(address(running)), "in process")
        for context in contexts:
            for name in ("home_feed", "video_feed", "home_fed"):
                one = said(flags.get_object_details(name, FALLBACK, context))
                assert said(in_process.get_object_details(name, FALLBACK, context)) == one


def test_a_change_is_told_and_served_without_asking_again(running: Service) -> None:
    told: list[list[str] | None] = []
    try:
        flags = flags_of(RewardProvider(address(running)), "in process")
        flags.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, lambda d: told.append(d.flags_changed))
        weights = {**HOME_FEED.defaults, "click": 0.24, "gmv": 0.21}
        body = {"scenario": "home_feed", "segment": "mature_user", "weights": weights, "reason": "a sale"}
        policy = running.http.post("/v1/policies", json=body).raise_for_status().json()["policy_id"]
        running.http.post(f"/v1/policies/{policy}/activation", json={}).raise_for_status()
        context = EvaluationContext(attributes={"segment": "mature_user"})
        wait_until(lambda: flags.get_object_details("home_feed", FALLBACK, context).variant == policy)
        wait_until(lambda: ["home_feed"] in told)
        assert flags.get_object_details("home_feed", FALLBACK, context).reason == "TARGETING_MATCH"
    finally:
        api.shutdown()


def test_a_token_lets_the_published_provider_in_and_its_limit_tells_it_to_wait(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    chosen = {"access": "tokens", "backend": "rules", "weights_limit_per_minute": "3"}
    subprocess.run([*PROGRAM, "db", "upgrade"], env=environment(tmp_path, **chosen), cwd=tmp_path, check=True)
    command = [*PROGRAM, "tokens", "create", "ranker", "--role", "viewer", "--json"]
    made = subprocess.run(command, env=environment(tmp_path, **chosen), cwd=tmp_path, check=True, capture_output=True)
    token = {"Authorization": f"Bearer {json.loads(made.stdout)['token']}"}
    with service(tmp_path, unused_tcp_port, **chosen) as started:
        with remote(address(started)) as flags:
            stranger = flags.get_object_details("home_feed", FALLBACK)
        assert (stranger.error_code, stranger.error_message) == (ErrorCode.GENERAL, "unauthorized")
        with remote(address(started), token) as flags:
            answers = [flags.get_object_details("home_feed", FALLBACK) for _ in range(5)]
    assert [a.error_code for a in answers] == [None] * 3 + [ErrorCode.GENERAL] * 2
    assert "retry after" in str(answers[3].error_message)
    assert "paused" in str(answers[4].error_message)
