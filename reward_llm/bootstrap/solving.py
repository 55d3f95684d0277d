"""What solves goals, and makes the surfaces that it solves them over."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final, Literal

import structlog

from reward_llm.bootstrap.basics import now
from reward_llm.bootstrap.models import let_openmp_wait
from reward_llm.bootstrap.simulation import read_goal
from reward_llm.domain.goal import Goal
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.simulation import RecommenderName
from reward_llm.errors import ConfigurationInvalid, GoalInvalid, RewardLLMError, SimulatorUnavailable, SurfaceInvalid
from reward_llm.settings import Settings
from reward_llm.validation.text import clean

if TYPE_CHECKING:
    from reward_llm.domain.interpretation import Interpretation
    from reward_llm.domain.memory import Forecaster
    from reward_llm.domain.policy import Proposal
    from reward_llm.domain.solving import GoalSolver, Solution
    from reward_llm.domain.weights import Weights
    from reward_llm.domain.what_if import WhatIf
    from reward_llm.loop.surface.surface import Surface

WhatIfName = Literal["simulator", "ranker"]

Factors = Callable[[str], Mapping[str, float]]
"""What a scenario's metrics are multiplied with, by their names."""
_Key = tuple[str, "Weights", "Weights", frozenset[tuple[str, float]]]
"""A goal, its proposal's weights, those in force, and the corrections."""

_LOOP_EXTRA: Final = "Install the loop extra: pip install 'reward-llm[loop]'."
_AGENTS_EXTRA: Final = "Install the agents extra: pip install 'reward-llm[agents]'."
_REMEMBERED: Final = 256
"""Solutions that a service keeps."""
_DESIGN_SEED: Final = 0
_log = structlog.get_logger(__name__)


def _no_factors(_scenario: str) -> dict[str, float]:
    return {}


def build_solver(settings: Settings, factors: Factors = _no_factors) -> GoalSolver:
    """What solves goals for the service; surfaces are loaded once the first goal is to be solved.

    Args:
        settings: Where surfaces are.
        factors: What a scenario's metrics are corrected by now.
    """
    return _KeptSolver(lambda: _usable(settings.surfaces_dir), factors)


def build_forecaster(settings: Settings, factors: Factors = _no_factors) -> Forecaster | None:
    """What tells beforehand what weights bring; None where surfaces can't be asked."""
    try:
        from reward_llm.loop.surface.forecasting import SurfaceForecaster
    except ModuleNotFoundError:
        return None
    return SurfaceForecaster(lambda: _corrected(settings.surfaces_dir, factors))


def solve_goal(
    settings: Settings, scenario: Scenario, text: str, targets: Mapping[str, float]
) -> tuple[Proposal, Solution | None]:
    """What a goal is read as, against the scenario's defaults, and both answers to it; surfaces aren't corrected.

    Raises:
        GoalInvalid: If it can't be read at all, or has a target for what isn't a utility.
        SurfaceInvalid: If a file of the settings holds no surface.
        ConfigurationInvalid: If what surfaces need isn't installed.
    """
    if unknown := [name for name in targets if name not in scenario.utility_names]:
        hint = f"It has: {', '.join(scenario.utility_names)}."
        raise GoalInvalid(f"{scenario.name} has no utility {', '.join(unknown)}", hint=hint)
    surfaces = _surfaces(settings.surfaces_dir)
    from reward_llm.loop.solving.solver import SurfaceSolver

    proposal = read_goal(settings, scenario, text)
    goal = Goal(
        id="goal_solved", scope=Scope(scenario.name), text=clean(text)[0], submitted_at=now(), targets=targets
    )
    solver = SurfaceSolver(surfaces=surfaces)
    return proposal, solver.solve(goal, proposal.interpretation, proposal.weights, scenario, scenario.defaults)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfacePlan:
    """What a surface is made of.

    The last four are the simulator's: who fills the slates, and how much is simulated.
    """

    what_if: WhatIfName = "simulator"
    points: int = 44
    seed: int = 0
    recommender: RecommenderName = RecommenderName.MARKETPLACE
    users: int = 500
    days: int = 10
    seeds: int = 3

    @property
    def steps(self) -> int:
        """How often something is done: a month simulated, or all logged requests ranked."""
        return self.points * (self.seeds if self.what_if == "simulator" else 1)


