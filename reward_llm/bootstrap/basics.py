"""Settings, time and scenarios."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import ValidationError

from reward_llm.domain.scenario import Scenario
from reward_llm.errors import ConfigurationInvalid
from reward_llm.resources import scenarios_dir
from reward_llm.settings import Settings
from reward_llm.validation.scenarios import load_scenarios


def load_settings(**overrides: Any) -> Settings:
    """The settings of the environment, with those overrides that aren't None.

    Raises:
        ConfigurationInvalid: If a setting can't be used.
    """
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})
    except ValidationError as exc:
        problems = "; ".join(f"{'_'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in exc.errors())
        raise ConfigurationInvalid(
            f"settings can't be used: {problems}", hint="Every setting is also a REWARD_LLM_* variable."
        ) from exc


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def load_all_scenarios(settings: Settings) -> dict[str, Scenario]:
    """The scenarios that ship and those of `scenarios_dir`, by name.

    Raises:
        ScenarioInvalid: If any file is invalid.
        ConfigurationInvalid: If there is a `baseline_public_key`, and one isn't signed for it.
    """
    folders = [scenarios_dir(), *([settings.scenarios_dir] if settings.scenarios_dir else [])]
    if settings.baseline_public_key is None:
        return load_scenarios(folders)
    from reward_llm.validation.baselines import check_baseline
    from reward_llm.validation.signatures import load_public_key

    return load_scenarios(folders, partial(check_baseline, key=load_public_key(settings.baseline_public_key)))
