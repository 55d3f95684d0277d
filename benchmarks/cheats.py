"""How well creators who buy clicks are caught: precision and recall on planted cheats.

    python benchmarks/cheats.py --seeds 10
    python benchmarks/cheats.py --seeds 3 --json

Markets of the usual size are run by item-to-item collaborative filtering for 30 days, with the detector beside it. A
creator counts as caught when the detector says so; those that the platform's own audits convict are left out on both
sides. Precision and recall
are over creators, all seeds together, with 95 % Wilson intervals.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict, dataclass

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from reward_llm.agents.allocation import MarketView, StepOutcome
from reward_llm.agents.baselines.item_cf import ItemCF
from reward_llm.agents.content.cheats import CheatDetector
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.play import play
from reward_llm.domain.weights import Weights

WEIGHTS = Weights(
    {
        "click": 0.25,
        "gmv": 0.20,
        "satisfaction": 0.15,
        "retention": 0.15,
        "diversity": 0.10,
        "cold_start": 0.10,
        "group_order": 0.05,
    }
)
DAYS = (5, 10, 20, 30)
Z = 1.96


class Watched(ItemCF):
    """A filter that watches for cheats, and lets them go on."""

    def __init__(self) -> None:
        super().__init__()
        self.detector = CheatDetector()
        self.caught: dict[int, set[int]] = {}

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start both."""
        super().begin(view, generator)
        self.detector.begin(view)

    def observe(self, outcome: StepOutcome) -> None:
        """Tell both."""
        super().observe(outcome)
        self.detector.observe(outcome)

    def end_day(self, view: MarketView) -> None:
        """Note who was caught by now."""
        super().end_day(view)
        caught_I = self.detector(view)
        self.caught[view.day + 1] = set(view.items.creator_I[caught_I].tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How things stand after so many days, all seeds together."""

    day: int
    cheats: int
    caught: int
    wrongly: int

    @property
    def precision(self) -> float:
        """Give the share of those caught who cheat."""
        return self.caught / max(1, self.caught + self.wrongly)

    @property
    def recall(self) -> float:
        """Give the share of the cheats who were caught."""
        return self.caught / max(1, self.cheats)


def measured(seeds: range) -> list[Row]:
    totals = {day: [0, 0, 0] for day in DAYS}
    for seed in track(seeds, description="Markets", console=Console(stderr=True)):
        market = Market(MarketConfig(), seed=seed, weights=lambda: WEIGHTS)
        watched = Watched()
        play(market, watched, np.random.default_rng(seed))
        convicted = set(np.flatnonzero(market.creators.convicted_C).tolist())
        cheats = set(np.flatnonzero(market.creators.cheats_C).tolist()) - convicted
        for day in DAYS:
            caught = watched.caught[day] - convicted
            for place, number in enumerate((len(cheats), len(caught & cheats), len(caught - cheats))):
                totals[day][place] += number
    return [Row(day=day, cheats=c, caught=k, wrongly=w) for day, (c, k, w) in totals.items()]


def wilson(part: int, whole: int) -> tuple[float, float]:
    if not whole:
        return 0.0, 1.0
    share = part / whole
    centre = (share + Z**2 / (2 * whole)) / (1 + Z**2 / whole)
    half = Z * math.sqrt(share * (1 - share) / whole + Z**2 / (4 * whole**2)) / (1 + Z**2 / whole)
    return max(0.0, centre - half), min(1.0, centre + half)


def shown(part: int, whole: int) -> str:
    low, high = wilson(part, whole)
    return f"{part / max(1, whole):.1%} ({low:.1%} to {high:.1%})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first market's seed")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = measured(range(given.first, given.first + given.seeds))
    if given.json:
        print(json.dumps([asdict(row) | {"precision": row.precision, "recall": row.recall} for row in rows]))
        return
    table = Table("after days", "cheats", "caught", "wrongly", "precision", "recall", title=f"{given.seeds} markets")
    for row in rows:
        precision = shown(row.caught, row.caught + row.wrongly)
        counts = (row.day, row.cheats, row.caught, row.wrongly)
        table.add_row(*map(str, counts), precision, shown(row.caught, row.cheats))
    Console().print(table)


if __name__ == "__main__":
    main()
