"""What reads goals in the service, with prompts that people edit."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reward_llm.bootstrap.models import build_embedded, build_vllm
from reward_llm.bootstrap.reading import proposer_config
from reward_llm.domain.scenario import Scenario
from reward_llm.resources import checkpoint_dir, golden_dir
from reward_llm.settings import Settings
from reward_llm.validation.checkpoints import was_trained_here

if TYPE_CHECKING:
    from reward_llm.domain.memory import Memories
    from reward_llm.domain.ports import BackendName, LanguageModel, PromptStore
    from reward_llm.domain.prompts import PromptUse, PromptVersion
    from reward_llm.generation.prompt_workshop import Backend
    from reward_llm.generation.prompting import Prompting


def build_prompting(
    settings: Settings,
    prompts: PromptStore,
    packaged: Mapping[str, PromptVersion],
    backends: Sequence[Backend],
    scenarios: Mapping[str, Scenario],
    memories: Memories | None = None,
) -> Prompting:
    """Those who read goals with the prompt in production, and where prompts are worked on."""
    from reward_llm.generation.prompt_book import BookConfig
    from reward_llm.generation.prompting import prompting
    from reward_llm.tuning.evaluation.golden import GoldenSets

    own = [settings.golden_dir] if settings.golden_dir else []
    return prompting(
        name=settings.bundle,
        store=prompts,
        packaged=packaged,
        backends=backends,
        scenarios=scenarios,
        evaluator=GoldenSets(folders=[golden_dir(), *own], scenario=scenarios["home_feed"], monotonic=time.monotonic),
        config=proposer_config(settings),
        book=BookConfig(refresh_s=settings.refresh_s),
        memories=memories if settings.prompt_outcomes else None,
    )


def build_backends(settings: Settings, model: LanguageModel | None) -> list[Backend]:
    """Who can be asked: the one that reads goals, those that the settings name beside it, and the rules."""
    from reward_llm.generation.prompt_workshop import Backend

    named: dict[BackendName, LanguageModel | None] = {settings.backend: model}
    if settings.backend != "embedded" and "checkpoint" in settings.model_fields_set:
        named["embedded"] = build_embedded(settings)
    if settings.backend != "vllm" and "vllm_url" in settings.model_fields_set:
        named["vllm"] = build_vllm(settings)
    use = _prompt_use(settings)
    return [Backend(name=n, model=m, prompt_use=use[n]) for n, m in {**named, "rules": None}.items()]


def _prompt_use(settings: Settings) -> dict[BackendName, PromptUse]:
    """How much of a prompt each backend sees: models that are trained here are shown the goal alone."""
    trained = was_trained_here(settings.checkpoint or checkpoint_dir())
    return {"embedded": "user_turn" if trained else "whole", "vllm": "whole", "rules": "none"}
