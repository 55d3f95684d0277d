"""Whether the parts that the service stands on answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping

from reward_llm.api.services import Services
from reward_llm.api.wire.health import Check
from reward_llm.errors import RewardLLMError


async def pinged(services: Services) -> Mapping[str, Check]:
    """What became of a ping of the database and one of the model."""
    store, model = await asyncio.gather(
        _ping(services, services.store.ping(), "the database answers"), _ping_model(services)
    )
    return {"store": store, "model": model}


async def _ping_model(services: Services) -> Check:
    if services.model is None:
        return Check(ok=True, detail="goals are read by rules alone")
    return await _ping(services, services.model.ping(), "the model answers")


async def _ping(services: Services, ping: Awaitable[object], fine: str) -> Check:
    limit_s = services.config.ping_s
    try:
        async with asyncio.timeout(limit_s):
            name = await ping
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {limit_s:g} s")
    except RewardLLMError as exc:
        return Check(ok=False, detail=exc.message)
    return Check(ok=True, detail=f"{fine}: {name}" if name else fine)
