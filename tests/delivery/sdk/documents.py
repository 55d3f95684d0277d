"""Snapshots as the service writes them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reward_llm.delivery.sdk.reading import parse
from reward_llm.delivery.sdk.snapshot import Snapshot

UTILITIES = ("click", "gmv")


def moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def policy(version: int, utilities: Sequence[str] = UTILITIES) -> dict[str, Any]:
    """A policy whose first weight tells its version."""
    first = round(version / 1000, 4)
    rest = dict.fromkeys(utilities[1:], (1 - first) / (len(utilities) - 1))
    return {
        "policy_id": f"pol_{version}",
        "version": version,
        "weights": {utilities[0]: first, **rest},
        "source": "human" if version else "default",
    }


def activation(
    sequence: int, *, start: datetime, end: datetime | None = None, percent: float = 100.0
) -> dict[str, Any]:
    return {
        "activation": sequence,
        **policy(sequence),
        "percent": percent,
        "start": moment(start),
        "end": moment(end),
    }


def item(
    scenario: str = "home_feed",
    segment: str | None = None,
    *,
    activations: Iterable[Mapping[str, Any]] = (),
    frozen: bool = False,
    default: int = 0,
    rule: str = "default",
) -> dict[str, Any]:
    held = policy(default)
    return {
        "scenario": scenario,
        "segment": segment,
        "policy_id": held["policy_id"],
        "version": held["version"],
        "utilities": list(UTILITIES),
        "weights": held["weights"],
        "vector": list(held["weights"].values()),
        "source": held["source"],
        "rule": rule,
        "rollout": None,
        "valid_until": None,
        "frozen": frozen,
        "default": held,
        "activations": list(activations),
    }


def document(
    *items: Mapping[str, Any],
    revision: int = 1,
    as_of: datetime | None = None,
    stale: bool = False,
    age_s: float = 0.0,
) -> dict[str, Any]:
    return {
        "revision": revision,
        "as_of": moment(as_of or datetime.now(UTC)),
        "stale": stale,
        "age_s": age_s,
        "items": list(items) or [item(default=revision), item(segment="new_user", default=revision)],
    }


def encoded(snapshot: Mapping[str, Any]) -> bytes:
    return json.dumps(snapshot, separators=(",", ":")).encode()


def etag_of(snapshot: Mapping[str, Any]) -> str:
    """The entity tag that the service gives it: the hash of its items' hashes."""
    digests = [hashlib.sha256(encoded(item)).digest() for item in snapshot["items"]]
    return hashlib.sha256(b"".join(digests)).hexdigest()[:32]


def read(snapshot: Mapping[str, Any]) -> Snapshot:
    return parse(encoded(snapshot))
