"""The model card: what a checkpoint is, what it was trained on, how good it is and what it can't do."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Final

from ranker.training.assessment import DRAWN, EQUAL, ActorScores, Assessment
from ranker.training.config import ActorTraining
from ranker.training.report import PipelineReport

SLATE_COLUMNS: Final = ("weights", "actor", "greedy", "as logged", "better than logged", "at least greedy")
"""Of `slate_row`."""

_CARD: Final = """\
# Re-ranker

Given a user, up to 200 candidates and weights, it writes a slate with a high R_w = sum of w_k U_k, for whatever
weights the request has. An actor of {actor:,} parameters writes it; an evaluator of {evaluator:,} predicts what comes
of it. Trained for slates of {size}. The utilities, in the order of the weights:

    {utilities}

## Use

    from pathlib import Path
    from ranker.checkpoint import Checkpoint
    checkpoint = Checkpoint.load(Path("."))
    requests = checkpoint.features.requests(table)              # columns as in ranker.data
    slate_BN = checkpoint.actor.greedy(requests, weights_BK, {size})  # indices into the candidates, -1 for empty

## Data

{source}: {trained:,} lists to learn from and {assessed:,} later ones for the scores below, shown from {first} to
{last}, with {candidates:.0f} candidates each on average. {examination}

## Recipe

Evaluator: {evaluator_steps:,} batches of {evaluator_batch}; then frozen and calibrated. Actor: {actor_steps:,}
batches of {actor_batch} requests, {method}; weights drawn anew for every request. Seed {seed}; {minutes:.1f}
minutes{resumed}.
`report.json` has every setting, `curves.html` the course.

## Scores

Of predictions, on the {assessed:,} later lists:

{predictions}

Of slates, on {actor_lists} of these requests, as mean R_w by the evaluator's own predictions:

{slates}

## Limits

- Rewards are what the evaluator predicts, and it has seen only lists that were logged: a slate that is unlike all of
  them may be worth less than it says. Try it on little traffic first.
- It ranks candidates of its own features. Another catalogue or another audience needs a training of its own.
- Utilities that the log knows nothing of (no purchases, no returns, no sellers) can't be optimised, whatever their
  weight.
- {position}
"""


def model_card(report: PipelineReport) -> str:
    """The card in Markdown."""
    config, log, found = report.config, report.log, report.assessment
    return _CARD.format(
        utilities=", ".join(config.utilities),
        **report.parameters,
        size=config.size,
        source=log.source or "A log of shown lists",
        trained=log.trained,
        assessed=log.assessed,
        first=_day(log.first),
        last=_day(log.last),
        candidates=log.candidates,
        examination=_KNOWN if log.knows_examination else _LEARNED,
        evaluator_steps=config.evaluator_training.schedule.steps,
        evaluator_batch=config.evaluator_training.schedule.batch,
        actor_steps=config.actor_training.schedule.steps,
        actor_batch=config.actor_training.schedule.batch,
        method=_method(config.actor_training),
        seed=config.seed,
        minutes=sum(report.elapsed_s.values()) / 60,
        resumed=" since it was resumed" if any(report.resumed_at.values()) else "",
        predictions=_table(("measure", "value"), prediction_rows(found)),
        actor_lists=found.actor_lists,
        slates=_table(SLATE_COLUMNS, [slate_row(scores) for scores in found.actor]),
        position=_POSITION_KNOWN if log.knows_examination else _POSITION_LEARNED,
    )


def prediction_rows(found: Assessment) -> list[tuple[str, str]]:
    """The evaluator's scores, ready to show; a dash for what the log can't tell."""
    scores = found.evaluator
    return [
        ("click: area under the curve", _number(scores.click_auc)),
        ("the same, told by the position alone", _number(scores.position_auc)),
        ("click: log loss", _number(scores.click_log_loss)),
        ("click: calibration error", _number(scores.click_calibration)),
        ("purchase: area under the curve", _number(scores.purchase_auc)),
        ("purchase: calibration error", _number(scores.purchase_calibration)),
        ("return: area under the curve", _number(scores.retention_auc)),
        ("return: calibration error", _number(scores.retention_calibration)),
        ("satisfaction: root mean squared error", _number(scores.satisfaction_error)),
    ]


def slate_row(scores: ActorScores) -> tuple[str, ...]:
    """The scores for one kind of weights, ready to show."""
    names = {DRAWN: "drawn uniformly", EQUAL: "all equal"}
    rewards = (scores.actor, scores.greedy, scores.logged)
    shares = (scores.better_than_logged, scores.at_least_greedy)
    name = names.get(scores.weights, f"{scores.weights} alone")
    return (name, *(f"{reward:.4f}" for reward in rewards), *(f"{share:.0%}" for share in shares))


def _method(training: ActorTraining) -> str:
    if training.baseline == "exchange":
        how = f"{training.tried} candidates compared in every slot (`exchange`)"
    else:
        how = f"{training.samples} slates each, baseline `{training.baseline}`"
    warm = training.warm_start_steps
    return f"{how}, the first {warm:,} in imitation of a teacher" if warm else how


_KNOWN: Final = "The log knows with what probability each position is looked at."
_LEARNED: Final = "How much each position is looked at was learned from the clicks."
_POSITION_KNOWN: Final = "The examination of the positions is the log's; another surface has another."
_POSITION_LEARNED: Final = "The examination of positions was told from attraction only as well as the features allow."


def _number(value: float) -> str:
    return f"{value:.4f}" if math.isfinite(value) else "–"


def _day(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).date().isoformat()


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]] | list[tuple[str, str]]) -> str:
    lines = [header, ("---", *("---:" for _ in header[1:])), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
