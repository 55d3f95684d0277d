"""Events in, and the agents that live by them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reward_llm.errors import ConfigurationInvalid
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.agents.live.stores import StateStore
    from reward_llm.domain.ports.agents import Allocator
    from reward_llm.domain.ports.events import EventIntake, EventSink, EventSource
    from reward_llm.feedback.intake.streams.links import Link

AGENTS: Final = "agents"
"""The group of workers that keep the agents' state."""
_EVENTS_EXTRA: Final = "pip install 'reward-llm[events]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRoom:
    """Where events come in, and who decides by them; works for the background, and what is closed in the end."""

    intake: EventIntake
    allocator: Allocator
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...]
    closers: tuple[Callable[[], Awaitable[None]], ...]


def build_events(settings: Settings, others: Sequence[EventSink] = ()) -> EventRoom:
    """What the service does with events: all of it where the stream is local, else it hands them to the broker.

    Args:
        settings: Which stream, and where the state is.
        others: Who else is told of events, before the stream is.

    Raises:
        ConfigurationInvalid: If the settings don't fit together.
    """
    from reward_llm.agents.live.config import DecisionConfig, StateConfig
    from reward_llm.agents.live.decisions import LiveAgents
    from reward_llm.agents.live.updater import Updater
    from reward_llm.feedback.intake.intake import Intake
    from reward_llm.feedback.intake.local import LocalStream

    config = StateConfig()
    store = _build_store(settings, config.kept_s)
    agents = LiveAgents(store, config, DecisionConfig(), random.Random())  # noqa: S311 - explores, keeps no secret
    if settings.events == "local":
        stream = LocalStream()
        intake = Intake([*others, stream])
        updater = Updater(store, config)
        return EventRoom(
            intake=intake,
            allocator=agents,
            background=(lambda: updater.run(stream),),
            closers=(intake.aclose, agents.aclose),
        )
    from reward_llm.feedback.intake.streams.sink import BrokerSink

    intake = Intake([*others, BrokerSink(settings.events, _opener(settings))])
    return EventRoom(intake=intake, allocator=agents, background=(), closers=(intake.aclose, agents.aclose))


async def run_agents_worker(settings: Settings) -> None:
    """Keep the agents' state up with the broker's events until cancelled.

    Raises:
        ConfigurationInvalid: If there is no broker, or it can't be used with the other settings.
    """
    from reward_llm.agents.live.config import StateConfig
    from reward_llm.agents.live.updater import Updater

    if settings.events == "local":
        raise ConfigurationInvalid(
            "local events are worked on by the service itself",
            hint="Set REWARD_LLM_EVENTS to nats, redis or kafka for workers.",
        )
    config = StateConfig()
    store = _build_store(settings, config.kept_s)
    try:
        await Updater(store, config).run(build_source(settings, AGENTS))
    finally:
        await store.aclose()


def build_source(settings: Settings, group: str) -> EventSource:
    """The broker's events, for one of a group of workers; each group is handed all of them.

    Raises:
        ConfigurationInvalid: If the broker can't be used.
    """
    from reward_llm.feedback.intake.streams.source import BrokerSource

    return BrokerSource(settings.events, group, _opener(settings))


def _build_store(settings: Settings, kept_s: int) -> StateStore:
    if settings.agents_state == "memory":
        from reward_llm.agents.live.stores.memory import MemoryStates

        if settings.events != "local":
            raise ConfigurationInvalid(
                "workers and the service can't share a memory", hint="Set REWARD_LLM_AGENTS_STATE=redis."
            )
        return MemoryStates()
    if settings.redis_url is None:
        raise ConfigurationInvalid("the agents' state has no server", hint="Set REWARD_LLM_REDIS_URL.")
    from reward_llm.store.engine import identity

    try:
        from reward_llm.agents.live.stores.redis import RedisStates
    except ImportError:
        raise ConfigurationInvalid(
            "the agents' state in redis needs the package redis", hint="pip install 'reward-llm[redis]'"
        ) from None
    prefix = settings.redis_channel or f"reward-llm:{identity(settings.database_url)}"
    return RedisStates(settings.redis_url.get_secret_value(), prefix=f"{prefix}:agents", kept_s=kept_s)


def _opener(settings: Settings) -> Callable[[], Link]:
    """Gives new connections to the broker of the settings."""
    if settings.events_url is None:
        raise ConfigurationInvalid(f"the {settings.events} stream has no server", hint="Set REWARD_LLM_EVENTS_URL.")
    url, name = settings.events_url.get_secret_value(), settings.events_stream
    try:
        if settings.events == "nats":
            from reward_llm.feedback.intake.streams.nats import NatsLink

            return lambda: NatsLink(url, stream=name)
        if settings.events == "redis":
            from reward_llm.feedback.intake.streams.redis import RedisLink

            return lambda: RedisLink(url, stream=name)
        from reward_llm.feedback.intake.streams.kafka import KafkaLink
    except ImportError as exc:
        raise ConfigurationInvalid(f"the {settings.events} stream needs {exc.name}", hint=_EVENTS_EXTRA) from None
    return lambda: KafkaLink(url, topic=name)
