"""What experiments are told: what each user did, summed up over the users of each arm.

A user's events lie in one partition, so each partition sums up its own users and the sums are added.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from reward_llm.domain.experiments import (
    NO_MOMENTS,
    UNIT_METRICS,
    ArmSums,
    Moments,
    Sums,
    SumsQuestion,
    total,
)
from reward_llm.domain.metrics import Metric
from reward_llm.domain.scenario import Scope
from reward_llm.errors import MetricsUnavailable
from reward_llm.feedback.metrics import unit_queries as queries
from reward_llm.feedback.metrics.columns import micros
from reward_llm.feedback.metrics.log import EventLog
from reward_llm.feedback.metrics.online import MetricsStore

Floats = npt.NDArray[np.float64]
Found = Mapping[str, Any]
"""Columns with a row for each user."""

_RATIOS: Final[Mapping[Metric, tuple[str, str]]] = {
    Metric.CTR: ("clicks", "impressions"),
    Metric.CONVERSION: ("purchases", "clicks"),
    Metric.GMV: ("gmv", "days"),
    Metric.DWELL: ("dwell", "views"),
    Metric.INTEREST_DIVERSITY: ("diversity", "diverse"),
    Metric.COLD_START_SHARE: ("new_impressions", "impressions"),
    Metric.NEXT_DAY_RETENTION: ("returns", "visits"),
}
"""What stands above and below the line, for each user. Money is of a user and day."""
_ARMS: Final = (0, 1)


class UnitLog:
    """A `reward_llm.domain.ports.experiments.ExperimentData` over the log of events."""

    def __init__(self, store: MetricsStore) -> None:
        self._store = store

    @property
    def kept(self) -> timedelta:
        """How far back events reach."""
        return self._store.kept

    async def sums(self, question: SumsQuestion) -> Sums:
        """The sums of both arms."""
        parts = await self._store.of_all(lambda log: _sums(log, question))
        return Sums(
            control=_added([p.control for p in parts]),
            treatment=_added([p.treatment for p in parts]),
            switched=sum(p.switched for p in parts),
        )

    async def traffic(self, scope: Scope, metric: Metric, since: datetime, until: datetime) -> ArmSums:
        """The sums of all users that were shown something, whatever policy it was by."""
        return _added(await self._store.of_all(lambda log: _traffic(log, scope, metric, since, until)))


def _added(parts: Sequence[ArmSums]) -> ArmSums:
    names = {name for part in parts for name in part.moments}
    return ArmSums(
        units=sum(part.units for part in parts),
        moments={m: total(p.moments[m] for p in parts) for m in UNIT_METRICS if m in names},
    )


def _sums(log: EventLog, question: SumsQuestion) -> Sums:
    found = _asked(log, queries.of_arms(_needs(question.metrics)), _parameters(question))
    arms = found["arm"]
    control, treatment = (_arm(found, arms == arm, question.metrics) for arm in _ARMS)
    return Sums(control=control, treatment=treatment, switched=int(np.sum(found["switched"])))


def _traffic(log: EventLog, scope: Scope, metric: Metric, since: datetime, until: datetime) -> ArmSums:
    everybody = SumsQuestion(
        scope=scope,
        control="",
        treatment="",
        metrics=(metric,),
        start=since,
        since=since,
        until=until,
        pre=timedelta(0),
    )
    found = _asked(log, queries.of_everybody(_needs((metric,))), _parameters(everybody))
    return _arm(found, np.ones(len(found["arm"]), dtype=bool), (metric,))


def _asked(log: EventLog, query: str, parameters: Mapping[str, Any]) -> Found:
    try:
        return log.columns_of(query, parameters)
    except duckdb.Error as exc:
        raise MetricsUnavailable("the log of events can't be read now", hint="Try again.") from exc


def _needs(metrics: Collection[Metric]) -> frozenset[str]:
    return frozenset(name for metric in metrics for name in _RATIOS[metric])


def _parameters(question: SumsQuestion) -> dict[str, Any]:
    start = micros(question.start)
    return {
        "scenario": question.scope.scenario,
        "segment": question.scope.segment,
        "control": question.control,
        "treatment": question.treatment,
        "start": start,
        "since": micros(question.since),
        "until": micros(question.until),
        "pre": start - question.pre // timedelta(microseconds=1),
    }


def _arm(found: Found, is_in: npt.NDArray[np.bool_], metrics: Sequence[Metric]) -> ArmSums:
    return ArmSums(
        units=int(is_in.sum()),
        moments={metric: _moments(*(_column(found, name, is_in) for name in _columns(metric))) for metric in metrics},
    )


def _columns(metric: Metric) -> tuple[str, str, str, str]:
    above, below = _RATIOS[metric]
    return above, below, f"{above}_before", f"{below}_before"


def _column(found: Found, name: str, is_in: npt.NDArray[np.bool_]) -> Floats:
    return np.asarray(np.ma.filled(found[name], 0), dtype=np.float64)[is_in]


def _moments(*columns: Floats) -> Moments:
    if not len(columns[0]):
        return NO_MOMENTS
    table = np.column_stack(columns)
    products = table.T @ table
    return Moments(
        len(table),
        tuple(float(s) for s in table.sum(axis=0)),
        tuple(tuple(float(p) for p in row) for row in products),
    )
