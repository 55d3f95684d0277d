from __future__ import annotations

import sys

import pytest

from reward_llm import bootstrap
from reward_llm.bootstrap.events import build_events, build_source
from reward_llm.errors import ConfigurationInvalid

REDIS = "redis://ann:s3cret@cache:6379/0"
URLS = {"nats": "nats://ann:s3cret@queue:4222", "redis": REDIS, "kafka": "queue:9092,other:9092"}


async def test_events_stay_in_the_service_unless_a_broker_is_named() -> None:
    room = build_events(bootstrap.load_settings())
    assert len(room.background) == 1
    for close in room.closers:
        await close()


@pytest.mark.parametrize("kind", list(URLS))
async def test_the_settings_choose_the_broker(kind: str) -> None:
    chosen = {"events": kind, "events_url": URLS[kind], "agents_state": "redis", "redis_url": REDIS}
    settings = bootstrap.load_settings(**chosen)
    room = build_events(settings)
    assert room.background == ()
    assert build_source(settings, "g").kind == kind
    for close in room.closers:
        await close()


@pytest.mark.parametrize(
    ("chosen", "hint"),
    [
        ({"events": "nats"}, "REWARD_LLM_AGENTS_STATE=redis"),
        ({"events": "nats", "agents_state": "redis", "redis_url": REDIS}, "REWARD_LLM_EVENTS_URL"),
        ({"agents_state": "redis"}, "REWARD_LLM_REDIS_URL"),
        ({"agents_state": "redis", "redis_url": "http://cache"}, "redis://"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(chosen: dict[str, str], hint: str) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        build_events(bootstrap.load_settings(**chosen))
    assert hint in (refused.value.hint or "")
    assert "s3cret" not in str(refused.value)


async def test_workers_need_a_broker() -> None:
    with pytest.raises(ConfigurationInvalid, match="the service itself"):
        await bootstrap.run_agents_worker(bootstrap.load_settings())


def test_a_broker_whose_client_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reward_llm.feedback.intake.streams.nats", None)
    settings = bootstrap.load_settings(events="nats", events_url=URLS["nats"], agents_state="redis", redis_url=REDIS)
    with pytest.raises(ConfigurationInvalid) as refused:
        build_events(settings)
    assert "reward-llm[events]" in (refused.value.hint or "")
