from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.provider import ProviderStatus

from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.health import ClientHealth
from reward_llm.delivery.sdk.openfeature import RewardProvider
from reward_llm.delivery.sdk.standing import Standing
from reward_llm.delivery.sdk.weights import Rollout, Weights
from tests.delivery.sdk.documents import document, encoded
from tests.delivery.sdk.scripted import scripted

URL = "http://127.0.0.1:8300"
FALLBACK: dict[str, Any] = {"weights": {"click": 1.0}}
HEALTH = ClientHealth(
    running=True,
    ready=True,
    stale=False,
    age_s=0.1,
    source="server",
    revision=57,
    scopes=2,
    streaming=True,
    last_error=None,
    notes=(),
    clock_skew_s=0.0,
    clock_error_s=0.0,
    refused_older=0,
    refused_invalid=0,
    unknown_scenarios=0,
    unknown_segments=0,
    misuses=0,
)


def weights(segment: str | None = None, *, stale: bool = False, age_s: float = 0.25, **said: Any) -> Weights:
    confirmed_at = -math.inf if math.isinf(age_s) else time.monotonic() - age_s
    values = MappingProxyType({"click": 0.75, "gmv": 0.25})
    standing = Standing(
        revision=57, confirmed_at=confirmed_at, confirmed=not stale, service_stale=False, stale_after_s=600.0
    )
    shown: dict[str, Any] = {
        "policy_id": "pol_1",
        "version": 3,
        "source": "human",
        "rule": "scenario",
        "rollout": Rollout(activation=7, percent=100.0),
        "valid_until": None,
        **said,
    }
    return Weights(
        scenario="home_feed",
        segment=segment,
        utilities=tuple(values),
        weights=values,
        vector=tuple(values.values()),
        _standing=standing,
        **shown,
    )


@dataclass(slots=True)
class FakeClient:
    """Serves what it is told to, as a client does: a segment that there isn't gets the scenario's weights."""

    base_url: str
    config: ClientConfig
    ready: threading.Event = field(default_factory=threading.Event)
    served: Weights | None = field(default_factory=weights)
    stale: bool = False
    broken: bool = False
    started: bool = False
    closed: bool = False
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)

    def start(self) -> None:
        self.started = True

    def wait_ready(self, seconds: float) -> bool:
        return self.ready.wait(seconds)

    def weights(self, scenario: str, segment: str | None = None, unit: str | None = None) -> Weights | None:
        self.asked.append((scenario, segment, unit))
        if not self.ready.is_set() or scenario != "home_feed":
            return None
        return self.served

    def health(self) -> ClientHealth:
        if self.broken:
            raise RuntimeError("a client that fails")
        error = "the service is away" if self.stale or not self.ready.is_set() else None
        changed = {"ready": self.ready.is_set(), "stale": self.stale, "last_error": error}
        return ClientHealth(**{f: getattr(HEALTH, f) for f in HEALTH.__slots__} | changed)

    def close(self) -> None:
        self.closed = True


@dataclass(slots=True)
class Making:
    """Makes clients, ready or not, and remembers them."""

    ready: bool = True
    made: list[FakeClient] = field(default_factory=list)

    def __call__(self, base_url: str, config: ClientConfig) -> FakeClient:
        client = FakeClient(base_url, config)
        if self.ready:
            client.ready.set()
        self.made.append(client)
        return client


@dataclass(slots=True)
class Heard:
    """What OpenFeature tells applications."""

    events: list[tuple[ProviderEvent, EventDetails]] = field(default_factory=list)

    def listen(self) -> Heard:
        for event in ProviderEvent:
            api.add_handler(event, lambda details, event=event: self.events.append((event, details)))
        return self

    def kinds(self) -> list[ProviderEvent]:
        return [event for event, _ in self.events]

    def last(self, event: ProviderEvent) -> EventDetails:
        wait_until(lambda: event in self.kinds())
        return [details for kind, details in self.events if kind is event][-1]


