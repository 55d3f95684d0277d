"""One feature with what it learned from the training log."""

# I values

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from ranker.errors import FeatureSpecInvalid
from ranker.features.spec import Feature

LARGEST_DEVIATION: Final = 10.0
"""Standardised values are clipped to it, so that one broken upstream value can't drown the others."""

_SMALLEST_STD: Final = 1e-6


class FittedFeature(BaseModel):
    """A feature that can be computed: mean and deviation of a number, the values of a category."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feature: Feature
    supply_type: str | None = None
    mean: float = 0.0
    std: float = 1.0
    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, feature: Feature, values: pa.Array, supply_type: str | None = None) -> FittedFeature:
        """Learn from the values of a training log.

        Raises:
            FeatureSpecInvalid: If a numeric feature's column holds text.
        """
        if feature.kind == "categorical":
            return cls(feature=feature, supply_type=supply_type, values=_frequent(values, feature.size - 1))
        known_I = _transformed(feature, values)
        known_I = known_I[np.isfinite(known_I)]
        if len(known_I) == 0:
            return cls(feature=feature, supply_type=supply_type)
        std = float(known_I.std())
        return cls(
            feature=feature,
            supply_type=supply_type,
            mean=float(known_I.mean()),
            std=std if std > _SMALLEST_STD else 1.0,
        )

    def numbers(self, values: pa.Array) -> np.ndarray:
        """Give a numeric feature's values standardised, float32; 0 for unknown."""
        standard_I = (_transformed(self.feature, values) - self.mean) / self.std
        known_I = np.where(np.isfinite(standard_I), standard_I, 0.0)
        return known_I.clip(-LARGEST_DEVIATION, LARGEST_DEVIATION).astype(np.float32)

    def ids(self, values: pa.Array) -> np.ndarray:
        """Give a categorical feature's ids, int64; 0 for unknown and rare values."""
        index = pc.index_in(_text(values), value_set=pa.array(self.values, pa.string()), skip_nulls=True)
        ids_I: np.ndarray = pc.fill_null(index, -1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
        return ids_I


def _transformed(feature: Feature, values: pa.Array) -> np.ndarray:
    if pa.types.is_string(values.type):
        raise FeatureSpecInvalid(f"the feature {feature.name} is numeric, and its column holds text")
    value_I = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if feature.transform == "log1p":
        value_I = np.sign(value_I) * np.log1p(np.abs(value_I))
    array: np.ndarray = value_I
    return array


def _text(values: pa.Array) -> pa.Array:
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _frequent(values: pa.Array, count: int) -> tuple[str, ...]:
    """Give the most frequent values; ties by name, so that the order of a log's rows changes nothing."""
    counted = [(-entry["counts"], entry["values"]) for entry in pc.value_counts(_text(values)).to_pylist()]
    return tuple(value for _, value in sorted(pair for pair in counted if pair[1])[:count])
