"""Keeps secrets out of the log: by the name that a value stands under, and by what secrets look like."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

HIDDEN: Final = "[redacted]"

_SECRET_NAME: Final = re.compile(
    r"(?i)authorization|cookie|password|passwd|secret|api[_-]?key|private[_-]?key|credential|verifier"
    r"|(?:^|[_-])(?:token|access[_-]token|id[_-]token|refresh[_-]token|nonce)$"
)
_NAMES: Final = (
    r"(?:authorization|cookie|password|passwd|pwd|secret|api[_-]?key|private[_-]?key|verifier|token|nonce)"
)
_QUOTED: Final = re.compile(rf"(?is)({_NAMES}\\*[\"']?\s*[:=]\s*)(\\*)([\"']).*?(?:(?<!\\)(?:\\\\\2\2)*\2\3|\Z)")
"""A quoted value, whose closing quote has as many backslashes as its opening one; a pair of pairs more is the value's
own."""
_PATTERNS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), HIDDEN),
    (re.compile(r"\b(rlm_[A-Za-z0-9]{1,40}_)[\w.~+/=-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b(whsec_)[\w+/=-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{1,1000}\.[\w-]*\.[\w-]*"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic) +(?!rlm_)[\w.~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"((?:__Host-)?reward_llm_(?:session|sign_in)=)[^;\s\"',]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(://[^\s/?#\"'@:]*):[^\s/?#\"']+@"), rf"\1:{HIDDEN}@"),
    (_QUOTED, rf"\1\2\3{HIDDEN}\2\3"),
    (re.compile(rf"(?i)((?:[?&;\s]|^)[\w-]{{0,40}}{_NAMES}=)[^&;\s\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"([?&](?:code|state)=)[^&\s\"']+"), rf"\1{HIDDEN}"),
)
"""What secrets look like: our tokens and their like, headers, cookies, URLs, `name: "value"` and query parameters.

Strangers choose what is searched, so no pattern looks further from each of many places than some characters.
"""
_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s %(message)s"


def redact(text: str) -> str:
    """The text without what looks like a secret.

    >>> redact("no answer from postgresql://app:hunter2@db/weights")
    'no answer from postgresql://app:[redacted]@db/weights'
    >>> redact("Authorization: Bearer rlm_Ab3dEf9h_c2VjcmV0")
    'Authorization: Bearer rlm_Ab3dEf9h_[redacted]'
    """
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redacted_values(_: Any, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A structlog processor: an event without the values that stand under the name of a secret."""
    return {k: _hidden(k, v) for k, v in event.items()}


def redacted_line(_: Any, __: str, line: Any) -> str:
    """A structlog processor behind the renderer: the line without what looks like a secret."""
    return redact(str(line))


class RedactingFormatter(logging.Formatter):
    """Formats without what looks like a secret; for what isn't logged by structlog."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its traceback."""
        return redact(super().format(record))


def standard_logging(level: str) -> dict[str, Any]:
    """The configuration of Python's own logging, which uvicorn, asyncio and the libraries write to."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"redacting": {"()": RedactingFormatter, "fmt": _FORMAT}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "redacting"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"uvicorn": {"level": level.upper()}},
    }


def _hidden(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, Mapping):
        return {k: _hidden(str(k), v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_pair(v) if _is_header(v) else _hidden("", v) for v in value]
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "backslashreplace"))
    return redact(value) if isinstance(value, str) else value


def _is_header(value: Any) -> bool:
    """Whether it is a pair of a name and a value, which ASGI has headers as."""
    return isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str | bytes)


def _pair(pair: Any) -> list[Any]:
    name = pair[0].decode("latin-1") if isinstance(pair[0], bytes) else pair[0]
    return [name, _hidden(name, pair[1])]
