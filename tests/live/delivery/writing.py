"""Policies of the home feed that differ a little, and putting them into force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tests.strategies import HOME_FEED

SCENARIO: Final = "home_feed"
DEFAULTS: Final = dict(HOME_FEED.defaults)
UTILITIES: Final = tuple(HOME_FEED.utility_names)
LOOKUP: Final = f"/v1/weights/{SCENARIO}"
SNAPSHOT: Final = "/v1/weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a policy's readers must see: these weights under this id and version, and no others."""

    policy_id: str
    version: int
    weights: Mapping[str, float]


def edit(step: int, segment: str | None = None) -> dict[str, Any]:
    """The body of a policy that lies `step` thousandths off the defaults, which needs no approval."""
    weights = DEFAULTS | {"click": DEFAULTS["click"] + step / 1000, "gmv": DEFAULTS["gmv"] - step / 1000}
    return {"scenario": SCENARIO, "segment": segment, "weights": weights, "reason": f"step {step}"}


def policy_of(answer: httpx.Response) -> Policy:
    """The policy that an answer to an edit tells of."""
    made = answer.raise_for_status().json()
    return Policy(policy_id=made["policy_id"], version=made["version"], weights=made["weights"])


def made(http: httpx.Client, step: int, segment: str | None = None) -> Policy:
    return policy_of(http.post("/v1/policies", json=edit(step, segment)))


def activate(http: httpx.Client, policy: Policy, **terms: Any) -> int:
    """Put it into force; the activation's number."""
    answer = http.post(f"/v1/policies/{policy.policy_id}/activation", json=terms).raise_for_status()
    sequence: int = answer.json()["sequence"]
    return sequence
