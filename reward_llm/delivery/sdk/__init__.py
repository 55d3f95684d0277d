"""Looking weights up from a ranking service: in memory, kept fresh, with the last good ones when all else fails.

    service ── stream, polling ──► refresh ──► table in memory ──► client.weights("home_feed", "new_user", "user_17")
    files   ── bootstrap, cache ────────┘

It needs nothing of the service's own dependencies but httpx and httpx-sse.

>>> import json
>>> weights = {"click": 0.7, "gmv": 0.3}
>>> policy = {"policy_id": "pol_1", "version": 3, "weights": weights, "source": "human"}
>>> item = {"scenario": "home_feed", "segment": None, **policy, "utilities": ["click", "gmv"], "rule": "default"}
>>> item |= {"frozen": False, "default": policy, "activations": []}
>>> snapshot = {"revision": 7, "as_of": "2026-06-18T12:00:00Z", "stale": False, "age_s": 0.0, "items": [item]}
>>> with WeightsClient("http://127.0.0.1:9", bootstrap=json.dumps(snapshot).encode()) as client:
...     found = client.weights("home_feed", unit="user_17")
>>> found.policy_id, found.weights["gmv"], found.vector, found.stale
('pol_1', 0.3, (0.7, 0.3), True)
>>> client.health().source
'bootstrap'
"""

from reward_llm.delivery.sdk.aio import AsyncWeightsClient
from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.client import WeightsClient
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.health import ClientHealth
from reward_llm.delivery.sdk.weights import Rollout, Weights

__all__ = [
    "AsyncWeightsClient",
    "ClientChange",
    "ClientConfig",
    "ClientHealth",
    "Rollout",
    "Weights",
    "WeightsClient",
]
