"""What came of goals, as it is answered."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing, WeightsByUtility
from reward_llm.api.wire.online_metrics import EstimateWire
from reward_llm.domain.memory import Forecast, GoalMemory, Observation, Predicted, Tried
from reward_llm.domain.metrics import Estimate
from reward_llm.domain.source import Source

_STANDARD_ERRORS = 1.96


class PredictedWire(Outgoing):
    """A metric as it was expected, with an interval of 95 %."""

    value: float
    low: float
    high: float
    factor: float = Field(description="By what earlier observations had corrected it.")

    @classmethod
    def of(cls, predicted: Predicted) -> PredictedWire:
        """What was predicted."""
        room = _STANDARD_ERRORS * predicted.error
        return cls(
            value=predicted.mean, low=predicted.mean - room, high=predicted.mean + room, factor=predicted.factor
        )


class ForecastWire(Outgoing):
    """What weights were expected to bring, when they got into force."""

    made_by: str = Field(examples=["surface 3f9a0c52"])
    metrics: dict[str, PredictedWire]

    @classmethod
    def of(cls, forecast: Forecast) -> ForecastWire:
        """The forecast."""
        return cls(made_by=forecast.made_by, metrics={m: PredictedWire.of(p) for m, p in forecast.metrics.items()})


class ObservationWire(Outgoing):
    """Metrics of a policy's slates in its first time in force, beside those of the scope in a time as long before.

    What differs isn't caused by the policy alone; an experiment tells what is.
    """

    activation: int
    since: MomentOut
    until: MomentOut
    metrics: dict[str, EstimateWire]
    before: dict[str, EstimateWire]

    @classmethod
    def of(cls, observation: Observation) -> ObservationWire:
        """The observation."""
        return cls(
            activation=observation.activation,
            since=observation.since,
            until=observation.until,
            metrics=_estimates(observation.metrics),
            before=_estimates(observation.before),
        )


class TriedWire(Outgoing):
    """Weights of a goal that got into force."""

    policy_id: str
    source: Source
    weights: WeightsByUtility
    predicted: ForecastWire | None = Field(description="Null where nothing could be predicted.")
    observations: list[ObservationWire] = Field(description="Shortest time first.")

    @classmethod
    def of(cls, tried: Tried, memory: GoalMemory) -> TriedWire:
        """The weights, with what was observed of them."""
        own = sorted((o for o in memory.observations if o.policy_id == tried.policy_id), key=lambda o: o.until)
        return cls(
            policy_id=tried.policy_id,
            source=tried.source,
            weights=dict(tried.weights),
            predicted=ForecastWire.of(tried.predicted) if tried.predicted else None,
            observations=[ObservationWire.of(o) for o in own],
        )


class GoalOutcomesWire(Outgoing):
    """What was predicted of a goal's weights, and what came of them."""

    goal_id: str
    scenario: str
    segment: str | None
    tried: list[TriedWire] = Field(description="Empty until weights of the goal are in force and looked at.")


def _estimates(found: Mapping[str, Estimate]) -> dict[str, EstimateWire]:
    return {metric: EstimateWire.of(estimate) for metric, estimate in found.items()}
