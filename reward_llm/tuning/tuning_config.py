"""What a tuning run is told, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reward_llm.domain.completion import Vocabulary
from reward_llm.tuning.config import Score

FULL_AT_MOST: Final = 100_000_000
"""Parameters up to which all of them are tuned unless it is told otherwise; larger models get adapters."""
LORA_RANK: Final = 16
_RATES: Final = {"lora": 2e-4, "small": 5e-4, "large": 2e-5}


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningConfig:
    """All that a run depends on beside the base and the goals."""

    seed: int = 0
    """Seeds adapters, and the order and make of the examples."""
    steps: int = 600
    """Steps of the optimizer at most."""
    minutes: float = 20.0
    """Time at most; the learning rate is at its end when steps or time are."""
    lora_rank: int | None = None
    """The rank of the adapters; None tunes every parameter."""
    learning_rate: float = 5e-4
    """The highest, after warmup."""
    warmup_steps: int = 20
    """Steps from nothing to the highest learning rate."""
    weight_decay: float = 0.01
    """Decoupled decay of matrices."""
    batch: int = 16
    """Goals a step."""
    batch_tokens: int = 2048
    """Tokens that go through the model at once, padding included; a step's gradient is added up over such batches."""
    max_tokens: int = 2048
    """Longer examples are left out."""
    round_size: int = 512
    """Goals a round; within one, chats of like length share a step."""
    own: float = 0.5
    """Share of one's own goals, where there is a corpus beside them."""
    varied: float = 0.5
    """Share of goals with other terms, numbers, spelling or asides."""
    save_every_s: float = 60.0
    """Time between saved states."""
    threads: int = 2
    """Cores to use."""

    @property
    def method(self) -> str:
        """What is tuned, in words."""
        return "full fine-tuning" if self.lora_rank is None else f"LoRA, rank {self.lora_rank}"


def default_rate(parameters: int, lora_rank: int | None) -> float:
    """The learning rate for a model of that size: adapters and small models bear a high one."""
    if lora_rank is not None:
        return _RATES["lora"]
    return _RATES["small" if parameters <= FULL_AT_MOST else "large"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningReport:
    """What a run gave; the scores are on the goals that were kept back, read as the service reads them."""

    config: TuningConfig
    base: str
    """The base's folder and the start of its weights' SHA-256."""
    method: str
    vocabulary: Vocabulary
    """The names that the model answers with."""
    steps: int
    elapsed_s: float
    parameters: int
    trained_parameters: int
    goals: dict[str, int]
    """Trained goals by file."""
    loss: float
    before: Score | None
    """Of the base; None if nothing was kept back."""
    after: Score | None
