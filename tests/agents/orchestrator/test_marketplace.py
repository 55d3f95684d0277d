from __future__ import annotations

import numpy as np
import pytest

from reward_llm.agents.allocation import MarketView, Slates, StepOutcome
from reward_llm.agents.market.outcomes import Outcomes
from reward_llm.agents.market.play import play
from reward_llm.agents.orchestrator.config import OrchestratorConfig, PageConfig
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace, MarketplaceConfig
from reward_llm.domain.weights import Weights
from tests.agents.markets import USUAL, leaning, opened, played


class EveryThird:
    """Suspects every third creator from the start."""

    def begin(self, view: MarketView) -> None:
        """Nothing to remember."""

    def observe(self, outcome: StepOutcome) -> None:
        """Nothing to learn."""

    def __call__(self, view: MarketView) -> np.ndarray:
        return view.items.creator_I % 3 == 0


def test_boosts_never_take_more_than_a_fifth_of_the_impressions() -> None:
    marketplace, shares = LearnedMarketplace(), []
    made = {"boosted": 0, "all": 0}

    def watch(view: MarketView, slates: Slates) -> None:
        made["boosted"] += int(slates.boosted_BN.sum())
        made["all"] += slates.boosted_BN.size
        shares.append(slates.boosted_BN.mean())

    played(marketplace, opened(weights=lambda: leaning("cold_start", 0.4)), watch)
    assert 0 < made["boosted"] <= 0.2 * made["all"]
    assert max(shares) <= 0.2


def test_at_least_four_of_five_new_contents_of_who_was_not_caught_get_a_first_chance() -> None:
    market, marketplace = opened(), LearnedMarketplace()
    played(marketplace, market)
    view = market.view()
    published = view.day - view.items.age_days_I
    is_judged_I = (published >= 0) & (published < view.day) & ~marketplace._convicted(view)
    assert is_judged_I.sum() > 20
    assert (marketplace.content.accounts.impressions_I[is_judged_I] > 0).mean() >= 0.8


def test_a_seed_fixes_the_whole_run() -> None:
    first, second = (played(LearnedMarketplace(), opened(seed=3)) for _ in range(2))
    assert first == second


def shared(one_BN: np.ndarray, other_BN: np.ndarray) -> float:
    """Of each page, what the other one has as well."""
    return float((one_BN[:, :, None] == other_BN[:, None, :]).any(-1).mean())


def test_new_weights_change_the_very_next_page() -> None:
    market, now = opened(), [Weights(USUAL)]
    config = MarketplaceConfig(orchestrator=OrchestratorConfig(page=PageConfig(trying=0.0)))
    marketplace = LearnedMarketplace(config, weights=lambda: now[0])
    play(market, marketplace, np.random.default_rng(0))
    view, users_B = market.view(), np.arange(20)
    before = marketplace.slates(view, users_B).item_BN
    again = marketplace.slates(view, users_B).item_BN
    now[0] = leaning("gmv", 0.9)
    after = marketplace.slates(view, users_B).item_BN
    assert shared(before, again) > 0.7
    assert shared(before, after) < 0.6
    assert view.items.price_I[after].mean() > view.items.price_I[before].mean()


@pytest.mark.parametrize("utility", ["gmv", "cold_start", "group_order"])
def test_a_weight_moves_what_it_stands_for(utility: str) -> None:
    def reached(weight: float) -> float:
        means = []

        def watch(view: MarketView, slates: Slates) -> None:
            items, item_BN = view.items, slates.item_BN
            facts = {"gmv": items.price_I, "cold_start": items.is_new_I, "group_order": -items.group_I}
            means.append(facts[utility][item_BN].mean())

        played(LearnedMarketplace(), opened(weights=lambda: leaning(utility, weight)), watch)
        return float(np.mean(means))

    assert reached(0.01) < reached(0.4) < reached(0.8)


def test_more_weight_on_diversity_spreads_a_day_s_clicks_and_on_group_order_puts_pages_in_order() -> None:
    def reached(utility: str, weight: float) -> Outcomes:
        return played(LearnedMarketplace(), opened(weights=lambda: leaning(utility, weight)))

    for utility, outcome in (("diversity", "interest_diversity"), ("group_order", "group_order")):
        little, much = (getattr(reached(utility, weight), outcome) for weight in (0.02, 0.4))
        assert little < much


def test_caught_content_is_neither_boosted_nor_shown_while_there_is_other() -> None:
    market, seen = opened(), []
    marketplace = LearnedMarketplace(detector=EveryThird())

    def watch(view: MarketView, slates: Slates) -> None:
        seen.append((view.items.creator_I[slates.item_BN] % 3 == 0).mean())

    played(marketplace, market, watch)
    assert max(seen) == 0
    caught_I = market.view().items.creator_I % 3 == 0
    assert not marketplace.content.accounts.budget_I[caught_I].any()


def test_no_content_that_is_still_unknown_is_tried_on_protected_users() -> None:
    market, marketplace, counts = opened(), LearnedMarketplace(), {"protected": 0, "pages": 0}
    slates = marketplace.slates

    def watched(view, users_B):
        made = slates(view, users_B)
        protected_B = view.users.tenure_days_U[users_B] < 3
        few_BN = marketplace.content.accounts.impressions_I[made.item_BN] < 50
        assert not (few_BN & view.items.is_new_I[made.item_BN])[protected_B].any()
        counts["protected"] += int(protected_B.sum())
        return made

    marketplace.slates = watched
    play(market, marketplace, np.random.default_rng(0))
    assert counts["protected"] > 0


def test_nobody_present_is_no_page() -> None:
    market, marketplace = opened(), LearnedMarketplace()
    marketplace.begin(market.view(), np.random.default_rng(0))
    nobody = np.zeros(0, dtype=np.int64)
    made = marketplace.slates(market.view(), nobody)
    made.check(market.view(), nobody)


def test_it_does_better_than_the_logging_policy() -> None:
    market = opened(seed=1)
    found = played(LearnedMarketplace(), market)
    other = opened(seed=1)
    while not other.over:
        other.begin_day()
        while len(users_B := other.present()):
            other.step(other.logging_slates(users_B))
        other.end_day()
    assert found.ctr > 1.2 * other.outcomes().ctr
    assert found.boost_cost < other.outcomes().boost_cost
