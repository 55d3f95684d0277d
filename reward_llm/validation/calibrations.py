"""`calibration.json`: a calibration beside the checkpoint that it was fitted to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from reward_llm.domain.calibration import Calibration, Scaling
from reward_llm.errors import CheckpointInvalid, ConfigurationInvalid

CALIBRATION: Final = "calibration.json"
_HINT: Final = "Write it again with `reward-llm model calibrate`."
_CONFIG: Final = ConfigDict(extra="forbid", frozen=True)


class _Scaling(BaseModel):
    model_config = _CONFIG

    slope: Annotated[FiniteFloat, Field(ge=0)]
    intercept: FiniteFloat

    @classmethod
    def of(cls, scaling: Scaling) -> _Scaling:
        return cls(slope=scaling.slope, intercept=scaling.intercept)

    @property
    def scaling(self) -> Scaling:
        return Scaling(slope=self.slope, intercept=self.intercept)


class _Document(BaseModel):
    model_config = _CONFIG

    kind: Literal["calibration/1"] = "calibration/1"
    weights_sha256: str
    intent: _Scaling
    completeness: _Scaling
    no_change: _Scaling
    threshold: Annotated[FiniteFloat, Field(ge=0, le=1)]
    report: dict[str, Any]
    """What was measured when it was fitted, for people."""

    @property
    def calibration(self) -> Calibration:
        return Calibration(
            intent=self.intent.scaling,
            completeness=self.completeness.scaling,
            no_change=self.no_change.scaling,
            threshold=self.threshold,
        )


def dump_calibration(calibration: Calibration, weights_sha256: str, report: dict[str, Any]) -> str:
    """The document of a calibration.

    Args:
        calibration: The maps and the threshold.
        weights_sha256: The digest of the weights whose probabilities it is for.
        report: What was measured, to look at later.
    """
    document = _Document(
        weights_sha256=weights_sha256,
        intent=_Scaling.of(calibration.intent),
        completeness=_Scaling.of(calibration.completeness),
        no_change=_Scaling.of(calibration.no_change),
        threshold=calibration.threshold,
        report=report,
    )
    return document.model_dump_json(indent=2) + "\n"


def load_calibration(file: Path) -> Calibration:
    """The calibration in a file of one's choice.

    Raises:
        ConfigurationInvalid: If there is none.
    """
    try:
        return _parse(file).calibration
    except (OSError, ValidationError) as exc:
        raise ConfigurationInvalid(f"{file} holds no calibration: {_problem(exc)}", hint=_HINT) from exc


def load_own_calibration(folder: Path, weights_sha256: str) -> Calibration | None:
    """The calibration that lies in a checkpoint's folder; None if there is none.

    Raises:
        CheckpointInvalid: If it is damaged, or was fitted to other weights.
    """
    file = folder / CALIBRATION
    if not file.is_file():
        return None
    try:
        document = _parse(file)
    except (OSError, ValidationError) as exc:
        raise CheckpointInvalid(f"{file} holds no calibration: {_problem(exc)}", hint=_HINT) from exc
    if document.weights_sha256 != weights_sha256:
        raise CheckpointInvalid(
            f"{file} was fitted to other weights than those beside it", hint=f"{_HINT} Or delete it."
        )
    return document.calibration


def _parse(file: Path) -> _Document:
    return _Document.model_validate_json(file.read_bytes())


def _problem(exc: OSError | ValidationError) -> str:
    return exc.errors()[0]["msg"] if isinstance(exc, ValidationError) else str(exc)
