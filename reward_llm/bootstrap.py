"""The composition root: the only place that reads settings and builds concrete objects."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from reward_llm.domain.completion import Message, Vocabulary
from reward_llm.domain.interpretation import Interpretation
from reward_llm.domain.policy import Source
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import CheckpointInvalid, ConfigurationInvalid
from reward_llm.resources import checkpoint_dir, scenarios_dir
from reward_llm.settings import Settings
from reward_llm.validation.calibrations import load_calibration
from reward_llm.validation.checkpoints import was_trained_here
from reward_llm.validation.scenarios import load_scenarios
from reward_llm.validation.text import clean

if TYPE_CHECKING:
    from fastapi import FastAPI

    from reward_llm.domain.ports import LanguageModel
    from reward_llm.generation.proposer import Proposer

_LARGE_MODEL = (
    "Set REWARD_LLM_BUNDLE=goal_to_intents, or choose a large model: REWARD_LLM_BACKEND=vllm, "
    "or REWARD_LLM_CHECKPOINT with REWARD_LLM_VOCABULARY=utilities."
)
_PATIENCE_S: Final = 600.0
"""For goals that are read for training, where nobody waits for a single one."""
_BUNDLE: Final = "goal_to_intents"
_MODEL_EXTRA = "Install the model extra: pip install 'reward-llm[model]', or set REWARD_LLM_BACKEND to vllm or rules."


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
    """The scenarios that ship and those of `scenarios_dir`, by name."""
    own = [settings.scenarios_dir] if settings.scenarios_dir else []
    return load_scenarios([scenarios_dir(), *own])


def check_bundle(settings: Settings) -> None:
    """Accept a bundle that the chosen model can answer.

    Raises:
        ConfigurationInvalid: If it is one that a goal model wasn't trained for.
    """
    folder = settings.checkpoint or checkpoint_dir()
    if settings.backend == "embedded" and settings.bundle == "goal_to_points" and was_trained_here(folder):
        raise ConfigurationInvalid(
            f"the goal model in {folder} was trained to answer with intents, not with points", hint=_LARGE_MODEL
        )


def build_model(settings: Settings) -> LanguageModel | None:
    """The model that reads goals first; None when the rules do.

    A checkpoint that can't be loaded doesn't keep the service from starting: its error becomes every answer's
    reason, and the fallbacks read.

    Raises:
        ConfigurationInvalid: As `check_bundle`.
    """
    check_bundle(settings)
    if settings.backend == "rules":
        return None
    if settings.backend == "vllm":
        return _build_vllm(settings)
    return _build_embedded(settings)


def let_openmp_wait() -> None:
    """Have OpenMP's threads spin for some microseconds and then sleep; call it before torch loads.

    Threads that spin on starve whoever shares their cores, and made a forward pass five times as long; those that
    sleep at once make a step of training half as long again. What the environment says has precedence.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "20000")


def _build_embedded(settings: Settings, *, calibrated: bool = True) -> LanguageModel:
    from reward_llm.generation.clients.unavailable import UnavailableModel

    let_openmp_wait()
    vocabulary = Vocabulary(settings.vocabulary or Vocabulary.CONCEPTS)
    try:
        from reward_llm.generation.clients.embedded import EmbeddedConfig, EmbeddedModel
    except ModuleNotFoundError as exc:
        missing = CheckpointInvalid(f"the embedded model needs {exc.name}", hint=_MODEL_EXTRA)
        return UnavailableModel(Source.EMBEDDED, vocabulary, missing)
    try:
        return EmbeddedModel(
            EmbeddedConfig(
                checkpoint=settings.checkpoint,
                vocabulary=vocabulary,
                threads=settings.threads,
                calibrated=calibrated,
            )
        )
    except CheckpointInvalid as exc:
        return UnavailableModel(Source.EMBEDDED, vocabulary, exc)


def _build_vllm(settings: Settings) -> LanguageModel:
    from reward_llm.generation.clients.vllm import VllmConfig, VllmModel

    key = settings.vllm_api_key
    return VllmModel(
        VllmConfig(
            base_url=settings.vllm_url,
            model=settings.vllm_model,
            api_key=key.get_secret_value() if key else None,
            vocabulary=Vocabulary(settings.vocabulary or Vocabulary.UTILITIES),
            calibration=load_calibration(settings.calibration) if settings.calibration else None,
        )
    )


def build_proposer(settings: Settings, model: LanguageModel | None = None) -> Proposer:
    """Goal → proposal, with the model of the settings unless another is given.

    Raises:
        ConfigurationInvalid: If the model can't answer the bundle.
    """
    from reward_llm.generation.prompts import load_bundle
    from reward_llm.generation.proposer import Proposer, ProposerConfig
    from reward_llm.reading.rules import RuleReader

    return Proposer(
        model=model or build_model(settings),
        bundle=load_bundle(settings.bundle),
        readers={name: RuleReader(s) for name, s in load_all_scenarios(settings).items()},
        config=ProposerConfig(
            deadline_s=settings.deadline_s,
            attempts=settings.attempts,
            seed=settings.seed,
            zone=ZoneInfo(settings.time_zone),
        ),
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
    built = _build_embedded(settings, calibrated=calibrated) if isinstance(model, Path) else _build_vllm(settings)
    reader = BulkReader(
        proposer=build_proposer(settings, built), model=built, scenario=home_feed(settings), clock=now
    )
    with asyncio.Runner() as runner:
        try:
            yield lambda texts: runner.run(reader.read(texts))
        finally:
            runner.run(built.aclose())


def build_app(settings: Settings) -> FastAPI:
    """The web service."""
    from reward_llm.api import Services, create_app
    from reward_llm.delivery import Board, BoardConfig
    from reward_llm.store import SqlStore
    from reward_llm.validation import gate

    scenarios = load_all_scenarios(settings)
    store = SqlStore.open(settings.database_url)
    model = build_model(settings)
    return create_app(
        Services(
            store=store,
            proposer=build_proposer(settings, model),
            board=Board(
                store=store,
                scenarios=scenarios,
                clock=now,
                config=BoardConfig(refresh_s=settings.refresh_s, stale_after_s=settings.stale_after_s),
            ),
            scenarios=scenarios,
            clock=now,
            gate=gate.check,
            model=model,
            closers=tuple(c.aclose for c in (model, store) if c is not None),
        )
    )


async def warm_up(settings: Settings) -> None:
    """Have the vLLM of the settings read its first goals, which are slow.

    Raises:
        ModelUnavailable: If it can't.
    """
    from reward_llm.generation.vllm_server import warm_up as read_first_goals

    model = _build_vllm(settings)
    try:
        await read_first_goals(build_proposer(settings, model), load_all_scenarios(settings).values(), now())
    finally:
        await model.aclose()


def upgrade_store(settings: Settings) -> str | None:
    """Bring the database to the newest schema; gives its revision.

    Raises:
        StoreUnavailable: If it can't be written.
    """
    from reward_llm.store import upgrade

    asyncio.run(upgrade(settings.database_url))
    return store_revision(settings)


def store_revision(settings: Settings) -> str | None:
    """The database's schema revision; None where there is no schema yet.

    Raises:
        StoreUnavailable: If it can't be read.
    """
    from reward_llm.store import revision

    return asyncio.run(revision(settings.database_url))
