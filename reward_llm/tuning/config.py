"""What a training run is told, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reward_llm.tuning.corpus import LabelledGoal

SEED_SOURCE: Final = "seed"
"""The corpus file that the lexicon was written from; its goals are the plainest, the others lean to what is hard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """What a round of training is made of."""

    seed: int = 0
    round_size: int = 2048
    """Examples a round; within one, sequences of like length share a batch."""
    written: float = 0.68
    """Share of hand-written goals; the others come from the grammar."""
    nothing: float = 0.22
    """Share of texts that ask for nothing."""
    joined: float = 0.15
    """Share of the hand-written goals that are joined to another."""
    cut: float = 0.15
    """Share of prompts tokenized in pieces cut at random, which shows the model other splits of its words."""
    without_hints: float = 0.1
    """Share of prompts that leave the lexicon's hints out."""
    without_known_hints: float = 0.5
    """The same for the goals of the seed file, where the lexicon is right more often than elsewhere."""
    weights: Mapping[str, float] = field(default_factory=lambda: {SEED_SOURCE: 3.0})
    """How much oftener a goal of a corpus file is drawn than one of a file that isn't named."""
    batch_tokens: int = 2048
    """Tokens a batch, padding included."""
    max_tokens: int = 640
    """Longer examples are left out."""

    def weight(self, goal: LabelledGoal) -> float:
        """How often the goal is drawn, beside others."""
        return self.weights.get(goal.source, 1.0)

    def unhinted(self, goal: LabelledGoal) -> float:
        """The share of the goal's prompts that leave the hints out."""
        return self.without_known_hints if goal.source == SEED_SOURCE else self.without_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Shares of goals; None where there was none of the kind.

    `directional`: every utility and direction right and none too many. `exact`: every emphasis as well.
    `abstention`: texts that ask for nothing and were read so. `asking`: directional, of those that ask.
    """

    goals: int
    directional: float | None
    exact: float | None
    abstention: float | None
    asking: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The size of the model; the embeddings are tied."""

    vocabulary: int = 5_120
    """Entries of the tokenizer, a multiple of 64."""
    hidden: int = 256
    """Width of the residual stream."""
    layers: int = 6
    """Transformer blocks."""
    heads: int = 8
    """Query heads; their width is hidden / heads, one that vLLM's CPU kernels know."""
    kv_heads: int = 4
    """Key and value heads."""
    feed_forward: int = 768
    """Width of the gated feed-forward layer."""
    initial_std: float = 0.05
    """Of the first weights, near 1 / sqrt(hidden); the usual 0.02 suits far wider models and learns slower here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """All that a run depends on beside the corpus."""

    seed: int = 0
    """Seeds the weights, the order and make of the examples, and dropout."""
    steps: int = 12_000
    """Batches at most."""
    minutes: float = 40.0
    """Time at most; the learning rate is at its end when steps or time are."""
    learning_rate: float = 1.5e-3
    """The highest, after warmup."""
    warmup_steps: int = 150
    """Steps from nothing to the highest learning rate."""
    weight_decay: float = 0.05
    """Decoupled decay of matrices."""
    dropout: float = 0.05
    """On the embeddings and on what every block adds to the residual stream."""
    prompt_weight: float = 0.05
    """Weight of the loss on prompts beside that on answers."""
    prompt_share: float = 0.25
    """Share of prompt tokens that the loss looks at, to save time."""
    average: float = 0.998
    """Decay a step of the moving average that is scored and shipped."""
    hold_back: float = 0.03
    """Share of hand-written goals kept for scoring; 0 trains on all."""
    score_every: int = 600
    """Steps between scores and saved states."""
    threads: int = 2
    """Cores to use."""
    compiled: bool = False
    """Whether steps run through torch.compile: half as fast again, after minutes of compiling with a C++ compiler."""
    shape: Shape = field(default_factory=Shape)
    """The model, unless it is given one to go on from."""
    mix: Mix = field(default_factory=Mix)
    """The examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """How far a run is."""

    step: int
    share: float
    """Of the run, in [0, 1]."""
    loss: float
    """On answers, in nats a token, smoothed."""
    learning_rate: float
    elapsed_s: float
    score: Score | None = None
    """On the held-back goals, where they have just been scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """What a run gave."""

    config: TrainingConfig
    steps: int
    elapsed_s: float
    parameters: int
    goals: dict[str, int]
    """Trained hand-written goals by file."""
    loss: float
    score: Score | None
    """On the held-back goals at the end; None if nothing was held back."""
    started_from: str | None = None
    """The digest of the checkpoint that it went on from; None if it began from scratch."""
