"""Surfaces as JSON files: what was tried and measured, and which covariances were chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from reward_llm.errors import SurfaceInvalid
from reward_llm.loop.surface.fitting import LeftOut
from reward_llm.loop.surface.kernel import KernelConfig, Kind
from reward_llm.loop.surface.surface import Observations, Surface

_HINT: Final = "Make it again with `reward-llm solve fit`."
_CONFIG: Final = ConfigDict(extra="forbid", frozen=True)


class _Kernel(BaseModel):
    model_config = _CONFIG

    kind: Kind
    noise: Annotated[FiniteFloat, Field(gt=0)]
    length: Annotated[FiniteFloat, Field(ge=0)] = 0.0
    linear: Annotated[FiniteFloat, Field(ge=0)] = 0.0

    @classmethod
    def of(cls, kernel: KernelConfig) -> _Kernel:
        return cls(kind=kernel.kind, noise=kernel.noise, length=kernel.length, linear=kernel.linear)

    @property
    def config(self) -> KernelConfig:
        return KernelConfig(kind=self.kind, noise=self.noise, length=self.length, linear=self.linear)


class _LeftOut(BaseModel):
    model_config = _CONFIG

    kernel: _Kernel
    error: FiniteFloat
    covered: FiniteFloat

    @property
    def left_out(self) -> LeftOut:
        return LeftOut(kernel=self.kernel.config, error=self.error, covered=self.covered)


class _Metric(BaseModel):
    model_config = _CONFIG

    means: list[FiniteFloat]
    errors: list[Annotated[FiniteFloat, Field(ge=0)]]
    kernel: _Kernel
    quadratic: _LeftOut
    process: _LeftOut


class _Document(BaseModel):
    model_config = _CONFIG

    kind: Literal["surface/1"] = "surface/1"
    scenario: str
    utilities: list[str]
    made_of: dict[str, Any]
    fingerprint: str
    points: list[list[FiniteFloat]]
    metrics: dict[str, _Metric]


def dump_surface(surface: Surface) -> str:
    """The document of a surface."""
    document = _Document(
        scenario=surface.scenario,
        utilities=list(surface.utilities),
        made_of=dict(surface.made_of),
        fingerprint=surface.fingerprint,
        points=[list(p) for p in surface.points],
        metrics={name: _metric(o) for name, o in surface.observations.items()},
    )
    return document.model_dump_json(indent=1) + "\n"


def load_surface(file: Path) -> Surface:
    """The surface in a file.

    Raises:
        SurfaceInvalid: If there is none, or it isn't what its fingerprint is of.
    """
    try:
        document = _Document.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as exc:
        raise SurfaceInvalid(f"{file} holds no surface: {_problem(exc)}", hint=_HINT) from exc
    if wrong := _wrong(document):
        raise SurfaceInvalid(f"{file} holds no surface: {wrong}", hint=_HINT)
    surface = Surface(
        scenario=document.scenario,
        utilities=tuple(document.utilities),
        points=tuple(tuple(p) for p in document.points),
        observations={name: _observations(metric) for name, metric in document.metrics.items()},
        made_of=document.made_of,
    )
    if surface.fingerprint != document.fingerprint:
        raise SurfaceInvalid(f"{file} was changed after it was made", hint=_HINT)
    return surface


def _metric(observed: Observations) -> _Metric:
    quadratic, process = (
        _LeftOut(kernel=_Kernel.of(one.kernel), error=one.error, covered=one.covered) for one in observed.left_out
    )
    return _Metric(
        means=list(observed.means),
        errors=list(observed.errors),
        kernel=_Kernel.of(observed.kernel),
        quadratic=quadratic,
        process=process,
    )


def _observations(metric: _Metric) -> Observations:
    return Observations(
        means=tuple(metric.means),
        errors=tuple(metric.errors),
        kernel=metric.kernel.config,
        left_out=(metric.quadratic.left_out, metric.process.left_out),
    )


def _wrong(document: _Document) -> str | None:
    count = len(document.points)
    if not count or any(len(p) != len(document.utilities) for p in document.points):
        return "its points aren't weights of its utilities"
    if any(len(m.means) != count or len(m.errors) != count for m in document.metrics.values()):
        return "a metric hasn't a mean and an error for each point"
    return None


def _problem(exc: OSError | ValidationError) -> str:
    return exc.errors()[0]["msg"] if isinstance(exc, ValidationError) else str(exc)
