"""Health: who reads goals and how often a fallback had to, how fresh the weights are, and the last errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.frame import Area
from reward_llm.console.visit import Visiting

router = APIRouter()
AREA = Area(name="health", router=router, path="/health")
GOALS: Final = 100
"""How many of the newest goals the rate of fallbacks is of."""
_REFRESH_S: Final = 10
_FALLBACKS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Who answered the newest goals that were read, and why fallbacks had to."""

    read: int
    fallbacks: int
    by_source: Sequence[tuple[str, int]]
    reasons: Sequence[tuple[str, int]]
    last: Sequence[Mapping[str, Any]]
    """The newest goals that a fallback answered."""

    @property
    def rate(self) -> float | None:
        """The share that a fallback answered; None before any goal was read."""
        return self.fallbacks / self.read if self.read else None

    @classmethod
    def of(cls, goals: Sequence[Mapping[str, Any]]) -> Readings:
        """What the goals say; those without a proposal aren't read yet."""
        read = [goal for goal in goals if goal["proposal"]]
        fell_back = [goal for goal in read if goal["proposal"]["reason"]]
        sources = Counter(goal["proposal"]["source"] for goal in read)
        reasons = Counter(goal["proposal"]["reason"].partition(":")[0] for goal in fell_back)
        return cls(
            read=len(read),
            fallbacks=len(fell_back),
            by_source=sources.most_common(),
            reasons=reasons.most_common(),
            last=fell_back[:_FALLBACKS],
        )


@router.get("/health")
async def health(visit: Visiting) -> Response:
    """How the process that answers is; htmx asks for it again and again."""
    goals = await visit.api.get("/v1/goals", limit=GOALS)
    may_see_errors = visit.may("read")
    return visit.page(
        "health/_health.html" if visit.is_partial else "health/health.html",
        health=await visit.api.get("/v1/health"),
        readings=Readings.of(goals["items"]),
        errors=(await visit.api.get("/v1/health/errors"))["items"] if may_see_errors else None,
        refresh_s=_REFRESH_S,
    )