@pytest.fixture(autouse=True)
def openfeature() -> Iterator[None]:
    yield
    api.shutdown()


@pytest.fixture
def making() -> Making:
    return Making()


def provider(making: Making, config: ClientConfig | None = None, ready_s: float = 5.0) -> RewardProvider:
    return RewardProvider(URL, config, ready_s=ready_s, watch_s=0.01, make=making)


def registered(making: Making, **chosen: Any) -> tuple[OpenFeatureClient, FakeClient]:
    api.set_provider_and_wait(provider(making, **chosen))
    return api.get_client(), making.made[-1]


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_scenario_is_an_object_flag(making: Making) -> None:
    flags, client = registered(making)
    details = flags.get_object_details("home_feed", FALLBACK, EvaluationContext("u-17", {"email": "u@example.org"}))
    assert details.value == {
        "policy_id": "pol_1",
        "version": 3,
        "utilities": ["click", "gmv"],
        "weights": {"click": 0.75, "gmv": 0.25},
        "vector": [0.75, 0.25],
    }
    assert (details.variant, details.reason, details.error_code) == ("pol_1", "STATIC", None)
    assert client.asked == [("home_feed", None, "u-17")]


async def test_a_scenario_is_an_object_flag_for_coroutines_too(making: Making) -> None:
    flags, _ = registered(making)
    assert (await flags.get_object_details_async("home_feed", FALLBACK)).variant == "pol_1"


def test_the_context_says_unit_and_segment_and_empty_ones_are_none(making: Making) -> None:
    flags, client = registered(making)
    client.served = weights("new_user", rule="segment")
    assert flags.get_object_details("home_feed", FALLBACK, EvaluationContext("", {"segment": "new_user"})).variant
    client.served = weights()
    assert flags.get_object_details("home_feed", FALLBACK, EvaluationContext(None, {"segment": ""})).variant
    assert client.asked == [("home_feed", "new_user", None), ("home_feed", None, None)]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({}, "STATIC"),
        ({"rule": "default", "rollout": None}, "DEFAULT"),
        ({"rollout": Rollout(activation=7, percent=30.0)}, "SPLIT"),
        ({"rule": "frozen", "rollout": None}, "DISABLED"),
        ({"stale": True, "rule": "frozen", "rollout": None}, "STALE"),
    ],
)
def test_the_reason_says_how_the_weights_were_chosen(making: Making, said: dict[str, Any], reason: str) -> None:
    flags, client = registered(making)
    client.served = weights(**said)
    assert flags.get_object_details("home_feed", FALLBACK).reason == reason


def test_a_segments_own_activation_is_a_match(making: Making) -> None:
    flags, client = registered(making)
    client.served = weights("new_user", rule="segment")
    asked = EvaluationContext(attributes={"segment": "new_user"})
    assert flags.get_object_details("home_feed", FALLBACK, asked).reason == "TARGETING_MATCH"


def test_metadata_is_flat_and_leaves_out_what_there_isnt(making: Making) -> None:
    flags, client = registered(making)
    client.served = weights(valid_until=datetime(2026, 6, 19, tzinfo=UTC))
    metadata = dict(flags.get_object_details("home_feed", FALLBACK).flag_metadata)
    assert 0.25 <= metadata.pop("age_s") < 60
    assert metadata == {
        "revision": 57,
        "source": "human",
        "rule": "scenario",
        "stale": False,
        "activation": 7,
        "percent": 100.0,
        "valid_until": "2026-06-19T00:00:00Z",
    }
    client.served = weights(stale=True, age_s=math.inf, rule="default", rollout=None)
    assert set(flags.get_object_details("home_feed", FALLBACK).flag_metadata) == {
        "revision",
        "source",
        "rule",
        "stale",
    }


