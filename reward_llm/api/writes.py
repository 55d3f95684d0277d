"""A request that writes: its document, whose act it is, and the key that it comes with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel

from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Context
from reward_llm.api.headers import act_of, claim_of
from reward_llm.api.refusals import refusals_on_record
from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.errors import InvalidInput, Violation
from reward_llm.validation.text import clean

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What a request asks to be written."""

    document: Any
    act: Act
    claim: IdempotencyClaim | None

    def sent(self, model: type[M]) -> M:
        """The document as the model.

        Raises:
            InvalidInput: If it doesn't fit.
        """
        return validated(model, self.document)

    def because(self, reason: str, path: str = "reason") -> Act:
        """The act with its reason, which must say something.

        Raises:
            InvalidInput: If it says nothing.
        """
        act = self.saying(reason)
        if not act.reason:
            message = "say why"
            raise InvalidInput(message, violations=[Violation(path=path, code="empty", message=message)])
        return act

    def saying(self, words: str) -> Act:
        """The act with words that may say nothing."""
        return replace(self.act, reason=clean(words)[0].strip())


@asynccontextmanager
async def taken(request: Request, here: Context, refusal: str, *, may_be_empty: bool = False) -> AsyncIterator[Write]:
    """The write that a request asks for; what the block refuses goes on record as the action `refusal`.

    Raises:
        BodyTooLarge: If the body is over the limit.
        BodyMalformed: If it isn't one JSON document in UTF-8.
        InvalidInput: If a header can't be used.
    """
    limit = here.services.config.body_limit_bytes
    body = await read_body(request, limit)
    async with refusals_on_record(here.services, refusal, request, body):
        document = {} if may_be_empty and not body else parse_json(body, limit)
        yield Write(
            document=document,
            act=act_of(request, here.services.clock()),
            claim=claim_of(request, document),
        )
