"""Pages out of a day of hotel lists: the re-ranker beside PRM, DLCM, SetRank and the order that was logged.

    python benchmarks/ranker_trivago.py --data DIR
    python benchmarks/ranker_trivago.py --data DIR --lists 1500 --evaluator-steps 150 --actor-steps 40

DIR holds `day1.parquet`, a day of the RecSys Challenge 2019 session log; nothing of it is kept. All learn from the
earlier four fifths of the lists and fill pages of the last fifth: the best ten of each list's offers, in order. The
re-ranker is one actor at five weights over the utilities of `trivago_day`; `default` are home_feed's, with `value` in
the place of gmv. The rivals have no weights, and rank for clicks.

**What was chosen on what.** A run chooses nothing on the last fifth: the rivals stop where they do best on the latest
tenth of the earlier part, and steps are fixed. But what a page is, that a hotel is its own seller, and the actor's
recipe and steps were settled with figures of the last fifth in view, those of the rivals at the first attempt. There
is one day only, so take differences between the re-ranker and the rivals with that grain of salt.

**Position bias.** Nobody knows with what probability a position of this log was examined, so evaluators learn it
beside the attraction (`ranker.evaluator.examination`). That of one for whole lists is e. It corrects the rivals'
clicks, each being trained on clicks as they are, as published, and again on clicks weighed by 1 / e; and it is what
the estimates of `ranker.estimators` rest on, which say there what they can't see. Since trivago puts better offers
first, some of what is taken for examination is merit. So the lift is given with e and with its square root, where
positions matter half as much in logarithms: where the two disagree on the sign, the log doesn't tell. Every list of
the log has one click, so clicks are relative to such lists.

**Columns.** evaluator: expected clicks a page by the evaluator that the re-ranker was trained against. judge: the
same by another one, of another seed, that nothing was trained against (but on the same pages). V, S, lift: estimates
by inverse propensity, V and the lift over the logged pages with 95 % intervals; no page can have more than one click
in this log, so a V above 1 says that e falls too steeply. MRR: of the clicked offer, 0 where it isn't on the page,
uncorrected: the logged order is favoured by being where the clicks came from. The second table has the four
utilities by the judge.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from trivago_day import PAGE, POSITIONS, UTILITIES, Day, day, page, random_order, stretched

from ranker.baselines import (
    DLCM,
    PRM,
    DLCMConfig,
    PRMConfig,
    Reranker,
    RerankerTraining,
    SetRank,
    SetRankConfig,
    click_gains,
    reranked,
    train_reranker,
)
from ranker.config import ActorConfig, EvaluatorConfig, InputShape
from ranker.errors import RankerError
from ranker.estimators import EstimatorConfig, estimate_clicks
from ranker.evaluator import Evaluator, Head
from ranker.objective import Objective
from ranker.requests import EMPTY, LoggedLists, Requests
from ranker.training.actor import train_actor
from ranker.training.config import ActorTraining, EvaluatorTraining, Schedule
from ranker.training.evaluator import train_evaluator
from ranker.training.journal import OnProgress, TrainingProgress, progress_bar
from ranker.training.lessons import Lessons
from ranker.training.quality import evaluator_report

# B batch, N slate, K utilities, E positions

LEAST_EXAMINATION: Final = 0.02
"""Clicks weigh 50 at most."""
BINS: Final = 15
WEIGHTS: Final = {
    "click": (1.0, 0.0, 0.0, 0.0),
    "default": (0.25, 0.20, 0.15, 0.10),
    "value": (0.0, 1.0, 0.0, 0.0),
    "satisfaction": (0.0, 0.0, 1.0, 0.0),
    "diversity": (0.0, 0.0, 0.0, 1.0),
}
RIVALS: Final[dict[str, Callable[[InputShape], Reranker]]] = {
    "PRM": lambda shape: PRM(shape, PRMConfig(positions=POSITIONS)),
    "DLCM": lambda shape: DLCM(shape, DLCMConfig(positions=POSITIONS)),
    "SetRank": lambda shape: SetRank(shape, SetRankConfig(positions=POSITIONS)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictors:
    """What judges pages."""

    evaluator: Evaluator
    judge: Evaluator
    examination_E: Tensor  # noqa: N815
    """Of every position of a list, the first one's is 1."""


