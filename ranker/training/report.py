"""What a training run did, and how good its checkpoint is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ranker.training.assessment import Assessment
from ranker.training.lessons import ActorReport
from ranker.training.quality import EvaluatorReport
from ranker.training.recipe import PipelineConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFacts:
    """The log that a checkpoint was trained on, in two parts by time."""

    source: str
    """Where it came from, in words; empty where nobody said."""
    trained: int
    """Lists of the earlier part."""
    assessed: int
    """Lists of the later part, which nothing was fitted to."""
    candidates: float
    """Mean number of a request."""
    first: int
    """When the first list was shown, seconds since 1970 in UTC."""
    last: int
    knows_examination: bool
    """Whether it says with what probability each position is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineReport:
    """What `report.json` says."""

    config: PipelineConfig
    """With the size and the steps that the run found."""
    log: LogFacts
    resumed_at: Mapping[str, int]
    """The step that each network went on from: 0 if the run wasn't broken off."""
    ranges: Mapping[str, tuple[float, float]]
    """What predicted utilities are stretched from."""
    parameters: Mapping[str, int]
    """How many, by network."""
    elapsed_s: Mapping[str, float]
    """By stage, of the process that finished the run."""
    evaluator: EvaluatorReport
    """Within the earlier part, on its latest lists."""
    actor: ActorReport
    """Within the earlier part, on requests held back, with the weights of training."""
    assessment: Assessment
    """On the later part."""


def document(report: PipelineReport | Assessment) -> dict[str, Any]:
    """A report as JSON knows it: NaN becomes null."""
    plain: dict[str, Any] = _plain(asdict(report))
    return plain


def as_json(report: PipelineReport | Assessment) -> str:
    """The text of `report.json`."""
    return json.dumps(document(report), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
