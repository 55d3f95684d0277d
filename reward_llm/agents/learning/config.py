"""What learning is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PPOConfig:
    """Proximal policy optimisation (Schulman et al. 2017), with the details of Huang et al. 2022."""

    discount: float = 0.9
    """Gamma, a decision."""
    trace: float = 0.9
    """Lambda of the generalised advantage (Schulman et al. 2016)."""
    clip: float = 0.2
    """Epsilon, the change of a probability's ratio from which on there is nothing more to gain."""
    value_clip: float = 0.2
    """How far a value may move from what it was at the rollout, in standard deviations of the returns."""
    value_weight: float = 0.5
    """Of the critic's loss."""
    entropy: float = 0.002
    """Weight of the entropy bonus, in nats."""
    epochs: int = 4
    """Passes over a rollout."""
    batch: int = 2_048
    """Decisions a step of the optimizer."""
    learning_rate: float = 1e-3
    """Of Adam."""
    gradient_clip: float = 0.5
    """Largest norm of the gradient."""
    divergence: float = 0.03
    """Mean KL divergence from the rollout's actor, in nats, at which the passes end early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MADDPGConfig:
    """Multi-agent deep deterministic policy gradient (Lowe et al. 2017)."""

    discount: float = 0.9
    """Gamma, a decision."""
    capacity: int = 100_000
    """Decisions of a kind that are remembered."""
    batch: int = 512
    """Decisions a step of the optimizers."""
    updates: int = 40
    """Steps of the optimizers a rollout."""
    actor_rate: float = 3e-4
    """Learning rate of the actors."""
    critic_rate: float = 1e-3
    """Learning rate of the critics."""
    follow: float = 0.01
    """Tau, the share by which the targets follow."""
    noise: float = 0.3
    """Standard deviation of what is added to an action to explore."""
    bound: float = 3.0
    """Largest size of a raw action."""
    gradient_clip: float = 0.5
    """Largest norm of the gradient."""