def test_who_changes_a_value_changes_their_own(making: Making) -> None:
    flags, _ = registered(making)
    value: Any = flags.get_object_value("home_feed", FALLBACK)
    value["weights"]["click"] = 0.0
    value["vector"].clear()
    again: Any = flags.get_object_value("home_feed", FALLBACK)
    assert (again["weights"], again["vector"]) == ({"click": 0.75, "gmv": 0.25}, [0.75, 0.25])


@pytest.mark.parametrize(
    "context",
    [
        EvaluationContext(17),  # type: ignore[arg-type]
        EvaluationContext("u" * 201),
        EvaluationContext(attributes={"segment": 0}),
        EvaluationContext(attributes={"segment": ["new_user"]}),
        EvaluationContext(attributes={"segment": "vip"}),
    ],
)
def test_a_context_that_cant_be_used_is_invalid(making: Making, context: EvaluationContext) -> None:
    flags, _ = registered(making)
    details = flags.get_object_details("home_feed", FALLBACK, context)
    assert (details.error_code, details.value) == (ErrorCode.INVALID_CONTEXT, FALLBACK)


def test_other_types_dont_match_and_other_names_arent_found(making: Making) -> None:
    flags, _ = registered(making)
    for ask, default in (
        (flags.get_boolean_details, True),
        (flags.get_string_details, "x"),
        (flags.get_integer_details, 1),
        (flags.get_float_details, 1.0),
    ):
        details: Any = ask("home_feed", default)  # type: ignore[operator]
        assert (details.error_code, details.value) == (ErrorCode.TYPE_MISMATCH, default)
        unknown: Any = ask("home_fed", default)  # type: ignore[operator]
        assert unknown.error_code == ErrorCode.FLAG_NOT_FOUND
    missing = flags.get_object_details("home_fed", FALLBACK)
    assert (missing.error_code, missing.value) == (ErrorCode.FLAG_NOT_FOUND, FALLBACK)


def test_without_weights_it_isnt_ready_until_there_are_some(making: Making) -> None:
    heard, making.ready = Heard().listen(), False
    with pytest.raises(ProviderNotReadyError):
        registered(making, ready_s=0.01)
    flags, client = api.get_client(), making.made[-1]
    assert heard.last(ProviderEvent.PROVIDER_ERROR).error_code == ErrorCode.PROVIDER_NOT_READY
    details = flags.get_object_details("home_feed", FALLBACK)
    assert (details.error_code, details.value) == (ErrorCode.PROVIDER_NOT_READY, FALLBACK)
    assert flags.get_boolean_details("home_feed", True).error_code == ErrorCode.PROVIDER_NOT_READY
    client.ready.set()
    wait_until(lambda: flags.get_provider_status() is ProviderStatus.READY)
    assert flags.get_object_details("home_feed", FALLBACK).variant == "pol_1"


def test_weights_that_grow_stale_and_fresh_again_are_told_once_each(making: Making) -> None:
    flags, client = registered(making)
    heard = Heard().listen()
    wait_until(lambda: heard.kinds() == [ProviderEvent.PROVIDER_READY])  # who listens late is told as well
    client.stale = True
    assert heard.last(ProviderEvent.PROVIDER_STALE).message == "the service is away"
    assert flags.get_provider_status() is ProviderStatus.STALE
    assert flags.get_object_details("home_feed", FALLBACK).variant == "pol_1"
    client.stale = False
    wait_until(lambda: flags.get_provider_status() is ProviderStatus.READY)
    wait_until(lambda: len(heard.events) == 3)
    assert sorted(k.value for k in heard.kinds()) == ["PROVIDER_READY", "PROVIDER_READY", "PROVIDER_STALE"]


