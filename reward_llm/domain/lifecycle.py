"""The life of a policy: what was done with it, and what state that puts it in.

draft ─► in_review ─► approved ─► scheduled ─► active ─► superseded, expired or rolled_back
             └─► rejected              withdrawn ◄─ unless it is in force or scheduled
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reward_llm.domain.activation import Activation, EndingKind
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.schedule import winners_first


class PolicyState(StrEnum):
    """How far a policy has come."""

    DRAFT = "draft"
    """Nobody was asked about it."""
    IN_REVIEW = "in_review"
    """It waits for approvals."""
    APPROVED = "approved"
    """As many approved as were needed at the last decision."""
    SCHEDULED = "scheduled"
    """It is going to be in force."""
    ACTIVE = "active"
    """It is in force, for everybody or for some."""
    SUPERSEDED = "superseded"
    """Another one is in force over it, and it may return."""
    EXPIRED = "expired"
    """Its time is over, or it was ended."""
    ROLLED_BACK = "rolled_back"
    """It was taken out of force."""
    REJECTED = "rejected"
    """Somebody rejected it; that is for good."""
    WITHDRAWN = "withdrawn"
    """Its author took it back."""


class Deed(StrEnum):
    """What people do with a policy."""

    REQUEST = "request"
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class Verdict(StrEnum):
    """A decision on a policy."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFact:
    """One thing that somebody did with a policy.

    A decision binds to `content_hash`; `needed` and `self_approval` are what the rules asked for at that time.
    """

    deed: Deed
    actor: str
    at: datetime
    comment: str = ""
    content_hash: str | None = None
    needed: int = 0
    self_approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that is known of a policy, oldest first.

    `author` edited it or submitted its goal; `unsure` says that its reading needs a person; `activations` are its
    own, and `rivals` are those of its scope's other policies that may keep it from being served.
    """

    policy: RewardPolicy
    author: str
    unsure: bool = False
    facts: tuple[ReviewFact, ...] = ()
    activations: tuple[Activation, ...] = ()
    rivals: tuple[Activation, ...] = ()

    @property
    def decisions(self) -> tuple[ReviewFact, ...]:
        """Every decision on exactly these weights."""
        content_hash = self.policy.content_hash
        return tuple(
            f for f in self.facts if f.deed in {Deed.APPROVE, Deed.REJECT} and f.content_hash == content_hash
        )

    @property
    def rejected(self) -> bool:
        """Whether anybody ever rejected it."""
        return any(d.deed is Deed.REJECT for d in self.decisions)

    @property
    def withdrawn(self) -> bool:
        """Whether it was taken back."""
        return any(f.deed is Deed.WITHDRAW for f in self.facts)

    def approvers(self, *, self_approval: bool) -> tuple[str, ...]:
        """Who approves of it; the author only where their own approval counts."""
        latest = {d.actor: d.deed for d in self.decisions}
        approving = (actor for actor, deed in latest.items() if deed is Deed.APPROVE)
        return tuple(a for a in approving if self_approval or a != self.author)

    @property
    def approved(self) -> bool:
        """Whether as many approve of it as the last decision needed, and at least one."""
        if not self.decisions or self.rejected:
            return False
        last = self.decisions[-1]
        return len(self.approvers(self_approval=last.self_approval)) >= max(1, last.needed)

    def held_before(self, moment: datetime) -> bool:
        """Whether it was in force for everybody by the moment."""
        return any(a.was_in_force(moment) and not a.partial for a in self.activations)


def state_of(standing: Standing, now: datetime) -> PolicyState:
    """The state that the facts put the policy in."""
    if standing.rejected:
        return PolicyState.REJECTED
    if standing.withdrawn:
        return PolicyState.WITHDRAWN
    return _schedule_state(standing, now) or _review_state(standing)


def _schedule_state(standing: Standing, now: datetime) -> PolicyState | None:
    """What its activations make of it; None if none of them counts any more or ever did."""
    own = winners_first(standing.activations)
    covering = [a for a in own if a.covers(now)]
    if covering and not _outranked(covering[0], standing.rivals, now):
        return PolicyState.ACTIVE
    if any(a.start > now and not a.is_over(now) for a in own):
        return PolicyState.SCHEDULED
    if covering:
        return PolicyState.SUPERSEDED
    past = [a for a in own if a.was_in_force(now) or _taken_out(a)]
    return _way_out(past) if past else None


def _outranked(activation: Activation, rivals: Iterable[Activation], now: datetime) -> bool:
    return any(r.covers(now) and not r.partial and r.precedence > activation.precedence for r in rivals)


def _way_out(past: Iterable[Activation]) -> PolicyState:
    last = max(past, key=lambda a: (a.end or a.start, a.sequence))
    return PolicyState.ROLLED_BACK if _taken_out(last) else PolicyState.EXPIRED


def _taken_out(activation: Activation) -> bool:
    ended = activation.ended
    return ended is not None and ended.kind is EndingKind.ROLLED_BACK and activation.end == ended.at


def _review_state(standing: Standing) -> PolicyState:
    if standing.approved:
        return PolicyState.APPROVED
    return PolicyState.IN_REVIEW if standing.facts else PolicyState.DRAFT
