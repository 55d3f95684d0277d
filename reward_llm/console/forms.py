"""What a form sends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from reward_llm.errors import BodyTooLarge, ServiceRefused

_MAX_FIELDS: Final = 1_000


class Form:
    """The fields of a form, each perhaps several times; a missing one is empty."""

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        self.fields = tuple(fields)
        self._values: dict[str, list[str]] = {}
        for name, value in fields:
            self._values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        """The last value of a field, without the space around it."""
        return self._values.get(name, [""])[-1].strip()

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def raw(self, name: str) -> str:
        """The last value of a field as it was sent, but with plain line feeds."""
        return self._values.get(name, [""])[-1].replace("\r\n", "\n")

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return self._values.get(name, [])

    def number(self, name: str) -> float | str | None:
        """The number in a field, None if that is empty; what is no number is left to the interface to refuse."""
        text = self[name].replace(",", "")
        try:
            number = float(text) if text else None
        except ValueError:
            return self[name]
        return number if number is None or math.isfinite(number) else self[name]

    def whole(self, name: str) -> int | float | str | None:
        """The same for a whole number; what is none is left to the interface to refuse as well."""
        number = self.number(name)
        return int(number) if isinstance(number, float) and number.is_integer() else number

    def prefixed(self, prefix: str) -> Mapping[str, str]:
        """The fields whose names begin so, by what follows."""
        return {name.removeprefix(prefix): self[name] for name in self if name.startswith(prefix)}


def nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that are named by their paths as a document, without the empty ones.

    >>> nested({"name": "", "slew": 0.02, "envelope.min": 0.0, "envelope.max": None})
    {'slew': 0.02, 'envelope': {'min': 0.0}}
    """
    document: dict[str, Any] = {}
    for path, value in fields.items():
        if value is not None and value != "":
            *parts, name = path.split(".")
            inner = document
            for part in parts:
                inner = inner.setdefault(part, {})
            inner[name] = value
    return document


def beside(refusal: ServiceRefused | None, names: Sequence[str]) -> dict[str, str]:
    """What the interface finds wrong with fields that are named by their paths, such as `envelope.min`.

    What is wrong with a whole part stands beside the first of its fields.
    """
    found: dict[str, str] = {}
    for violation in refusal.violations if refusal else ():
        path = violation.path.replace("/", ".")
        name = next((n for n in names if f"{n}.".startswith(f"{path}.")), None)
        if name:
            found[name] = "; ".join(filter(None, (found.get(name), violation.message)))
    return found


async def read_form(request: Request, limit_bytes: int) -> Form:
    """The form that a request carries.

    Raises:
        BodyTooLarge: If it is over the limit, or has over a thousand fields.
    """
    body = await request.body()
    if len(body) > limit_bytes:
        raise BodyTooLarge(f"the form is over {limit_bytes:,} bytes", hint="Send a shorter text.")
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError as exc:
        raise BodyTooLarge(f"the form has over {_MAX_FIELDS:,} fields", hint="Send fewer.") from exc
    return Form(fields)
