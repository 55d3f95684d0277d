"""Off-policy estimates on the Open Bandit Dataset's small logs: each policy's CTR from the other one's log.

    python benchmarks/open_bandit.py --data ../shared/data/openbandit

Contexts are the three positions. What the Thompson policy chooses is how often it did, by position: it hasn't looked
at users, and its changes over the week are averaged. The on-policy value is the mean of the policy's own log.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from reward_llm.feedback.offpolicy.decisions import LoggedDecisions
from reward_llm.feedback.offpolicy.direct import cross_fitted
from reward_llm.feedback.offpolicy.estimators import OffPolicyEstimate, doubly_robust, ips, snips

ACTIONS = 80
POSITIONS = 3
COLUMNS = ("position", "item_id", "click", "propensity_score")
Log = dict[str, npt.NDArray[np.float64]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the two logs")
    options = parser.parse_args()
    logs = {name: read(options.data / f"{name}_all.parquet") for name in ("random", "bts")}
    chosen_CA = {"random": np.full((POSITIONS, ACTIONS), 1 / ACTIONS), "bts": frequencies(logs["bts"])}
    found = {}
    for logged, target in (("random", "bts"), ("bts", "random")):
        own = logs[target]["click"]
        on_policy = ips(LoggedDecisions(own, np.ones(len(own)), np.ones(len(own))))
        rows = estimates(logs[logged], chosen_CA[target])
        found[f"{target} from {logged}"] = {
            "on_policy": asdict(on_policy),
            **{name: asdict(e) | {"covers_on_policy": e.covers(on_policy.value)} for name, e in rows.items()},
        }
    print(json.dumps(found, indent=2))


def read(path: Path) -> Log:
    table = pq.read_table(path, columns=list(COLUMNS))
    return {name: np.asarray(table[name], np.float64) for name in COLUMNS}


def frequencies(log: Log) -> npt.NDArray[np.float64]:
    """How often each item was chosen at each position."""
    count_CA = np.zeros((POSITIONS, ACTIONS))
    np.add.at(count_CA, places(log), 1)
    return count_CA / count_CA.sum(1, keepdims=True)


def places(log: Log) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return log["position"].astype(np.int64) - 1, log["item_id"].astype(np.int64)


def estimates(log: Log, target_CA: npt.NDArray[np.float64]) -> dict[str, OffPolicyEstimate]:
    """The three estimates of the target's CTR."""
    context_N, action_N = places(log)
    decisions = LoggedDecisions(log["click"], log["propensity_score"], target_CA[context_N, action_N])
    model = cross_fitted(context_N, action_N, log["click"], target_CA, np.random.default_rng(0))
    return {"ips": ips(decisions), "snips": snips(decisions), "dr": doubly_robust(decisions, *model)}


if __name__ == "__main__":
    main()
