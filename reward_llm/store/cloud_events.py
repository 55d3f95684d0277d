"""Audit records as others are told of them: CloudEvents 1.0 in JSON, structured mode."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, Final
from urllib.parse import quote

from reward_llm.domain.act import Act

MAX_BODY_BYTES: Final = 65_536
"""The size that the CloudEvents specification wants every intermediary to carry."""
_SOURCE: Final = "/reward-llm"


def event_body(
    act: Act,
    *,
    event_id: str,
    sequence: int,
    action: str,
    subject: str,
    scenario: str,
    patch: Sequence[Mapping[str, Any]],
    details: Mapping[str, Any],
) -> str:
    """The event in ASCII; without the patch, and if need be without the details, where it would be too large.

    Whoever is told so by `omitted` finds them in the audit log, under the sequence.
    """
    data: dict[str, Any] = {
        "sequence": sequence,
        "action": action,
        "subject": subject,
        "scenario": scenario or None,
        "at": _written(act),
        "actor": act.actor,
        "reason": act.reason,
        "details": details,
        "patch": patch,
        "omitted": [],
    }
    attributes = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"{_SOURCE}/scenarios/{quote(scenario, safe='')}" if scenario else _SOURCE,
        "type": f"reward-llm.{action}",
        "time": _written(act),
        "datacontenttype": "application/json",
        "sequence": f"{sequence:020}",
    }
    if subject:
        attributes["subject"] = subject
    return _fitting(attributes, data)


def _fitting(attributes: Mapping[str, Any], data: dict[str, Any]) -> str:
    body = _json({**attributes, "data": data})
    for name in ("patch", "details", "reason"):
        if len(body) <= MAX_BODY_BYTES:
            break
        data = {**data, name: None, "omitted": [*data["omitted"], name]}
        body = _json({**attributes, "data": data})
    return body


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def _written(act: Act) -> str:
    return act.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