def main() -> None:
    """Train, re-rank, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with day1.parquet")
    parser.add_argument("--lists", type=int, help="the first so many of the day; all, without it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--evaluator-steps", type=int, default=800)
    parser.add_argument("--actor-steps", type=int, default=400)
    parser.add_argument("--rival-steps", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as folder, progress_bar(Console(stderr=True)) as on_progress:
            results = measure(options, Path(folder), on_progress)
    except RankerError as error:
        raise SystemExit(f"{error.message}; {error.hint}" if error.hint else error.message) from error
    if options.json:
        print(json.dumps(results, indent=2))
        return
    show(results)


def measure(options: argparse.Namespace, folder: Path, on_progress: OnProgress) -> dict[str, Any]:
    """Everything that is printed."""
    learned = day(options.data, options.lists)
    pages = page(learned.earlier)

    def trained(name: str, lists: LoggedLists, seed: int) -> Evaluator:
        return evaluator_of(lists, learned.shape, options, seed, folder / name, named(on_progress, name))

    predictors = Predictors(
        evaluator=trained("evaluator", pages, options.seed),
        judge=trained("judge", pages, options.seed + 1),
        examination_E=trained("examiner", learned.earlier, options.seed).examination.log_prob(POSITIONS).exp(),
    )
    orders = {
        **plain_orders(learned, predictors.evaluator, options.seed),
        **dict(rival_orders(learned, predictors.examination_E, options, on_progress)),
        **dict(own_orders(learned, predictors.evaluator, options, folder, on_progress)),
    }
    return {
        "lists": {"earlier": learned.earlier.B, "later": learned.later.B},
        "evaluator": asdict(evaluator_report(predictors.evaluator, page(learned.later), BINS)),
        "judge": asdict(evaluator_report(predictors.judge, page(learned.later), BINS)),
        "examination": predictors.examination_E.tolist(),
        "orders": {name: figures(learned.later, order_BN[:, :PAGE], predictors) for name, order_BN in orders.items()},
    }


def evaluator_of(
    lists: LoggedLists,
    shape: InputShape,
    options: argparse.Namespace,
    seed: int,
    folder: Path,
    on_progress: OnProgress,
) -> Evaluator:
    """One that has learned from these lists, or pages."""
    config = EvaluatorConfig(slate=lists.N, usual_slate=lists.N)
    training = EvaluatorTraining(schedule=Schedule(seed=seed, steps=options.evaluator_steps))
    evaluator, _ = train_evaluator(lists, shape, config, training, folder, on_progress)
    return evaluator


def plain_orders(learned: Day, evaluator: Evaluator, seed: int) -> dict[str, Tensor]:
    """Orders that take no training of their own; an offer's own attraction sees neither position nor neighbours."""
    lists = learned.later

    def attraction(requests: Requests, list_BN: Tensor) -> Tensor:
        return evaluator.pointwise_logits(requests, list_BN.unsqueeze(1))[:, 0, :, Head.ATTRACTION]

    return {
        "logged": lists.shown_BN,
        "random": random_order(lists, seed),
        "by attraction": reranked(attraction, lists.requests, lists.shown_BN),
    }


def rival_orders(
    learned: Day, examination_E: Tensor, options: argparse.Namespace, on_progress: OnProgress
) -> Iterator[tuple[str, Tensor]]:
    """Each of the published re-rankers, on clicks as they are and on clicks weighed by 1 / e."""
    training = RerankerTraining(schedule=Schedule(seed=options.seed, steps=options.rival_steps))
    earlier, later = learned.earlier, learned.later
    weighed_BN = click_gains(earlier, examination_E, least_examination=LEAST_EXAMINATION)
    for kind, gain_BN in {"": click_gains(earlier), ", 1/e": weighed_BN}.items():
        for rival, make in RIVALS.items():
            torch.manual_seed(options.seed)
            shown = named(on_progress, rival + kind)
            model, _ = train_reranker(make(learned.shape), earlier, gain_BN, training, shown)
            yield rival + kind, reranked(model, later.requests, later.shown_BN)


def own_orders(
    learned: Day, evaluator: Evaluator, options: argparse.Namespace, folder: Path, on_progress: OnProgress
) -> Iterator[tuple[str, Tensor]]:
    """One actor at several weights."""
    objective = Objective(utilities=stretched(learned.earlier, evaluator, options.seed), evaluator=evaluator)
    schedule = Schedule(seed=options.seed, steps=options.actor_steps, batch=32)
    training = ActorTraining(schedule=schedule, size=PAGE, shortest=1.0, tried=8, hold_back=0.05)
    lessons = Lessons(requests=learned.earlier.requests, shown_BN=page(learned.earlier).shown_BN)
    actor, _ = train_actor(lessons, learned.shape, ActorConfig(), training, objective, folder / "actor", on_progress)
    later = learned.later
    for name, weights in WEIGHTS.items():
        yield f"ours, {name}", actor.greedy(later.requests, torch.tensor(weights).expand(later.B, -1), PAGE)


