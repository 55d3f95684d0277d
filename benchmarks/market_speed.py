"""How many user-steps a second the market makes: a user-step is one page that one user reacts to.

    python benchmarks/market_speed.py --processes 2
    python benchmarks/market_speed.py --users 1000 4000 16000 --json

Each process plays markets of its own with random slates that are drawn before the clock starts; views, checks, nights
and outside visits are in the time. "By the clock" is what all processes made together while the slowest ran; "by
processor time" is what each made in a second of its core, added up: the same on a machine that others use as well.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from dataclasses import asdict, dataclass, replace

import numpy as np
from rich.console import Console
from rich.table import Table

from reward_llm.agents.allocation import UTILITIES, Slates
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.domain.weights import Weights

POOL = 512
"""Random slates that are drawn before, and dealt out in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process did."""

    steps: int
    wall_s: float
    processor_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """User-steps a second of all processes."""

    users: int
    processes: int
    users_a_page: float
    by_the_clock: float
    by_processor_time: float


def run(users: int, days: int, seed: int) -> Run:
    config = MarketConfig()
    config = replace(config, scale=replace(config.scale, users=users, days=days, warm_up_days=0))
    even = Weights(dict.fromkeys(UTILITIES, 1 / len(UTILITIES)))
    market = Market(config, seed=seed, weights=lambda: even)
    generator = np.random.default_rng(seed)
    items = config.scale.items
    pool = np.stack([generator.permutation(items)[: config.scale.slate] for _ in range(POOL)])
    steps, wall, processor = 0, time.perf_counter(), time.process_time()
    while not market.over:
        market.begin_day()
        while len(users_B := market.present()):
            market.step(Slates.plain(pool[(users_B + market.step_of_day) % POOL]))
            steps += len(users_B)
        market.end_day()
    return Run(steps=steps, wall_s=time.perf_counter() - wall, processor_s=time.process_time() - processor)


def measured(users: int, days: int, processes: int) -> Speed:
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.starmap(run, [(users, 1, seed) for seed in range(processes)])
        runs = pool.starmap(run, [(users, days, seed) for seed in range(processes)], chunksize=1)
    steps = sum(one.steps for one in runs)
    return Speed(
        users=users,
        processes=processes,
        users_a_page=steps / processes / days / MarketConfig().scale.pages,
        by_the_clock=steps / max(one.wall_s for one in runs),
        by_processor_time=sum(one.steps / one.processor_s for one in runs),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, nargs="+", default=[1_000, 4_000, 16_000])
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    speeds = [measured(users, given.days, given.processes) for users in given.users]
    if given.json:
        print(json.dumps([asdict(speed) for speed in speeds]))
        return
    table = Table("users", "on a page", "by the clock", "by processor time", title="user-steps a second")
    for speed in speeds:
        table.add_row(
            f"{speed.users:,}",
            f"{speed.users_a_page:.0f}",
            f"{speed.by_the_clock:,.0f}",
            f"{speed.by_processor_time:,.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