def test_other_weights_are_told_with_their_scenarios_and_to_the_applications_own_callback(making: Making) -> None:
    seen: list[ClientChange] = []

    def fail(change: ClientChange) -> None:
        seen.append(change)
        raise RuntimeError("a callback that fails")

    _, client = registered(making, config=ClientConfig(on_change=fail))
    heard = Heard().listen()
    scopes = frozenset({("video_feed", None), ("home_feed", None), ("home_feed", "new_user")})
    change = ClientChange(scopes=scopes, old_revision=57, new_revision=58)
    assert client.config.on_change is not None
    with pytest.raises(RuntimeError):
        client.config.on_change(change)
    details = heard.last(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    assert details.flags_changed == ["home_feed", "video_feed"]
    assert details.metadata == {"revision": 58}
    assert seen == [change]


def test_the_first_weights_are_no_change(making: Making) -> None:
    _, client = registered(making)
    heard = Heard().listen()
    assert client.config.on_change is not None
    for old in (None, 57):
        client.config.on_change(ClientChange(scopes=frozenset(), old_revision=old, new_revision=58))
    heard.last(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    assert heard.kinds().count(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED) == 1


def test_it_closes_its_client_and_makes_another_when_it_is_used_again(making: Making) -> None:
    used = provider(making)
    api.set_provider_and_wait(used)
    first = making.made[0]
    assert (first.base_url, first.started, used.client) == (URL, True, first)
    api.clear_providers()
    assert first.closed
    assert used.client is None
    assert "reward-llm-openfeature" not in {t.name for t in threading.enumerate()}
    api.set_provider_and_wait(used)
    assert used.client is making.made[1]
    assert not making.made[1].closed


def test_what_ails_a_client_doesnt_end_the_watch(making: Making, caplog: pytest.LogCaptureFixture) -> None:
    flags, client = registered(making)
    client.broken = True
    wait_until(lambda: "couldn't be told" in caplog.text)
    client.broken, client.stale = False, True
    wait_until(lambda: flags.get_provider_status() is ProviderStatus.STALE)


def test_an_address_that_is_none_is_refused_at_once(making: Making) -> None:
    with pytest.raises(ValueError, match="base_url"):
        RewardProvider("127.0.0.1:8300", make=making)


def test_a_service_that_goes_away_and_comes_back_is_told_while_its_weights_go_on_being_served() -> None:
    with scripted() as service:
        config = ClientConfig(poll_s=0.1, stale_after_s=1.0)
        api.set_provider_and_wait(RewardProvider(service.url, config, watch_s=0.02))
        flags, heard = api.get_client(), Heard().listen()
        assert flags.get_object_details("home_feed", FALLBACK).reason == "DEFAULT"
        service.stop()
        wait_until(lambda: flags.get_provider_status() is ProviderStatus.STALE)
        stale = flags.get_object_details("home_feed", FALLBACK)
        assert (stale.error_code, stale.reason, stale.variant) == (None, "STALE", "pol_1")
        assert heard.last(ProviderEvent.PROVIDER_STALE).message
        service.start()
        wait_until(lambda: flags.get_provider_status() is ProviderStatus.READY)
        service.serve(document(revision=2))
        assert heard.last(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED).flags_changed == ["home_feed"]
        wait_until(lambda: flags.get_object_details("home_feed", FALLBACK).variant == "pol_2")


def test_what_is_remembered_is_served_as_stale_until_a_service_confirms_it() -> None:
    config = ClientConfig(bootstrap=encoded(document()), poll_s=0.1)
    api.set_provider_and_wait(RewardProvider("http://127.0.0.1:9", config, watch_s=0.3))
    flags = api.get_client()
    details = flags.get_object_details("home_feed", FALLBACK, EvaluationContext("u-17"))
    assert (details.reason, details.variant, details.flag_metadata["stale"]) == ("STALE", "pol_1", True)
    wait_until(lambda: flags.get_provider_status() is ProviderStatus.STALE)
    vip = flags.get_object_details("home_feed", FALLBACK, EvaluationContext(attributes={"segment": "vip"}))
    assert vip.error_code == ErrorCode.INVALID_CONTEXT
