"""What training is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Baseline = Literal["exchange", "leave_one_out", "self_critical", "logged"]
"""What a choice is compared with: others in its place (`ranker.training.exchange`); or, a whole sampled slate, with
the mean of the other samples (Kool et al. 2019), the greedy slate (Rennie et al. 2017), or the list that was logged
(Chen et al. 2023)."""
Scale = Literal["request", "batch", "none"]
"""Whose root mean square advantages are divided by: that of a request's samples, which makes utilities that move by
hundredths teach as much as others; that of the batch; or nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The course of a run, of either network."""

    seed: int = 0
    """Seeds first weights, batches and samples."""
    steps: int = 2_000
    """Batches."""
    batch: int = 64
    """Requests a batch."""
    learning_rate: float = 2e-3
    """The highest, after warmup."""
    warmup_steps: int = 50
    """Steps from nothing to the highest learning rate."""
    weight_decay: float = 1e-4
    """Decoupled decay of matrices."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    report_every: int = 50
    """Steps between lines of the log, and saved states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorTraining:
    """How the evaluator is trained."""

    schedule: Schedule = field(default_factory=lambda: Schedule(weight_decay=0.3))
    """Its weight decay is strong: an evaluator that follows the noise of its log pays actors for following it."""
    hold_back: float = 0.2
    """Share of the lists, the latest, kept back: half of it calibrates, half is scored."""
    slate_weight: float = 1.0
    """Weight of the losses of the slate's heads beside those of the positions'."""
    bins: int = 15
    """Bins of the expected calibration error."""
    use_propensity: bool = True
    """Whether the examination is taken over from a log that knows it, rather than learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRanges:
    """Where training draws weights from: Dirichlet, corners of the simplex, and ranges of one's own."""

    concentration: float = 1.0
    """Of the symmetric Dirichlet distribution; 1 is uniform over the simplex."""
    corner_share: float = 0.15
    """Share of requests with all weight on one utility."""
    ranges: tuple[tuple[float, float], ...] = ()
    """Lowest and highest weight of every utility, drawn uniformly and normalised; empty for none."""
    range_share: float = 0.0
    """Share of requests drawn from the ranges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthLimits:
    """When an actor has collapsed."""

    early: float = 0.5
    """Share of the run before which exploration may not be over."""
    entropy: float = 0.005
    """Least entropy of a choice, as a share of that of a uniform one, before then."""
    distinct_slates: float = 0.15
    """Least share of distinct greedy slates among weights as unlike as the corners, at any time."""
    loss_of_reward: float = 0.1
    """Most that the reward of greedy slates may fall below its best, as a share of it."""
    patience: int = 3
    """Reports in a row that must be bad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorTraining:
    """How the actor is trained."""

    schedule: Schedule = field(default_factory=lambda: Schedule(learning_rate=3e-3))
    size: int = 10
    """Slots of the slates."""
    shortest: float = 0.5
    """Slots of the shortest slates, as a share of `size`; every batch draws its own number."""
    baseline: Baseline = "exchange"
    tried: int = 6
    """Candidates compared in a slot, for `exchange`."""
    samples: int = 8
    """Slates drawn a request, for the other baselines."""
    reward_to_go: bool = False
    """Whether a choice is held to what comes from its slot on, for the other baselines; N times the predictions."""
    scale: Scale = "request"
    """What advantages are divided by; `exchange` has a scale of its own."""
    entropy: float = 0.02
    """Weight of the entropy bonus, falling to nothing over the run."""
    imitation: float = 0.0
    """Weight of the log-likelihood of a request's best sample, which pulls as self-imitation (Oh et al. 2018)."""
    warm_start_steps: int = 0
    """Steps that imitate the teacher before the others; 0 for none."""
    teacher_rounds: int = 0
    """Rounds of improvement of the teacher's greedy slates."""
    teacher_lists: int = 1_024
    """Requests that the teacher writes slates for, once."""
    hold_back: float = 0.1
    """Share of the requests, the last, that greedy slates are scored on."""
    probes: int = 64
    """Requests of those that are scored at a report."""
    weights: WeightRanges = field(default_factory=WeightRanges)
    health: HealthLimits = field(default_factory=HealthLimits)
