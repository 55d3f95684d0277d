"""Experiments on users whose policies don't differ, differ, go missing, or take their revenge late.

    python benchmarks/experiments_aa.py aa --runs 2000
    python benchmarks/experiments_aa.py power --runs 300
    python benchmarks/experiments_aa.py srm --runs 500 --users 20000
    python benchmarks/experiments_aa.py late --users 1500

`aa`, `power` and `srm` make up users who come, see, click and buy with habits of their own, so that a user's days are
alike, and put each day's sums through the code that decides in the service. `late` lets users live in the market
simulator, half of them under a recommender that has stopped caring for variety: what they do goes as events through
the log, the looks and the roll-back of a running experiment.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import NormalDist, median
from typing import Any, Final

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.experiments_late import late  # noqa: E402
from reward_llm.domain.experiments import (  # noqa: E402
    RECENT_DAYS,
    ArmSums,
    Decision,
    Experiment,
    ExperimentPlan,
    ExperimentState,
    Guardrail,
    Look,
    Moments,
    Sums,
)
from reward_llm.domain.metrics import DAY, Metric  # noqa: E402
from reward_llm.domain.scenario import Scope  # noqa: E402
from reward_llm.loop.experiments.decisions import look_at, tunings  # noqa: E402
from reward_llm.loop.experiments.statistics.shares import MISMATCH, ratio_p  # noqa: E402

NOON: Final = datetime(2026, 6, 18, 12, tzinfo=UTC)
PRE: Final = 7
NORMAL: Final = NormalDist()
Floats = np.ndarray[Any, np.dtype[np.float64]]
GUARDED: Final = ExperimentPlan(
    name="a against a",
    scope=Scope("home_feed"),
    treatment="pol_b",
    primary=Metric.CTR,
    guardrails=(Guardrail(metric=Metric.NEXT_DAY_RETENTION), Guardrail(metric=Metric.GMV)),
    pre_days=PRE,
)
ALONE: Final = replace(GUARDED, guardrails=())


def main() -> None:
    """Run a part and print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("aa", "power", "srm", "late"))
    parser.add_argument("--runs", type=int, default=2_000)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lost", type=float, default=0.0, help="of aa: the share of the treated that goes missing")
    options = parser.parse_args()
    if options.part == "late":
        with tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(late(Path(folder), options.users, options.seed))
    elif options.part == "aa":
        found = aa(options.runs, options.users, options.seed, options.lost)
    else:
        found = {"power": power, "srm": srm}[options.part](options.runs, options.users, options.seed)
    print(json.dumps(found, indent=2))


def aa(runs: int, users: int, seed: int, lost: float = 0.0) -> dict[str, Any]:
    """How often an experiment of two equal arms claims anything, with a look a day."""
    stopped, decided, peeked, once, flagged = 0, 0, 0, 0, 0
    for run in range(runs):
        drawn = crowd(users, GUARDED.most_days, np.random.default_rng((seed, run)), lost=lost)
        looks = list(looked_at(GUARDED, drawn))
        stopped += any(m.standing in {"better", "worse", "violated"} for look in looks for m in look.measurements)
        decided += any(look.decision in {Decision.ROLL_BACK, Decision.HOLD_OUT} for look in looks)
        flagged += any(look.ratio_p < MISMATCH for look in looks)
        peeked += any(significant(look, GUARDED.alpha) for look in looks)
        once += significant(looks[GUARDED.min_days - 1], GUARDED.alpha)
    return {
        "runs": runs,
        "users": users,
        "looks": GUARDED.most_days,
        "claimed_at_any_look": shared(stopped, runs),
        "stopped_or_held_out": shared(decided, runs),
        "sample_ratio_flagged": shared(flagged, runs),
        "a_test_on_the_primary_at_every_look": shared(peeked, runs),
        "a_test_on_the_primary_once": shared(once, runs),
    }


def power(runs: int, users: int, seed: int) -> dict[str, Any]:
    """How often and when an effect on the primary metric is found, by the sequence and by one test on day 14."""
    rows = []
    for effect in (0.05, 0.1, 0.15, 0.2):
        days: list[int] = []
        wrong, fixed = 0, 0
        for run in range(runs):
            drawn = crowd(users, ALONE.most_days, np.random.default_rng((seed, run)), effect=effect)
            looks = list(looked_at(ALONE, drawn))
            found = next((look for look in looks if look.measurements[0].standing in {"better", "worse"}), None)
            if found is not None:
                wrong += found.measurements[0].standing == "worse"
                days.append(found.day)
            fixed += significant(looks[ALONE.min_days - 1], ALONE.alpha)
        by = {day: sum(d <= day for d in days) / runs for day in (7, ALONE.min_days, ALONE.most_days)}
        half = sorted(days)[math.ceil(runs / 2) - 1] if len(days) >= runs / 2 else None
        rows.append(
            {
                "effect": effect,
                "one_test_on_day_14": shared(fixed, runs),
                **{f"sequence_by_day_{day}": share for day, share in by.items()},
                "median_day": half,
                "wrong_way": wrong,
            }
        )
    return {"runs": runs, "users": users, "effects": rows}


def srm(runs: int, users: int, seed: int) -> dict[str, Any]:
    """How often and when units that go missing from the treatment are noticed."""
    rows = []
    for lost in (0.0, 0.02, 0.05, 0.1):
        days = [day for run in range(runs) if (day := noticed(users, lost, np.random.default_rng((seed, run))))]
        half = median(days) if days else None
        rows.append({"lost": lost, "noticed": shared(len(days), runs), "median_day": half})
    return {"runs": runs, "users": users, "shares": rows}


