"""Train a team in practice markets, and save it.

    python -m reward_llm.agents.learning FOLDER --rounds 200

A run that is broken off goes on from its folder. `FOLDER/log.csv` and `FOLDER/tensorboard` say how it goes.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ranker.training.journal import progress_bar
from reward_llm.agents.learning.config import MADDPGConfig, PPOConfig
from reward_llm.agents.learning.course import Course, CourseConfig


def main() -> None:
    """Train by what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=CourseConfig().rounds)
    parser.add_argument("--markets", type=int, default=CourseConfig().markets, help="played a round")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--algorithm", choices=("ppo", "maddpg"), default="ppo")
    parser.add_argument("--json", action="store_true", help="print where the team is, as JSON")
    options = parser.parse_args()
    algorithm = PPOConfig() if options.algorithm == "ppo" else MADDPGConfig()
    config = CourseConfig(algorithm=algorithm, rounds=options.rounds, markets=options.markets, seed=options.seed)
    with progress_bar() as on_progress:
        Course(config).go(options.folder, on_progress)
    said = {"folder": str(options.folder), "rounds": options.rounds, "algorithm": options.algorithm}
    print(json.dumps(said) if options.json else f"saved in {options.folder}")


if __name__ == "__main__":
    main()
