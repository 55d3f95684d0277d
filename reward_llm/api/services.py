"""What the application is given."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.sign_in.desk import SignIn
from reward_llm.domain.access import AccessMode
from reward_llm.domain.ports import (
    AccessStore,
    AddressGuard,
    AuditLog,
    Clock,
    GoalProposer,
    Governance,
    LanguageModel,
    LogAuditor,
    PromptStore,
    PromptWorkshop,
    Store,
    Webhooks,
    WeightsBoard,
)
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights
from reward_llm.errors import Violation


class Gate(Protocol):
    """`reward_llm.validation.gate.check`, as far as a person's edit needs it."""

    def __call__(self, weights: Mapping[str, float], scenario: Scenario, active: Weights) -> tuple[Violation, ...]:
        """Everything that is wrong with the weights."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """Limits of the wire, and how long work may take."""

    access: AccessMode = AccessMode.OPEN
    """Whom the service lets in."""
    edge: EdgeConfig = field(default_factory=EdgeConfig)
    """What the edge lets through."""
    body_limit_bytes: int = 64_000
    """The largest body that is read."""
    wait_s: float = 60.0
    """How long a submission waits for its proposal."""
    ping_s: float = 2.0
    """How long the readiness probe waits for each part."""
    sweep_s: float = 60.0
    """How often goals that were left unread are looked for."""
    evaluations: int = 1
    """How many golden sets may be read at once; goals wait for the same model."""
    grace_s: float = 10.0
    """How long goals in work may take to finish at shutdown."""


def new_goal_id() -> str:
    """A goal id that nobody can guess."""
    return f"goal_{uuid.uuid4().hex[:20]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The collaborators of the application.

    `model` is pinged by the readiness probe; None where goals are read by rules alone. `addresses` says where
    webhooks may point. The works of `background` are done while the application runs, until they are cancelled;
    `closers` run when it shuts down, in order. `sign_in` is None where nobody signs in.
    """

    store: Store
    governance: Governance
    proposer: GoalProposer
    board: WeightsBoard
    scenarios: Mapping[str, Scenario]
    clock: Clock
    gate: Gate
    audit_log: AuditLog
    auditor: LogAuditor
    tokens: AccessStore
    prompts: PromptStore
    workshop: PromptWorkshop
    webhooks: Webhooks
    addresses: AddressGuard
    model: LanguageModel | None = None
    sign_in: SignIn | None = None
    config: ApiConfig = field(default_factory=ApiConfig)
    new_id: Callable[[], str] = new_goal_id
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    closers: tuple[Callable[[], Awaitable[None]], ...] = ()
