"""How processes hear of each other's changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reward_llm.errors import ConfigurationInvalid
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.delivery.board import Board
    from reward_llm.delivery.hub import Hub
    from reward_llm.domain.ports import ChangeFeed, Clock, FeedSource, Snapshots


def build_feed(settings: Settings) -> ChangeFeed:
    """The feed that the settings choose.

    Raises:
        ConfigurationInvalid: If it can't be used with the other settings.
    """
    from reward_llm.delivery.feeds.kept import KeptFeed
    from reward_llm.delivery.feeds.polling import Polling
    from reward_llm.store.engine import is_postgresql
    from reward_llm.store.feed import PostgresSource

    chosen = settings.feed
    if chosen == "auto":
        chosen = "postgresql" if is_postgresql(settings.database_url) else "polling"
    if chosen == "polling":
        return Polling(settings.refresh_s)
    return KeptFeed(_redis(settings) if chosen == "redis" else PostgresSource(settings.database_url))


def build_hub(settings: Settings, board: Board, snapshots: Snapshots, clock: Clock) -> Hub:
    """What tells those who follow the weights."""
    from reward_llm.delivery.hub import Hub, HubConfig

    config = HubConfig(heartbeat_s=settings.heartbeat_s, max_subscribers=settings.max_subscribers)
    return Hub(board=board, snapshots=snapshots, clock=clock, config=config)


def _redis(settings: Settings) -> FeedSource:
    from reward_llm.store.engine import identity

    if settings.redis_url is None:
        raise ConfigurationInvalid("the redis feed has no server", hint="Set REWARD_LLM_REDIS_URL.")
    try:
        from reward_llm.delivery.feeds.redis import RedisSource
    except ImportError:
        raise ConfigurationInvalid(
            "the redis feed needs the package redis", hint="pip install 'reward-llm[redis]'"
        ) from None
    channel = settings.redis_channel or f"reward-llm:{identity(settings.database_url)}"
    return RedisSource(settings.redis_url.get_secret_value(), channel=channel)
