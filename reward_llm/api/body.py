"""A request's body: bytes in, one strict JSON document out."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from reward_llm.api.problems import violations_of
from reward_llm.errors import BodyMalformed, BodyTooLarge, InvalidInput, RewardLLMError

M = TypeVar("M", bound=BaseModel)


async def read_body(request: Request, limit: int) -> bytes:
    """The body, or the first bytes of one that is over the limit.

    Raises:
        BodyMalformed: If the client went away before its end.
    """
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                break
    except ClientDisconnect as exc:
        raise BodyMalformed("the body broke off") from exc
    return bytes(body[: limit + 1])


def parse_json(body: bytes, limit: int) -> Any:
    """The document, from JSON that has one reading only.

    Raises:
        BodyTooLarge: If the body is over the limit.
        BodyMalformed: If it isn't UTF-8 or JSON, repeats a key, or holds a number that isn't finite.
    """
    if len(body) > limit:
        raise BodyTooLarge(f"the body is over {limit:,} bytes", hint="Send the part that asks for something.")
    try:
        return json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except UnicodeDecodeError as exc:
        raise BodyMalformed(
            f"byte {exc.start} of the body isn't UTF-8", hint="Encode the body as UTF-8, not GBK or UTF-16."
        ) from exc
    except RecursionError as exc:
        raise BodyMalformed("the body is nested too deeply") from exc
    except json.JSONDecodeError as exc:
        raise BodyMalformed(
            f"the body isn't JSON: {exc.msg} at line {exc.lineno}, column {exc.colno}",
            hint="Send one JSON object.",
        ) from exc


def validated(model: type[M], document: Any, error: type[RewardLLMError] = InvalidInput) -> M:
    """The document as the model.

    Raises:
        RewardLLMError: `error`, with every violation, if it doesn't fit.
    """
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        violations = violations_of(exc.errors(include_url=False, include_context=False, include_input=False))
        message = "the body can't be used: " + "; ".join(map(str, violations))
        raise error(message, violations=violations) from exc


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        repeated, _ = Counter(k for k, _ in pairs).most_common(1)[0]
        raise BodyMalformed(f"the body says {repeated!r} twice")
    return document


def _refuse_constant(constant: str) -> NoReturn:
    raise BodyMalformed(f"{constant} isn't a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BodyMalformed(f"the number {digits[:40]} is too large")
    return value


def _integer(digits: str) -> int:
    _finite(digits)
    return int(digits)
