"""What the stages ask of each other, as Protocols; `reward_llm.bootstrap` decides who answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from reward_llm.domain.calibration import Calibration
from reward_llm.domain.completion import Completion, CompletionRequest, Vocabulary
from reward_llm.domain.goal import Goal, GoalState, Window
from reward_llm.domain.policy import Activation, Proposal, RewardPolicy, Source
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.serving import Freshness, ServedWeights
from reward_llm.domain.weights import Weights

T = TypeVar("T")


Clock = Callable[[], datetime]
"""The time now, with its UTC offset."""


class LanguageModel(Protocol):
    """A chat model whose answers are held to a JSON Schema."""

    source: Source
    vocabulary: Vocabulary

    @property
    def calibration(self) -> Calibration | None:
        """How the probabilities of its choices are to be taken; None if nobody measured that."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the chat with one document of the schema.

        Raises:
            ModelError: If no whole answer came: unavailable, too late, cut off.
        """
        ...

    async def ping(self) -> str:
        """The model's name, if it is ready to answer.

        Raises:
            ModelError: If it isn't.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections and memory."""
        ...


class GoalProposer(Protocol):
    """Reads a goal into a proposal; there is always one."""

    async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
        """The proposal, from the model or from the fallback that its `source` and `reason` name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRecord:
    """A goal as it is stored: its state, and once it was read its proposal and policy.

    On no_change `policy` is the one that was active when the goal was read.
    """

    goal: Goal
    state: GoalState
    proposal: Proposal | None = None
    policy: RewardPolicy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One thing that happened: who did what to which subject, and the facts of it."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyClaim:
    """An `Idempotency-Key` with the hash of the request that it came with."""

    key: str
    request_hash: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, newest first, and the cursor of the next part."""

    items: tuple[T, ...]
    next_cursor: str | None


class Store(Protocol):
    """What is remembered. Every method is one transaction, and every write leaves an audit record in it.

    All methods raise StoreUnavailable when the database can't be read or written.
    """

    async def record_goal(self, goal: Goal, claim: IdempotencyClaim | None = None) -> GoalRecord:
        """Put a goal on record as `received`, or give the one that the claim's key stands for already.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def record_refusal(self, *, at: datetime, actor: str, action: str, details: Mapping[str, Any]) -> None:
        """Put on record that something was sent and refused."""
        ...

    async def record_proposal(self, goal_id: str, proposal: Proposal, at: datetime) -> GoalRecord:
        """Settle a goal; a proposal of new weights makes the scope's next policy version.

        A goal that is settled already is given back as it is.

        Raises:
            GoalUnknown: If there is no such goal.
        """
        ...

    async def record_edit(
        self,
        scope: Scope,
        weights: Weights,
        *,
        reason: str,
        actor: str,
        at: datetime,
        claim: IdempotencyClaim | None = None,
    ) -> RewardPolicy:
        """Make a person's weights the scope's next policy version.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def edit_of(self, claim: IdempotencyClaim) -> RewardPolicy | None:
        """The policy that the claim's key stands for already, None if the key is new.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def activate(
        self,
        policy_id: str,
        window: Window,
        *,
        actor: str,
        at: datetime,
        claim: IdempotencyClaim | None = None,
    ) -> Activation:
        """Put a policy into force.

        Raises:
            PolicyUnknown: If there is no such policy.
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def goal(self, goal_id: str) -> GoalRecord:
        """One goal.

        Raises:
            GoalUnknown: If there is no such goal.
        """
        ...

    async def goals(
        self,
        *,
        scenario: str | None = None,
        state: GoalState | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[GoalRecord]:
        """Goals, newest first.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def policy(self, policy_id: str) -> RewardPolicy:
        """One policy.

        Raises:
            PolicyUnknown: If there is no such policy.
        """
        ...

    async def policies(
        self,
        *,
        scope: Scope | None = None,
        scenario: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[RewardPolicy]:
        """Policies, newest first.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def activations(self, *, since: int = 0) -> Sequence[Activation]:
        """Activations with a sequence over `since`, oldest first."""
        ...

    async def audit(self, *, subject: str | None = None, limit: int = 50) -> Sequence[AuditRecord]:
        """Audit records, newest first."""
        ...

    async def ping(self) -> None:
        """Do nothing, if the database answers."""
        ...

    async def aclose(self) -> None:
        """Give back the connections."""
        ...


class WeightsBoard(Protocol):
    """What is served now, kept in memory; reading it never waits for the store."""

    def lookup(self, scope: Scope, now: datetime) -> ServedWeights:
        """The weights that hold for the scope: its segment's, else its scenario's, else the defaults.

        Raises:
            ScenarioUnknown: If there is no such scenario.
            SegmentUnknown: If the scenario has no such segment.
        """
        ...

    def snapshot(self, now: datetime) -> Sequence[ServedWeights]:
        """What `lookup` gives for every scenario and each of its segments."""
        ...

    def held_at(self, scope: Scope, moment: datetime) -> RewardPolicy:
        """The policy that was served at a moment in the past, whatever was activated since.

        Raises:
            ScenarioUnknown: If there is no such scenario.
            SegmentUnknown: If the scenario has no such segment.
        """
        ...

    def was_activated(self, policy_id: str) -> bool:
        """Whether the policy was put into force before."""
        ...

    def freshness(self, now: datetime) -> Freshness:
        """How sure the board is of what it serves."""
        ...

    async def refresh(self) -> None:
        """Take over what the store knows.

        Raises:
            StoreUnavailable: If it can't be read; the board goes on with what it has.
        """
        ...

    async def keep_fresh(self) -> None:
        """Refresh again and again, whatever the store does, until cancelled."""
        ...
