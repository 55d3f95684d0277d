"""Language models."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.policy import Source
from reward_llm.errors import CheckpointInvalid, ConfigurationInvalid
from reward_llm.resources import checkpoint_dir
from reward_llm.settings import Settings
from reward_llm.validation.calibrations import load_calibration
from reward_llm.validation.checkpoints import was_trained_here

if TYPE_CHECKING:
    from reward_llm.domain.ports import LanguageModel

_LARGE_MODEL = (
    "Set REWARD_LLM_BUNDLE=goal_to_intents, or choose a large model: REWARD_LLM_BACKEND=vllm, "
    "or REWARD_LLM_CHECKPOINT with REWARD_LLM_VOCABULARY=utilities."
)
_MODEL_EXTRA = "Install the model extra: pip install 'reward-llm[model]', or set REWARD_LLM_BACKEND to vllm or rules."


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
        return build_vllm(settings)
    return build_embedded(settings)


def let_openmp_wait() -> None:
    """Have OpenMP's threads spin for some microseconds and then sleep; call it before torch loads.

    Threads that spin on starve whoever shares their cores, and made a forward pass five times as long; those that
    sleep at once make a step of training half as long again. What the environment says has precedence.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "20000")


def build_embedded(settings: Settings, *, calibrated: bool = True) -> LanguageModel:
    """The checkpoint of the settings, or in its place the error that it can't be loaded with."""
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


def build_vllm(settings: Settings) -> LanguageModel:
    """The model behind the vLLM of the settings."""
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