def named(on_progress: OnProgress, name: str) -> OnProgress:
    """The same bar under another name."""

    def show_named(progress: TrainingProgress) -> None:
        on_progress(replace(progress, name=name))

    return show_named


def figures(lists: LoggedLists, order_BN: Tensor, predictors: Predictors) -> dict[str, Any]:
    """What is said of one way to fill the pages of these lists."""
    config = EstimatorConfig(least_examination=LEAST_EXAMINATION)

    def estimate(examination_E: Tensor) -> dict[str, Any]:
        against_BN = page(lists).shown_BN
        return asdict(estimate_clicks(lists, order_BN, examination_E, config, against_BN=against_BN))

    clicked_B1 = lists.shown_BN.gather(1, lists.click_BN.int().argmax(-1, keepdim=True))
    is_clicked_BN = order_BN == clicked_B1
    objective = Objective(utilities=UTILITIES, evaluator=predictors.judge)
    value_K = objective.values(lists.requests, order_BN.unsqueeze(1)).mean((0, 1))
    return {
        "evaluator": expected_clicks(predictors.evaluator, lists, order_BN),
        "judge": expected_clicks(predictors.judge, lists, order_BN),
        "estimate": estimate(predictors.examination_E),
        "estimate_milder": estimate(predictors.examination_E.sqrt()),
        "mrr": (is_clicked_BN / torch.arange(1, order_BN.shape[1] + 1)).sum(-1).mean().item(),
        "utilities": dict(zip(UTILITIES.names, value_K.tolist(), strict=True)),
    }


def expected_clicks(evaluator: Evaluator, lists: LoggedLists, order_BN: Tensor) -> float:
    """Clicks a page, as an evaluator predicts them."""
    click_BN = evaluator.predict(lists.requests, order_BN.unsqueeze(1)).click_BSN[:, 0]
    return (click_BN * (order_BN != EMPTY)).sum(-1).mean().item()


def show(results: dict[str, Any]) -> None:
    """The evaluators, and two tables of the orders."""
    console = Console(width=None if sys.stdout.isatty() else 150)
    counts, orders = results["lists"], results["orders"]
    console.print(f"learned from {counts['earlier']:,} lists, compared on the {counts['later']:,} after them")
    for name in ("evaluator", "judge"):
        report = results[name]
        console.print(
            f"{name}: click AUC {report['click_auc']:.3f} (by position alone {report['position_auc']:.3f}), log loss "
            f"{report['click_log_loss']:.4f}, expected calibration error {report['click_calibration']:.4f}"
        )
    examined = " ".join(f"{share:.2f}" for share in results["examination"])
    console.print(f"examination by position: {examined}")
    console.print(table("clicks", CLICKS, {name: clicks_row(row) for name, row in orders.items()}))
    moved = {name: [f"{value:.4f}" for value in row["utilities"].values()] for name, row in orders.items()}
    console.print(table("utilities, by the judge", UTILITIES.names, moved))


CLICKS: Final = ("evaluator", "judge", "V", "S", "lift", "lift, √e", "MRR")


def clicks_row(row: dict[str, Any]) -> list[str]:
    """The cells of one order."""
    estimate, milder = row["estimate"], row["estimate_milder"]
    return [
        f"{row['evaluator']:.3f}",
        f"{row['judge']:.3f}",
        f"{estimate['clicks']:.3f} {between(estimate['clicks_interval'], '.2f')}",
        f"{estimate['share']:.3f}",
        f"{estimate['lift']:+.1%} {between(estimate['lift_interval'], '+.0%')}",
        f"{milder['lift']:+.1%} {between(milder['lift_interval'], '+.0%')}",
        f"{row['mrr']:.3f}",
    ]


def between(interval: tuple[float, float], form: str) -> str:
    """An interval, in parentheses since brackets are markup."""
    return f"({interval[0]:{form}}, {interval[1]:{form}})"


def table(title: str, headings: Sequence[str], rows: dict[str, list[str]]) -> Table:
    """A row for every order."""
    made = Table(title=title, title_justify="left")
    made.add_column("order", no_wrap=True)
    for heading in headings:
        made.add_column(heading, justify="right", no_wrap=True)
    for name, cells in rows.items():
        made.add_row(name, *cells)
    return made


if __name__ == "__main__":
    main()
