"""What was refused goes on record as well."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from fastapi import Request

from reward_llm.api.headers import refused_act_of
from reward_llm.api.redaction import redact
from reward_llm.api.services import Services
from reward_llm.errors import RewardLLMError, StoreUnavailable

MAX_BODY_CHARS: Final = 2_000
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def refusals_on_record(services: Services, action: str, request: Request, body: bytes) -> AsyncIterator[None]:
    """Record any error of the block but the store's own, and raise it again."""
    try:
        yield
    except StoreUnavailable:
        raise
    except RewardLLMError as exc:
        details = {"code": exc.code, "detail": redact(exc.message), "body": excerpt(body)}
        try:
            await services.store.record_refusal(refused_act_of(request, services.clock()), action, details)
        except StoreUnavailable as away:
            _log.warning("refusal.not_recorded", action=action, code=exc.code, error=away.message)
        raise


def excerpt(body: bytes) -> str:
    """The beginning of a body, with what isn't text written out, and without what looks like a secret."""
    text = redact(body[: 4 * MAX_BODY_CHARS].decode("utf-8", "backslashreplace"))
    return _CONTROLS.sub(lambda m: f"\\x{ord(m[0]):02x}", text)[:MAX_BODY_CHARS]
