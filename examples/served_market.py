"""The agents live in a market under the weights that a service serves, looked up through the SDK at every page.

    reward-llm serve --dev &
    python examples/served_market.py

Whenever a policy is activated meanwhile, the next page is filled by it; each day that ends says by which one.
"""

from __future__ import annotations

import argparse

import numpy as np

from reward_llm.agents.market.market import Market
from reward_llm.agents.market.outcomes import DayLog
from reward_llm.agents.market.play import play
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace
from reward_llm.agents.simulation.run import known_weights, market_of
from reward_llm.delivery.sdk import WeightsClient
from reward_llm.domain.weights import Weights


class ServedWeights:
    """What a scenario is served, in the market's words; utilities that have these by other names aren't known to it.

    `policies` are the ids of those that were served so far, in order.
    """

    def __init__(self, client: WeightsClient, scenario: str) -> None:
        self._client = client
        self._scenario = scenario
        self.policies: list[str] = []

    def __call__(self) -> Weights:
        """The weights now.

        Raises:
            SystemExit: If the service has never been reached, or doesn't know the scenario.
        """
        found = self._client.weights(self._scenario)
        if found is None:
            raise SystemExit(
                f"no weights of {self._scenario}: is the service running, and the scenario one of its own?"
            )
        if found.policy_id not in self.policies[-1:]:
            self.policies.append(found.policy_id)
        return known_weights(found.weights)


def main() -> None:
    """Live through some days, and tell of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8300")
    parser.add_argument("--scenario", default="home_feed")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--users", type=int, default=200)
    options = parser.parse_args()
    with WeightsClient(options.url) as client:
        client.wait_ready(10)
        served = ServedWeights(client, options.scenario)

        def told(log: DayLog) -> None:
            if log.day >= 0:
                new = log.new_impressions / max(log.impressions, 1)
                shown = f"{log.visitors:5} visitors  {new:6.1%} new content  satisfaction {log.satisfaction:.3f}"
                print(f"day {log.day + 1:2}  {shown}  by {served.policies[-1]}", flush=True)

        market = Market(market_of(options.users, options.days), seed=0, weights=served)
        play(market, LearnedMarketplace(weights=served), np.random.default_rng(0), on_day=told)


if __name__ == "__main__":
    main()
