"""How good an evaluator's predictions are.

B batch, N positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.evaluator import Evaluator
from ranker.requests import LoggedLists
from ranker.training.calibration import area_under_curve, calibration_error, log_loss

LISTS_AT_ONCE: Final = 1_024
"""More lists are predicted part by part, which bounds memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Predictions of about one probability, beside what came."""

    expected: float
    observed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorReport:
    """Predictions against outcomes; an area under the curve is NaN where one of the outcomes never came."""

    lists: int
    click_auc: float
    position_auc: float
    """Of clicks told by the position's examination alone: what repeating the logged order would get."""
    click_log_loss: float
    click_calibration: float
    """Expected calibration error, over bins of equal count."""
    click_reliability: tuple[Reliability, ...]
    """Of the same bins."""
    purchase_auc: float
    purchase_calibration: float
    retention_auc: float
    retention_calibration: float
    satisfaction_error: float
    """Root of the mean squared error."""
    examination: tuple[float, ...]
    """Of the positions of the log, the first one's is 1."""
    click_calibration_before: float | None
    """Expected calibration error before calibration, where the evaluator was calibrated just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """A head's predictions beside what came, one entry a position or a list."""

    expected: Tensor
    came: Tensor

    def auc(self) -> float:
        """Area under the receiver's curve."""
        return area_under_curve(self.expected, self.came)

    def calibration(self, bins: int) -> float:
        """Expected calibration error."""
        return calibration_error(self.expected, self.came, bins)


def satisfaction_of(lists: LoggedLists, dwell_scale_s: float) -> Tensor:
    """What satisfaction is learned from, in [0, 1]: 1 - exp(-dwell / scale), with the mean dwell over the list."""
    count_B = lists.filled_BN.sum(-1).clamp(min=1)
    return 1 - torch.exp(-(lists.dwell_BN * lists.filled_BN).sum(-1) / count_B / dwell_scale_s)


def outcomes(evaluator: Evaluator, lists: LoggedLists) -> dict[str, Outcomes]:
    """Predictions beside what came, by head; `position` has the examination alone beside the clicks."""
    parts = [_outcomes(evaluator, lists.select(rows)) for rows in torch.split(torch.arange(lists.B), LISTS_AT_ONCE)]
    return {
        head: Outcomes(
            expected=torch.cat([part[head].expected for part in parts]),
            came=torch.cat([part[head].came for part in parts]),
        )
        for head in parts[0]
    }


def evaluator_report(
    evaluator: Evaluator, lists: LoggedLists, bins: int, calibration_before: float | None = None
) -> EvaluatorReport:
    """How good the predictions are on these lists."""
    by_head = outcomes(evaluator, lists)
    click, purchase, retention = by_head["click"], by_head["purchase"], by_head["retention"]
    satisfaction = by_head["satisfaction"]
    return EvaluatorReport(
        lists=lists.B,
        click_auc=click.auc(),
        position_auc=by_head["position"].auc(),
        click_log_loss=log_loss(click.expected.clamp(min=1e-9).log(), click.came).mean().item(),
        click_calibration=click.calibration(bins),
        click_reliability=reliability(click, bins),
        purchase_auc=purchase.auc(),
        purchase_calibration=purchase.calibration(bins),
        retention_auc=retention.auc(),
        retention_calibration=retention.calibration(bins),
        satisfaction_error=(satisfaction.expected - satisfaction.came).square().mean().sqrt().item(),
        examination=tuple(evaluator.examination.log_prob(lists.N).exp().tolist()),
        click_calibration_before=calibration_before,
    )


def reliability(head: Outcomes, bins: int) -> tuple[Reliability, ...]:
    """Mean prediction and mean outcome of bins of equal count, the unlikely ones first."""
    order = head.expected.argsort()
    pairs = zip(head.expected[order].tensor_split(bins), head.came[order].tensor_split(bins), strict=True)
    return tuple(
        Reliability(expected=expected.mean().item(), observed=came.mean().item())
        for expected, came in pairs
        if len(came)
    )


def _outcomes(evaluator: Evaluator, lists: LoggedLists) -> dict[str, Outcomes]:
    predictions = evaluator.predict(lists.requests, lists.shown_BN.unsqueeze(1))
    filled_BN = lists.filled_BN
    click = lists.click_BN[filled_BN].float()
    examined_BN = evaluator.examination.log_prob(lists.N).exp().expand(lists.B, -1)
    return {
        "click": Outcomes(expected=predictions.click_BSN[:, 0][filled_BN], came=click),
        "position": Outcomes(expected=examined_BN[filled_BN], came=click),
        "purchase": Outcomes(
            expected=predictions.purchase_BSN[:, 0][filled_BN], came=lists.purchase_BN[filled_BN].float()
        ),
        "satisfaction": Outcomes(
            expected=predictions.satisfaction_BS[:, 0], came=satisfaction_of(lists, evaluator.config.dwell_scale_s)
        ),
        "retention": Outcomes(expected=predictions.retention_BS[:, 0], came=lists.returned_B.float()),
    }
