"""A response surface: expected metrics over weights, with how sure they are.

what-if ─► design points ─► means and errors ─► a quadratic or a process for each metric ─► any weights
"""

# W weights, D design points, K utilities

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from reward_llm.domain.canonical import canonical_hash
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights
from reward_llm.domain.what_if import Expected, WhatIf
from reward_llm.errors import SurfaceInvalid
from reward_llm.loop.surface.fitting import Fit, LeftOut, Moments, fitted
from reward_llm.loop.surface.kernel import KernelConfig
from reward_llm.loop.surface.region import FloatArray

FEWEST_POINTS: Final = 8
"""Below that, nothing can be left out and still be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What was measured of one metric at every design point, and the covariance that was chosen for it."""

    means: tuple[float, ...]
    errors: tuple[float, ...]
    kernel: KernelConfig
    left_out: tuple[LeftOut, LeftOut]
    """How well either kind told what was left out: the quadratic, and the process."""


@dataclass(frozen=True, kw_only=True)
class Surface:
    """Metrics of one scenario over its weights.

    `made_of` says what was asked, and on how much. `factors` correct a metric by what was observed over what was
    predicted; metrics that have none stay as they are.
    """

    scenario: str
    utilities: tuple[str, ...]
    points: tuple[tuple[float, ...], ...]
    observations: Mapping[str, Observations]
    made_of: Mapping[str, Any]
    factors: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def fit(
        cls,
        scenario: Scenario,
        weights: Sequence[Weights],
        measured: Sequence[Mapping[str, Expected]],
        made_of: Mapping[str, Any],
    ) -> Surface:
        """Fit every metric that was measured at all points.

        Args:
            scenario: Gives the utilities, in their order.
            weights: What was tried.
            measured: What came of each.
            made_of: What was asked, and on how much; becomes part of the fingerprint.

        Raises:
            SurfaceInvalid: If there are too few points, or no metric was measured at all of them.
        """
        if len(weights) < FEWEST_POINTS:
            raise SurfaceInvalid(f"{len(weights)} points make no surface", hint=f"Try at least {FEWEST_POINTS}.")
        names = [name for name in measured[0] if all(name in one for one in measured)]
        if not names:
            raise SurfaceInvalid("no metric was measured at every point", hint="Measure more at each of them.")
        points = tuple(tuple(one[name] for name in scenario.utility_names) for one in weights)
        design_DK = np.array(points)
        return cls(
            scenario=scenario.name,
            utilities=scenario.utility_names,
            points=points,
            observations={name: _observed(design_DK, [one[name] for one in measured]) for name in names},
            made_of=dict(made_of),
        )

    @classmethod
    def ask(
        cls, scenario: Scenario, what_if: WhatIf, weights: Sequence[Weights], *, seed: int, made_of: Mapping[str, Any]
    ) -> Surface:
        """Ask what each of the weights would bring, and fit that.

        Raises:
            SurfaceInvalid: As `fit`.
        """
        asked = {"what_if": what_if.name, "seed": seed, **made_of}
        return cls.fit(scenario, weights, what_if.expected(weights, seed=seed), asked)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What it tells of weights; of all of them more is better."""
        return tuple(self.observations)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over what it was made of."""
        measured = {name: [list(o.means), list(o.errors)] for name, o in self.observations.items()}
        document = {
            "scenario": self.scenario,
            "utilities": list(self.utilities),
            "points": [list(p) for p in self.points],
            "measured": measured,
            "made_of": dict(self.made_of),
            "factors": dict(self.factors),
        }
        return canonical_hash(document)

    @cached_property
    def fits(self) -> Mapping[str, Fit]:
        """Each metric over weights, ready to be asked."""
        design_DK = np.array(self.points)
        return {
            name: Fit.of(o.kernel, design_DK, np.array(o.means), np.array(o.errors))
            for name, o in self.observations.items()
        }

    def fits_scenario(self, scenario: Scenario) -> bool:
        """Whether it is over the utilities that the scenario has now."""
        return self.scenario == scenario.name and self.utilities == scenario.utility_names

    def corrected(self, factors: Mapping[str, float]) -> Surface:
        """The same, with metrics multiplied by what was observed over what was predicted.

        Raises:
            SurfaceInvalid: If a factor isn't over 0.
        """
        if wrong := [name for name, factor in factors.items() if not factor > 0]:
            raise SurfaceInvalid(f"factors must be over 0: {', '.join(wrong)}")
        return replace(self, factors={name: f for name, f in factors.items() if name in self.observations})

    def predict(self, weights: Mapping[str, float]) -> dict[str, Expected]:
        """Every metric that is expected of the weights, with its standard error."""
        vector_K = np.array([weights[name] for name in self.utilities])
        found = {}
        for name, fit in self.fits.items():
            moments, factor = fit.moments(vector_K[None], vector_K), self.factors.get(name, 1.0)
            error = float(np.sqrt(moments.variance_W[0] + fit.level_variance))
            found[name] = Expected(mean=factor * float(moments.mean_W[0]), error=factor * error)
        return found

    def moments(self, metric: str, weights_WK: FloatArray, reference_K: FloatArray) -> Moments:
        """What is expected of many weights and a reference, with how they vary together; no level, no factor."""
        return self.fits[metric].moments(weights_WK, reference_K)

    def spread(self, metric: str) -> float:
        """The standard deviation of a metric over the design, in its unit."""
        return self.factors.get(metric, 1.0) * max(float(np.std(self.observations[metric].means)), 1e-12)


def _observed(design_DK: FloatArray, measured: Sequence[Expected]) -> Observations:
    means, errors = tuple(e.mean for e in measured), tuple(e.error for e in measured)
    fit, left_out = fitted(design_DK, np.array(means), np.array(errors))
    return Observations(means=means, errors=errors, kernel=fit.kernel.config, left_out=left_out)
