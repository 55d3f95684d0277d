"""Whether the parts that the service stands on answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

from reward_llm.api.lookup_services import LookupServices
from reward_llm.api.wire.health import Check
from reward_llm.errors import RewardLLMError

if TYPE_CHECKING:
    from reward_llm.domain.ports import LanguageModel


async def pinged(services: LookupServices) -> Mapping[str, Check]:
    """What became of a ping of the database."""
    return {"store": await _ping(services, services.store.ping(), "the database answers")}


async def pinged_with_model(services: LookupServices, model: LanguageModel | None) -> Mapping[str, Check]:
    """The same, and what became of a ping of the model."""
    store, asked = await asyncio.gather(pinged(services), _ping_model(services, model))
    return {**store, "model": asked}


async def _ping_model(services: LookupServices, model: LanguageModel | None) -> Check:
    if model is None:
        return Check(ok=True, detail="goals are read by rules alone")
    return await _ping(services, model.ping(), "the model answers")


async def _ping(services: LookupServices, ping: Awaitable[object], fine: str) -> Check:
    limit_s = services.config.ping_s
    try:
        async with asyncio.timeout(limit_s):
            name = await ping
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {limit_s:g} s")
    except RewardLLMError as exc:
        return Check(ok=False, detail=exc.message)
    return Check(ok=True, detail=f"{fine}: {name}" if name else fine)
