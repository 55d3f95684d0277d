"""A client behind a network that fails, and what it must do about that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import httpx

from reward_llm.delivery.sdk import ClientConfig, WeightsClient
from tests.live.delivery.writing import SCENARIO, Policy, activate, made
from tests.network import FaultyProxy

PATIENCE_S: Final = 120.0
STALE_AFTER_S: Final = 1.0
BEATS: Final = {"heartbeat_s": "0.3", "refresh_s": "0.2", "backend": "rules"}
"""Settings of a service that speaks often enough for such a client."""
QUICK: Final = {
    "stale_after_s": STALE_AFTER_S,
    "poll_s": 0.3,
    "connect_timeout_s": 1.0,
    "read_timeout_s": 1.0,
}
_STEPS: Final = count()
_MOST_STEPS: Final = 100


def until(condition: Callable[[], Any], what: Callable[[], object] = lambda: None) -> None:
    """Wait for a condition; fail with `what` if it never comes true."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.02)


@dataclass(slots=True)
class Followed:
    """A client, the network it is behind, and the way past that to the service."""

    client: WeightsClient
    proxy: FaultyProxy
    http: httpx.Client
    policies: dict[str, Policy] = field(default_factory=dict)

    def change(self, **terms: Any) -> str:
        """Put another policy into force, past the network; its id."""
        policy = self.prepared()
        activate(self.http, policy, **terms)
        return policy.policy_id

    def prepared(self) -> Policy:
        """A policy that can be activated without making anything else known to the client."""
        policy = made(self.http, next(_STEPS) % _MOST_STEPS + 1)
        self.policies[policy.policy_id] = policy
        return policy

    @property
    def served(self) -> str:
        """The policy that the client has now, whose weights must be exactly its own."""
        weights = self.client.weights(SCENARIO)
        assert weights is not None, self.client.health()
        assert weights.rule != "default", self.client.health()
        assert dict(weights.weights) == dict(self.policies[weights.policy_id].weights)
        assert weights.version == self.policies[weights.policy_id].version
        return weights.policy_id

    @property
    def stale(self) -> bool:
        weights = self.client.weights(SCENARIO)
        assert weights is not None, self.client.health()
        return weights.stale

    @property
    def age_s(self) -> float:
        weights = self.client.weights(SCENARIO)
        assert weights is not None, self.client.health()
        return weights.age_s

    def goes_stale_with(self, policy_id: str) -> None:
        """See that it keeps the last good weights, and says that they are stale and how old."""
        until(lambda: self.served == policy_id and self.stale, self.client.health)
        assert self.client.health().stale
        age_s = max(self.age_s, STALE_AFTER_S)
        until(lambda: self.age_s > age_s and self.client.health().age_s > age_s, self.client.health)
        assert (self.served, self.stale) == (policy_id, True)

    def says_what_is_wrong(self) -> None:
        """See that its health names what is in the way."""
        until(lambda: self.client.health().last_error, self.client.health)

    def gets(self, policy_id: str) -> None:
        """See that it comes to have a policy, and to be sure of it."""
        until(lambda: self.served == policy_id and not self.stale, self.client.health)

    def streams(self) -> None:
        """See that it follows the service's notices."""
        until(lambda: self.client.health().streaming, self.client.health)


@contextmanager
def followed(proxy: FaultyProxy, http: httpx.Client, **config: Any) -> Iterator[Followed]:
    """A client that has a policy of this test's and follows the stream; `http` goes past the proxy."""
    with WeightsClient(proxy.url, ClientConfig(**{**QUICK, **config})) as client:
        made_by_test = Followed(client, proxy, http)
        policy_id = made_by_test.change()
        until(lambda: (w := client.weights(SCENARIO)) and w.policy_id == policy_id, client.health)
        made_by_test.gets(policy_id)
        made_by_test.streams()
        yield made_by_test
