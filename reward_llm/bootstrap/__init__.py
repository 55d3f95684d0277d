"""The composition root: the only place that reads settings and builds concrete objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reward_llm.bootstrap.app import build_app
    from reward_llm.bootstrap.auditing import sign_checkpoint
    from reward_llm.bootstrap.basics import load_all_scenarios, load_settings, now
    from reward_llm.bootstrap.edge import create_token
    from reward_llm.bootstrap.events import run_agents_worker
    from reward_llm.bootstrap.lookups import build_lookup_app, check_known_schema, check_schema
    from reward_llm.bootstrap.models import build_model, check_bundle, let_openmp_wait
    from reward_llm.bootstrap.prompting import build_backends
    from reward_llm.bootstrap.ranking import explain_logged
    from reward_llm.bootstrap.reading import build_proposer, build_renderer, home_feed, open_reader, warm_up
    from reward_llm.bootstrap.simulation import read_goal, simulate
    from reward_llm.bootstrap.solving import SurfacePlan, fit_surface, solve_goal, surface_document
    from reward_llm.bootstrap.storage import store_revision, upgrade_store
    from reward_llm.bootstrap.worker import run_duties_once, run_worker

__all__ = [
    "SurfacePlan",
    "build_app",
    "build_backends",
    "build_lookup_app",
    "build_model",
    "build_proposer",
    "build_renderer",
    "check_bundle",
    "check_known_schema",
    "check_schema",
    "create_token",
    "explain_logged",
    "fit_surface",
    "home_feed",
    "let_openmp_wait",
    "load_all_scenarios",
    "load_settings",
    "now",
    "open_reader",
    "read_goal",
    "run_agents_worker",
    "run_duties_once",
    "run_worker",
    "sign_checkpoint",
    "simulate",
    "solve_goal",
    "store_revision",
    "surface_document",
    "upgrade_store",
    "warm_up",
]

_HOMES: Final = {
    "build_app": "app",
    "sign_checkpoint": "auditing",
    "run_agents_worker": "events",
    **dict.fromkeys(("load_all_scenarios", "load_settings", "now"), "basics"),
    "create_token": "edge",
    **dict.fromkeys(("build_lookup_app", "check_known_schema", "check_schema"), "lookups"),
    **dict.fromkeys(("build_model", "check_bundle", "let_openmp_wait"), "models"),
    "build_backends": "prompting",
    "explain_logged": "ranking",
    **dict.fromkeys(("build_proposer", "build_renderer", "home_feed", "open_reader", "warm_up"), "reading"),
    **dict.fromkeys(("read_goal", "simulate"), "simulation"),
    **dict.fromkeys(("SurfacePlan", "fit_surface", "solve_goal", "surface_document"), "solving"),
    **dict.fromkeys(("store_revision", "upgrade_store"), "storage"),
    **dict.fromkeys(("run_duties_once", "run_worker"), "worker"),
}
"""The modules that build what is asked for."""


def __getattr__(name: str) -> Any:
    """Load what is asked for: who only looks weights up builds little of all this."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found
