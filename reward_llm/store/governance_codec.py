"""Reviews and freezes as rows, and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from reward_llm.domain.lifecycle import Deed, ReviewFact
from reward_llm.domain.ports import Freeze
from reward_llm.domain.scenario import Scope
from reward_llm.store.tables import freezes, reviews


def review_values(policy_id: str, fact: ReviewFact) -> dict[str, Any]:
    """What somebody did with a policy, as a row of `reviews`."""
    return {
        "policy_id": policy_id,
        "kind": fact.deed.value,
        "actor": fact.actor,
        "at": fact.at,
        "comment": fact.comment,
        "content_hash": fact.content_hash,
        "needed": fact.needed,
        "self_approval": fact.self_approval,
    }


def review_fact(row: RowMapping) -> ReviewFact:
    """A row of `reviews`."""
    return ReviewFact(
        deed=Deed(row[reviews.c.kind]),
        actor=row[reviews.c.actor],
        at=row[reviews.c.at],
        comment=row[reviews.c.comment],
        content_hash=row[reviews.c.content_hash],
        needed=row[reviews.c.needed] or 0,
        self_approval=bool(row[reviews.c.self_approval]),
    )


def freeze_values(freeze: Freeze) -> dict[str, Any]:
    """A freeze as a row of `freezes`; when it changed is left out."""
    return {
        "scenario": freeze.scope.scenario,
        "segment": freeze.scope.segment or "",
        "frozen": freeze.frozen,
        "at": freeze.at,
        "actor": freeze.by,
        "reason": freeze.reason,
    }


def freeze(row: RowMapping) -> Freeze:
    """A row of `freezes`."""
    return Freeze(
        scope=Scope(row[freezes.c.scenario], row[freezes.c.segment] or None),
        frozen=row[freezes.c.frozen],
        at=row[freezes.c.at],
        by=row[freezes.c.actor],
        reason=row[freezes.c.reason],
    )
