"""How steady two ways to learn are: PPO with a central critic, and MADDPG.

    python benchmarks/stability.py --rounds 40 --seeds 3
    python benchmarks/stability.py --rounds 3 --seeds 2 --days 12 --json

Both teach teams of the same first parameters in the same practice markets. Then each team lives through markets that
neither has seen, with what it has learned and the noise that it learns with. Reported are, with 95 % intervals over
the seeds: the standard deviation of the day's mean satisfaction over the last ten days; the same over the last ten
rounds of training; and how far the actors' raw actions have gone from where they began, 0 being the start.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from ranker.training.journal import read_journal
from reward_llm.agents.learning.checkpoint import Checkpoint
from reward_llm.agents.learning.config import MADDPGConfig, PPOConfig
from reward_llm.agents.learning.course import Course, CourseConfig, usual_weights
from reward_llm.agents.learning.journal import LOG
from reward_llm.agents.learning.minds import KINDS
from reward_llm.agents.learning.recording import RecordingMinds
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.play import play
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace
from reward_llm.agents.simulation.intervals import mean_interval
from reward_llm.agents.simulation.run import market_of
from reward_llm.domain.weights import Weights

ALGORITHMS: dict[str, PPOConfig | MADDPGConfig] = {"ppo": PPOConfig(), "maddpg": MADDPGConfig()}
LAST = 10
UNSEEN_SEED = 1_000_000
"""Markets of practice have smaller seeds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """What one team came to."""

    days_std: float
    rounds_std: float
    satisfaction: float
    raw_action: float


def main() -> None:
    """Train, live through the unseen markets, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    unseen = market_of(options.users, options.days)
    found: dict[str, list[Steadiness]] = {name: [] for name in ALGORITHMS}
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("teams", total=len(ALGORITHMS) * options.seeds)
        for seed in range(options.seeds):
            for name in ALGORITHMS:
                found[name].append(measure(name, seed, options.rounds, unseen))
                bar.advance(task)
    rows = {name: summary(teams) for name, teams in found.items()}
    if options.json:
        print(json.dumps({"rounds": options.rounds, "seeds": options.seeds, "rows": rows}, indent=2))
    else:
        show(rows)


def measure(name: str, seed: int, rounds: int, unseen: MarketConfig) -> Steadiness:
    config = replace(CourseConfig(), algorithm=ALGORITHMS[name], rounds=rounds, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        team = Course(config).go(Path(folder))
        rounds_said = [float(row["market/satisfaction"]) for row in read_journal(Path(folder) / LOG)]
    days, raw = lived(team, config, unseen, UNSEEN_SEED + seed)
    return Steadiness(
        days_std=float(np.std(days[-LAST:])),
        rounds_std=float(np.std(rounds_said[-LAST:])),
        satisfaction=float(np.mean(days[-LAST:])),
        raw_action=raw,
    )


def lived(team: Checkpoint, config: CourseConfig, unseen: MarketConfig, seed: int) -> tuple[list[float], float]:
    """The satisfaction of each day, and the mean size of the raw actions without noise."""
    algorithm, generator = config.algorithm, torch.Generator().manual_seed(seed)
    if isinstance(algorithm, PPOConfig):
        minds = RecordingMinds(team.actors, generator)
    else:
        minds = RecordingMinds(team.actors, generator, bound=algorithm.bound, noise=algorithm.noise)
    served = Weights(usual_weights())
    market = Market(unseen, seed=seed, weights=lambda: served)
    play(market, LearnedMarketplace(config.marketplace, minds=minds), np.random.default_rng(seed))
    sizes = []
    for kind in KINDS:
        rollout = minds.rollout(kind)
        if rollout is not None:
            with torch.no_grad():
                sizes.append(team.actors[kind](rollout.observation_TNO[rollout.present_TN]).abs().mean().item())
    return [day.satisfaction for day in market.days_log], float(np.mean(sizes))


def summary(teams: list[Steadiness]) -> dict[str, dict[str, float]]:
    columns = {name: [getattr(team, name) for team in teams] for name in Steadiness.__slots__}
    return {name: asdict(mean_interval(values)) for name, values in columns.items()}


def show(rows: dict[str, dict[str, dict[str, float]]]) -> None:
    table = Table("", *Steadiness.__slots__)
    for name, row in rows.items():
        cells = [f"{cell['mean']:.4f} [{cell['low']:.4f}, {cell['high']:.4f}]" for cell in row.values()]
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
