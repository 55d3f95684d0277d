"""What people decide on policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reward_llm.domain.act import Act
from reward_llm.domain.admission import Admission
from reward_llm.domain.lifecycle import Deed, ReviewFact, Standing, Verdict
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.domain.review_rules import Requirement
from reward_llm.errors import ContentHashMismatch, NotTheAuthor, PolicyInForce, SelfApprovalForbidden
from reward_llm.store import schedules, standings
from reward_llm.store.admitting import check_open
from reward_llm.store.database import Repository
from reward_llm.store.governance_codec import review_values
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.tables import reviews
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing

_DECIDED = {Verdict.APPROVE: Action.POLICY_APPROVED, Verdict.REJECT: Action.POLICY_REJECTED}


class SqlReviews(Repository):
    """The part of a `reward_llm.domain.ports.Governance` that is about reviews."""

    @to_the_end
    @retried
    async def request_review(self, policy_id: str, act: Act, claim: IdempotencyClaim | None = None) -> Standing:
        """Ask for decisions on a policy."""
        action = Action.POLICY_REVIEW_REQUESTED
        async with self._database.writing(act) as writing:
            standing = await standings.standing(writing.connection, policy_id, act.at)
            if not await claimed(writing.connection, claim, action):
                check_open(standing)
                standing = await _add(writing, standing, _fact(act, Deed.REQUEST), action, claim)
        return standing

    @to_the_end
    @retried
    async def decide(
        self,
        policy_id: str,
        content_hash: str,
        verdict: Verdict,
        act: Act,
        admission: Admission,
        claim: IdempotencyClaim | None = None,
    ) -> Standing:
        """Approve or reject exactly the weights that have the hash."""
        action = _DECIDED[verdict]
        async with self._database.writing(act) as writing:
            standing = await standings.standing(writing.connection, policy_id, act.at)
            if not await claimed(writing.connection, claim, action):
                _check_decision(standing, content_hash, verdict, act)
                required = None
                if verdict is Verdict.APPROVE:
                    active = await schedules.active_policy(writing.connection, standing.policy.scope, act.at)
                    required = admission.requirement(standing, active)
                    _check_approver(standing, act, required)
                fact = _fact(act, Deed(verdict.value), content_hash, required)
                standing = await _add(writing, standing, fact, action, claim)
        return standing

    @to_the_end
    @retried
    async def withdraw(
        self, policy_id: str, act: Act, *, anybodys: bool = False, claim: IdempotencyClaim | None = None
    ) -> Standing:
        """Take a policy back for good; only its author may, unless `anybodys`."""
        action = Action.POLICY_WITHDRAWN
        async with self._database.writing(act) as writing:
            standing = await standings.standing(writing.connection, policy_id, act.at)
            if not await claimed(writing.connection, claim, action):
                check_open(standing)
                _check_authorship(standing, act, anybodys=anybodys)
                _check_out_of_force(standing, act.at)
                standing = await _add(writing, standing, _fact(act, Deed.WITHDRAW), action, claim)
        return standing

    @to_the_end
    @retried
    async def standing(self, policy_id: str, at: datetime) -> Standing:
        """All that is known of a policy, as it stands at that moment."""
        async with self._database.reading() as connection:
            return await standings.standing(connection, policy_id, at)

    @to_the_end
    @retried
    async def standings(self, policies: Sequence[RewardPolicy], at: datetime) -> Mapping[str, Standing]:
        """All that is known of policies that there are, by their ids."""
        async with self._database.reading() as connection:
            return await standings.standings(connection, [p.policy_id for p in policies], at)


async def _add(
    writing: Writing, standing: Standing, fact: ReviewFact, action: Action, claim: IdempotencyClaim | None
) -> Standing:
    """The policy as it stands after the fact, which is put on record."""
    policy = standing.policy
    await writing.insert(reviews, review_values(policy.policy_id, fact))
    await writing.put_on_record(action, policy.policy_id, chain=policy.scope.scenario)
    await remember(writing.connection, claim, action, policy.policy_id, writing.at)
    return replace(standing, facts=(*standing.facts, fact))


def _fact(act: Act, deed: Deed, content_hash: str | None = None, required: Requirement | None = None) -> ReviewFact:
    return ReviewFact(
        deed=deed,
        actor=act.actor,
        at=act.at,
        comment=act.reason,
        content_hash=content_hash,
        needed=required.approvals if required else 0,
        self_approval=required.self_approval if required else False,
    )


def _check_decision(standing: Standing, content_hash: str, verdict: Verdict, act: Act) -> None:
    policy = standing.policy
    if content_hash != policy.content_hash:
        raise ContentHashMismatch(
            f"the decision is on {content_hash[:64]!r}, and {policy.policy_id} has {policy.content_hash!r}",
            hint="Look at the policy again, and decide on what it is.",
        )
    check_open(standing)
    if verdict is Verdict.REJECT:
        _check_out_of_force(standing, act.at)


def _check_approver(standing: Standing, act: Act, required: Requirement) -> None:
    policy = standing.policy
    if act.actor == standing.author and not required.self_approval:
        raise SelfApprovalForbidden(
            f"{act.actor} is the author of {policy.policy_id}, and authors' own approvals don't count",
            hint="Ask somebody else for a review.",
        )


def _check_authorship(standing: Standing, act: Act, *, anybodys: bool) -> None:
    if not anybodys and act.actor != standing.author:
        raise NotTheAuthor(
            f"{standing.policy.policy_id} is by {standing.author or 'nobody known'}, not by {act.actor}",
            hint="Ask its author or an administrator to withdraw it, or reject it.",
        )


def _check_out_of_force(standing: Standing, now: datetime) -> None:
    open_ones = [a for a in standing.activations if not a.is_over(now)]
    if open_ones:
        numbers = ", ".join(str(a.sequence) for a in open_ones)
        raise PolicyInForce(
            f"{standing.policy.policy_id} is in force or scheduled (activation {numbers})",
            hint="End its activations or roll back its scope first.",
        )
