"""Every error that the ranker raises on purpose.

RankerError
├── RequestInvalid          a batch of requests that can't be ranked
│   ├── ShapeMismatch       tensors that disagree on a dimension, or of another type than agreed
│   ├── FeatureNotFinite    NaN or infinity among the features
│   ├── ValueOutOfRange     a negative price, an unknown supply type
│   ├── CandidatesMissing   no candidate at all, or fewer than there are slots
│   └── PinInvalid          two items pinned to one slot, a pinned item that is forbidden
├── SlateInvalid            an item shown twice, an index that isn't a candidate's
├── WeightsInvalid          weights that are negative, all zero or over another number of utilities
├── UtilityUnknown          a name that the registry doesn't hold
├── UtilityInvalid          a utility that breaks the laws of utilities, or two of one name
├── PredictionsMissing      a utility needs the evaluator, and no predictions came along
├── FeatureSpecInvalid      a feature spec that contradicts itself
├── LogInvalid              a file that isn't a list-wise log
├── SearchInvalid           a search for a slate that can't be done: too large, or no slate is allowed
├── ModelInvalid            a checkpoint or a configuration that doesn't fit
├── TrainingFailed          a training run that collapsed or diverged
└── DependencyMissing       an optional package isn't installed

Each may carry a `hint` that says what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class RankerError(Exception):
    """The root of the tree."""

    code: ClassVar[str] = "ranker_error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RequestInvalid(RankerError):
    """A batch of requests that can't be ranked."""

    code = "request_invalid"


class ShapeMismatch(RequestInvalid):
    """Tensors that disagree on a dimension, or of another type than agreed."""

    code = "shape_mismatch"


class FeatureNotFinite(RequestInvalid):
    """NaN or infinity among the features."""

    code = "feature_not_finite"


class ValueOutOfRange(RequestInvalid):
    """A value outside what its field may hold."""

    code = "value_out_of_range"


class CandidatesMissing(RequestInvalid):
    """No candidate at all, or fewer than there are slots."""

    code = "candidates_missing"


class PinInvalid(RequestInvalid):
    """A guaranteed position that can't be kept."""

    code = "pin_invalid"


class SlateInvalid(RankerError):
    """An item shown twice, or an index that isn't a candidate's."""

    code = "slate_invalid"


class WeightsInvalid(RankerError):
    """Weights that are negative, not finite, all zero or over another number of utilities."""

    code = "weights_invalid"


class UtilityUnknown(RankerError):
    """A name that the registry doesn't hold."""

    code = "utility_unknown"


class UtilityInvalid(RankerError):
    """A utility that breaks the laws of utilities, or two of one name."""

    code = "utility_invalid"


class PredictionsMissing(RankerError):
    """A utility needs the evaluator, and no predictions came along."""

    code = "predictions_missing"


class FeatureSpecInvalid(RankerError):
    """A feature spec that contradicts itself, or a table that doesn't have what the spec names."""

    code = "feature_spec_invalid"


class LogInvalid(RankerError):
    """A file that isn't a list-wise log."""

    code = "log_invalid"


class SearchInvalid(RankerError):
    """A search for a slate that can't be done: too large, or no slate is allowed."""

    code = "search_invalid"


class ModelInvalid(RankerError):
    """A checkpoint or a configuration that doesn't fit."""

    code = "model_invalid"


class TrainingFailed(RankerError):
    """A training run that collapsed or diverged."""

    code = "training_failed"


class DependencyMissing(RankerError):
    """An optional package isn't installed."""

    code = "dependency_missing"
