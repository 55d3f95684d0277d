"""What the application is given."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from reward_llm.api.lookup_services import LookupServices
from reward_llm.api.sign_in.desk import SignIn
from reward_llm.domain.memory import Memories
from reward_llm.domain.ports import (
    AddressGuard,
    AuditLog,
    GoalProposer,
    Governance,
    LanguageModel,
    LogAuditor,
    PromptStore,
    PromptWorkshop,
    Reranker,
    Simulator,
    Store,
    Webhooks,
)
from reward_llm.domain.ports.agents import Allocator
from reward_llm.domain.ports.events import EventIntake
from reward_llm.domain.ports.experiments import Experiments
from reward_llm.domain.ports.leader import WorkerStatus
from reward_llm.domain.ports.loop import LoopStore
from reward_llm.domain.ports.metrics import OnlineMetrics
from reward_llm.domain.ports.searching import Searches
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.solving import GoalSolver
from reward_llm.domain.weights import Weights
from reward_llm.errors import Violation


class Gate(Protocol):
    """`reward_llm.validation.gate.check`, as far as a person's edit needs it."""

    def __call__(self, weights: Mapping[str, float], scenario: Scenario, active: Weights) -> tuple[Violation, ...]:
        """Everything that is wrong with the weights."""
        ...


def new_goal_id() -> str:
    """A goal id that nobody can guess."""
    return f"goal_{uuid.uuid4().hex[:20]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(LookupServices):
    """The collaborators of the whole application.

    `model` is pinged by the readiness probe; None where goals are read by rules alone. `addresses` says where
    webhooks may point. `sign_in` is None where nobody signs in, `reranker` where nothing ranks, `simulator` where
    nothing is simulated, `intake` where no events are taken in, `online` where nobody keeps metrics of them,
    `allocator` where no agents decide, `experiments` where none are run, `searches` where nothing is searched, and
    `solver` where no goals are solved.
    `memories` is None where nobody remembers what came of goals, and `worker` where another process does what has to
    be done again and again, and `controllers` where none are kept.
    """

    store: Store
    governance: Governance
    proposer: GoalProposer
    gate: Gate
    audit_log: AuditLog
    auditor: LogAuditor
    prompts: PromptStore
    workshop: PromptWorkshop
    webhooks: Webhooks
    addresses: AddressGuard
    model: LanguageModel | None = None
    sign_in: SignIn | None = None
    reranker: Reranker | None = None
    simulator: Simulator | None = None
    intake: EventIntake | None = None
    online: OnlineMetrics | None = None
    allocator: Allocator | None = None
    experiments: Experiments | None = None
    searches: Searches | None = None
    solver: GoalSolver | None = None
    memories: Memories | None = None
    worker: WorkerStatus | None = None
    controllers: LoopStore | None = None
    new_id: Callable[[], str] = new_goal_id
