"""The card of a checkpoint, from the report that its training left."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ranker.checkpoint import NETWORKS, REPORT, SAMPLE, shipped_checkpoint
from reward_llm.domain.ranker_card import RankerCard, ReliabilityBin, SlateScores, TrainedOn
from reward_llm.errors import RankerUnavailable

_LISTS: Final = frozenset({"lists", "click_reliability", "examination"})
"""What the report has beside the scores of predictions."""


def card_of(checkpoint: Path | None, log: Path | None) -> RankerCard:
    """The card of the checkpoint that an engine loads, None for the one that ships, and of the log that it tries.

    Raises:
        RankerUnavailable: If there are no networks, or the report isn't one.
    """
    return read_card(checkpoint or shipped_checkpoint(), shipped=checkpoint is None, log=log.name if log else SAMPLE)


def read_card(folder: Path, *, shipped: bool, log: str) -> RankerCard:
    """What the report in the folder says of the checkpoint there; `log` names what previews are tried on.

    Raises:
        RankerUnavailable: If there are no networks, or the report isn't one.
    """
    try:
        networks = (folder / NETWORKS).read_bytes()
    except OSError as exc:
        hint = "Set REWARD_LLM_RANKER_CHECKPOINT to a folder that `reward-llm ranker train` wrote."
        raise RankerUnavailable(f"there is no checkpoint: {exc.strerror}", hint=hint) from exc
    known = RankerCard(checkpoint_hash=hashlib.sha256(networks).hexdigest(), shipped=shipped, log=log)
    path = folder / REPORT
    if not path.is_file():
        return known
    try:
        return _with_report(known, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        hint = "Train again, or remove the file: the checkpoint ranks without it."
        raise RankerUnavailable(f"{REPORT} isn't a report of this version: {exc}", hint=hint) from exc


def _with_report(known: RankerCard, report: Mapping[str, Any]) -> RankerCard:
    config, found = report["config"], report["assessment"]
    scores = found["evaluator"]
    return RankerCard(
        checkpoint_hash=known.checkpoint_hash,
        shipped=known.shipped,
        log=known.log,
        utilities=tuple(config["utilities"]),
        size=config["size"],
        seed=config["seed"],
        parameters=dict(report["parameters"]),
        elapsed_s=dict(report["elapsed_s"]),
        trained_on=_trained_on(report["log"]),
        predictions={n: v for n, v in scores.items() if n not in _LISTS and v is not None and math.isfinite(v)},
        reliability=tuple(
            ReliabilityBin(expected=b["expected"], observed=b["observed"]) for b in scores["click_reliability"]
        ),
        examination=tuple(scores["examination"]),
        slates=tuple(SlateScores(**row) for row in found["actor"]),
    )


def _trained_on(log: Mapping[str, Any]) -> TrainedOn:
    return TrainedOn(
        source=log["source"] or "",
        lists=log["trained"],
        assessed=log["assessed"],
        candidates=log["candidates"],
        first=datetime.fromtimestamp(log["first"], UTC),
        last=datetime.fromtimestamp(log["last"], UTC),
    )
