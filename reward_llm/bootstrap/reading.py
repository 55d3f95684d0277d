"""What reads goals, outside the service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from reward_llm.bootstrap.basics import load_all_scenarios, load_settings, now
from reward_llm.bootstrap.models import build_embedded, build_model, build_vllm
from reward_llm.domain.completion import Message, Vocabulary
from reward_llm.domain.interpretation import Interpretation
from reward_llm.domain.scenario import Scenario
from reward_llm.settings import Settings
from reward_llm.validation.text import clean

if TYPE_CHECKING:
    from reward_llm.domain.ports import LanguageModel
    from reward_llm.generation.proposer import Proposer, ProposerConfig

_PATIENCE_S: Final = 600.0
"""For goals that are read for training, where nobody waits for a single one."""
_BUNDLE: Final = "goal_to_intents"


def build_proposer(settings: Settings, model: LanguageModel | None = None) -> Proposer:
    """Goal → proposal, with the model of the settings unless another is given.

    Raises:
        ConfigurationInvalid: If the model can't answer the bundle.
    """
    from reward_llm.generation.prompts import load_bundle
    from reward_llm.generation.proposer import Proposer
    from reward_llm.reading.rules import RuleReader

    return Proposer(
        model=model or build_model(settings),
        bundle=load_bundle(settings.bundle),
        readers={name: RuleReader(s) for name, s in load_all_scenarios(settings).items()},
        config=proposer_config(settings),
    )


def proposer_config(settings: Settings) -> ProposerConfig:
    """How long and how often a model is asked."""
    from reward_llm.generation.proposer import ProposerConfig

    return ProposerConfig(
        deadline_s=settings.deadline_s,
        attempts=settings.attempts,
        seed=settings.seed,
        zone=ZoneInfo(settings.time_zone),
    )


def home_feed(settings: Settings) -> Scenario:
    """The scenario whose utilities are the seven concepts, which goal models are made for."""
    return load_all_scenarios(settings)["home_feed"]


def build_renderer(settings: Settings, vocabulary: Vocabulary) -> Callable[[str], tuple[Message, ...]]:
    """What gives the chat that asks a model for a reading of a goal's text, as the proposer asks it first."""
    from reward_llm.generation.prompts import load_bundle
    from reward_llm.generation.shown import ShownGoal
    from reward_llm.reading.rules import RuleReader

    bundle, scenario = load_bundle(_BUNDLE), home_feed(settings)
    reader = RuleReader(scenario)

    def render(text: str) -> tuple[Message, ...]:
        shown = ShownGoal.of(clean(text)[0], reader)
        return bundle.render(scenario, vocabulary, shown.text, shown.hints)

    return render


@contextmanager
def open_reader(
    model: Path | str, *, calibrated: bool = True
) -> Iterator[Callable[[Sequence[str]], list[Interpretation | None]]]:
    """Reads goals with a checkpoint, or with the vLLM at a URL, by the same prompt, schema and gate as in service.

    Where no answer of the model's own passed the gate, the reading is None. Without `calibrated` a checkpoint's
    probabilities are left as they are.

    Raises:
        ModelError: If the model can't be loaded, or doesn't answer (any more).
    """
    from reward_llm.generation.bulk import BulkReader

    where = {"checkpoint": model} if isinstance(model, Path) else {"vllm_url": model}
    settings = load_settings(**where, bundle=_BUNDLE, deadline_s=_PATIENCE_S)
    built = build_embedded(settings, calibrated=calibrated) if isinstance(model, Path) else build_vllm(settings)
    reader = BulkReader(
        proposer=build_proposer(settings, built), model=built, scenario=home_feed(settings), clock=now
    )
    with asyncio.Runner() as runner:
        try:
            yield lambda texts: runner.run(reader.read(texts))
        finally:
            runner.run(built.aclose())


async def warm_up(settings: Settings) -> None:
    """Have the vLLM of the settings read its first goals, which are slow.

    Raises:
        ModelUnavailable: If it can't.
    """
    from reward_llm.generation.vllm_server import warm_up as read_first_goals

    model = build_vllm(settings)
    try:
        await read_first_goals(build_proposer(settings, model), load_all_scenarios(settings).values(), now())
    finally:
        await model.aclose()