def fit_surface(settings: Settings, scenario: Scenario, plan: SurfacePlan, on_step: Callable[[], None]) -> Surface:
    """A surface over the scenario's weights; `on_step` is told of each of the plan's steps.

    Raises:
        SurfaceInvalid: If there are too few points.
        RankerUnavailable: If the ranker or its log can't be loaded.
        SimulatorUnavailable: If what simulations need isn't installed.
        ConfigurationInvalid: If what surfaces need isn't installed.
    """
    let_openmp_wait()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        from reward_llm.loop.surface.design import design
        from reward_llm.loop.surface.surface import Surface
    except ModuleNotFoundError as exc:
        raise ConfigurationInvalid(f"surfaces need {exc.name}", hint=_LOOP_EXTRA) from exc
    asked, made_of = _asked(settings, scenario, plan, on_step)
    tried = design(scenario, plan.points, seed=_DESIGN_SEED)
    return Surface.ask(scenario, asked, tried, seed=plan.seed, made_of=made_of)


def _asked(
    settings: Settings, scenario: Scenario, plan: SurfacePlan, on_step: Callable[[], None]
) -> tuple[WhatIf, Mapping[str, object]]:
    if plan.what_if == "ranker":
        from reward_llm.bootstrap.ranking import load_engine
        from reward_llm.ranking.what_if import RankerWhatIf

        asked = RankerWhatIf(scenario=scenario, engine=load_engine(settings), on_weights=on_step)
        return asked, {"requests": asked.requests}
    try:
        from reward_llm.agents.simulation.what_if import SimulatedWhatIf
    except ModuleNotFoundError as exc:
        raise SimulatorUnavailable(f"simulations need {exc.name}", hint=_AGENTS_EXTRA) from exc
    market = {"users": plan.users, "days": plan.days, "seeds": plan.seeds}
    simulated = SimulatedWhatIf(scenario=scenario, recommender=plan.recommender, on_month=on_step, **market)
    return simulated, {"recommender": plan.recommender.value, **market}


def surface_document(surface: Surface) -> str:
    """The surface as it is kept in a file."""
    from reward_llm.loop.surface.files import dump_surface

    return dump_surface(surface)


class _KeptSolver:
    """Solves each goal once, and gives the same solution again until the surface is corrected otherwise."""

    def __init__(self, surfaces: Callable[[], Mapping[str, Surface]], factors: Factors) -> None:
        self._surfaces = surfaces
        self._factors = factors
        self._kept: OrderedDict[_Key, Solution | None] = OrderedDict()
        self._lock = Lock()

    def solve(
        self, goal: Goal, reading: Interpretation, proposed: Weights, scenario: Scenario, active: Weights
    ) -> Solution | None:
        """Both answers to a goal; None as well where surfaces can't be used."""
        factors = dict(self._factors(scenario.name))
        key = (goal.id, proposed, active, frozenset(factors.items()))
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._solved(factors, goal, reading, proposed, scenario, active)
                if len(self._kept) > _REMEMBERED:
                    self._kept.popitem(last=False)
            return self._kept[key]

    def _solved(
        self,
        factors: Mapping[str, float],
        goal: Goal,
        reading: Interpretation,
        proposed: Weights,
        scenario: Scenario,
        active: Weights,
    ) -> Solution | None:
        surface = self._surfaces().get(scenario.name)
        if surface is None:
            return None
        from reward_llm.loop.solving.solver import SurfaceSolver

        solver = SurfaceSolver(surfaces={scenario.name: surface.corrected(factors)})
        return solver.solve(goal, reading, proposed, scenario, active)


def _corrected(folder: Path | None, factors: Factors) -> Mapping[str, Surface]:
    """The surfaces that can be used, multiplied by what was observed over what was predicted."""
    return {name: surface.corrected(factors(name)) for name, surface in _usable(folder).items()}


@cache
def _usable(folder: Path | None) -> Mapping[str, Surface]:
    """The surfaces, none where they can't be used, which is logged."""
    try:
        return _surfaces(folder)
    except RewardLLMError as exc:
        _log.warning("surfaces.unusable", error=exc.message, hint=exc.hint)
        return {}


def _surfaces(folder: Path | None) -> Mapping[str, Surface]:
    try:
        from reward_llm.loop.surface.shelf import load_surfaces
    except ModuleNotFoundError as exc:
        raise ConfigurationInvalid(f"surfaces need {exc.name}", hint=_LOOP_EXTRA) from exc
    if folder is not None and not folder.is_dir():
        raise SurfaceInvalid(f"{folder} isn't a folder", hint="Set REWARD_LLM_SURFACES_DIR to one.")
    return load_surfaces(folder)
