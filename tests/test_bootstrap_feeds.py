from __future__ import annotations

import sys

import pytest

from reward_llm import bootstrap
from reward_llm.bootstrap.feeds import build_feed
from reward_llm.errors import ConfigurationInvalid

POSTGRESQL = "postgresql://ann:s3cret@db/reward"
REDIS = "redis://ann:s3cret@cache:6379/0"


@pytest.mark.parametrize(
    ("chosen", "kind"),
    [
        ({}, "polling"),
        ({"database_url": POSTGRESQL}, "postgresql"),
        ({"database_url": POSTGRESQL, "redis_url": REDIS}, "postgresql"),
        ({"database_url": POSTGRESQL, "feed": "polling"}, "polling"),
        ({"database_url": POSTGRESQL, "feed": "redis", "redis_url": REDIS}, "redis"),
        ({"feed": "redis", "redis_url": REDIS, "redis_channel": "shop"}, "redis"),
    ],
)
def test_the_settings_choose_the_feed(chosen: dict[str, str], kind: str) -> None:
    assert build_feed(bootstrap.load_settings(**chosen)).kind == kind


@pytest.mark.parametrize(
    ("chosen", "hint"),
    [
        ({"feed": "redis"}, "REWARD_LLM_REDIS_URL"),
        ({"feed": "redis", "redis_url": "http://ann:s3cret@cache"}, "rediss://"),
        ({"feed": "postgresql"}, "postgresql://"),
    ],
)
def test_a_feed_that_the_other_settings_do_not_allow_is_refused(chosen: dict[str, str], hint: str) -> None:
    with pytest.raises(ConfigurationInvalid) as refused:
        build_feed(bootstrap.load_settings(**chosen))
    assert hint in (refused.value.hint or "")
    assert "s3cret" not in str(refused.value)


def test_the_redis_feed_says_which_package_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reward_llm.delivery.feeds.redis", None)
    with pytest.raises(ConfigurationInvalid, match="package redis") as refused:
        build_feed(bootstrap.load_settings(feed="redis", redis_url=REDIS))
    assert "reward-llm[redis]" in (refused.value.hint or "")


def test_the_servers_password_is_not_shown_with_the_settings() -> None:
    assert "s3cret" not in repr(bootstrap.load_settings(redis_url=REDIS))