def noticed(users: int, lost: float, draw: np.random.Generator) -> int | None:
    """The day of the first look at which the arms' sizes are wrong, as users with habits come for the first time."""
    treated = draw.random(users) < ALONE.percent / 100
    kept = ~(treated & (draw.random(users) < lost))
    first = draw.geometric(np.clip(draw.beta(2, 3, users), 0.01, 1))
    for day in range(1, ALONE.most_days + 1):
        came = kept & (first <= day)
        sizes = int((came & ~treated).sum()), int((came & treated).sum())
        if ratio_p(*sizes, ALONE.percent / 100) < MISMATCH:
            return day
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What users did: rows are users, columns days, the first `PRE` of them before the experiment."""

    treated: Floats
    sessions: Floats
    shown: Floats
    clicks: Floats
    money: Floats


def crowd(users: int, days: int, draw: np.random.Generator, *, effect: float = 0.0, lost: float = 0.0) -> Crowd:
    """Users with habits: how often they come, how long they stay, what they like and what they spend.

    Args:
        users: How many there are; those who never come after the start are in no arm.
        days: Days of the experiment.
        draw: Chance.
        effect: How much more, relatively, the treated click.
        lost: The share of the treated whose events get lost.
    """
    treated = draw.random(users) < 0.5
    kept = ~(treated & (draw.random(users) < lost))
    habit, stay, taste = draw.beta(2, 3, users), draw.gamma(2.0, 1.0, users), draw.beta(2, 14, users)
    loose = np.clip(habit[:, None] + 0.1 * draw.standard_normal((users, PRE + days)), 0, 1)
    sessions = (draw.random((users, PRE + days)) < loose) & kept[:, None]
    shown = sessions * (1 + draw.poisson(10 * stay[:, None], sessions.shape))
    after = np.arange(PRE + days) >= PRE
    chance = np.minimum(1, taste[:, None] * (1 + effect * treated[:, None] * after))
    clicks = draw.binomial(shown, chance)
    money = draw.binomial(clicks, 0.05) * draw.lognormal(3.0, 1.0, sessions.shape)
    parts = {"sessions": sessions, "shown": shown, "clicks": clicks, "money": money}
    return Crowd(treated=treated, **{name: part.astype(float) for name, part in parts.items()})


def looked_at(plan: ExperimentPlan, drawn: Crowd) -> Iterator[Look]:
    """All looks of a plan, whatever they come to."""
    experiment = Experiment(
        id="exp",
        plan=plan,
        state=ExperimentState.RUNNING,
        revision=1,
        created_at=NOON,
        created_by="nobody",
        changed_at=NOON,
        started_at=NOON,
    )
    past = totals(drawn, 0, PRE, PRE)
    before: Look | None = None
    for day in range(1, plan.most_days + 1):
        since = PRE + max(0, day - RECENT_DAYS)
        recent = summed(plan, drawn, past, since, day) if day > RECENT_DAYS and plan.guardrails else None
        sums = summed(plan, drawn, past, PRE, day)
        before = look_at(experiment, day, NOON + day * DAY, sums, recent, tunings(before))
        yield before


def summed(plan: ExperimentPlan, drawn: Crowd, past: dict[Metric, Floats], since: int, day: int) -> Sums:
    """Both arms' sums of the days [since, PRE + day)."""
    now = totals(drawn, since, PRE + day, PRE)
    came = drawn.sessions[:, PRE : PRE + day].any(axis=1)
    arms = [
        ArmSums(
            units=int(is_in.sum()),
            moments={m: moments(np.hstack([now[m], past[m]])[is_in]) for m in plan.metrics},
        )
        for is_in in (came & ~drawn.treated.astype(bool), came & drawn.treated.astype(bool))
    ]
    return Sums(control=arms[0], treatment=arms[1])


def totals(drawn: Crowd, since: int, until: int, start: int) -> dict[Metric, Floats]:
    """What stands above and below the line of each metric, for each user, over the days [since, until)."""
    here = slice(since, until)
    visits = drawn.sessions[:, since : until - 1]
    first = np.argmax(drawn.sessions[:, start:] > 0, axis=1) + start
    exposed = until - since if since < start else until - np.maximum(first, since)
    pairs = {
        Metric.CTR: (drawn.clicks[:, here].sum(1), drawn.shown[:, here].sum(1)),
        Metric.GMV: (drawn.money[:, here].sum(1), np.maximum(1, np.broadcast_to(exposed, len(first)))),
        Metric.NEXT_DAY_RETENTION: ((visits * drawn.sessions[:, since + 1 : until]).sum(1), visits.sum(1)),
    }
    return {metric: np.column_stack(pair) for metric, pair in pairs.items()}


def moments(table: Floats) -> Moments:
    """The sums and products of the rows."""
    products = (table.T @ table).tolist()
    return Moments(len(table), tuple(table.sum(axis=0).tolist()), tuple(map(tuple, products)))


def significant(look: Look, alpha: float) -> bool:
    """Whether a test at this look alone would find a difference of the primary metric."""
    found = look.measurements[0]
    reach = NORMAL.inv_cdf(1 - alpha / 2) * (found.deviation or math.inf)
    return abs(found.difference or 0.0) > reach


def shared(count: int, runs: int) -> dict[str, float]:
    """A share with its interval (Wilson 1927)."""
    z, share = NORMAL.inv_cdf(0.975), count / runs
    middle = (share + z * z / (2 * runs)) / (1 + z * z / runs)
    half = z / (1 + z * z / runs) * math.sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs))
    return {"share": round(share, 4), "low": round(max(0.0, middle - half), 4), "high": round(middle + half, 4)}


if __name__ == "__main__":
    main()
