"""What is ranked for one user, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args

from reward_llm.domain.scenario import Scenario, Utility
from reward_llm.errors import Violation

MAX_CANDIDATES: Final = 200
MAX_SLATE: Final = 50

Feature = float | str
SupplyType = Literal["product", "live", "video", "article"]
SUPPLY_TYPES: Final[tuple[SupplyType, ...]] = get_args(SupplyType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An item that may be shown.

    `published` is in seconds since 1970 in UTC; `group` is the priority of its supply group, 0 first. What is None or
    no feature is unknown.
    """

    item_id: str
    supply_type: SupplyType = "product"
    seller: str | None = None
    category: str | None = None
    price: float | None = None
    published: int | None = None
    group: int = 0
    forbidden: bool = False
    features: Mapping[str, Feature] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRequest:
    """A user, the candidates and how many of them are shown; `pinned` guarantees items their slots, from 0.

    `explore` is the probability that a slate is shown to learn from instead of the best one.
    """

    user: Mapping[str, Feature]
    candidates: tuple[Candidate, ...]
    size: int
    at: datetime
    pinned: Mapping[str, int] = field(default_factory=dict)
    explore: float = 0.0

    def problems(self) -> Iterator[Violation]:
        """Everything for which it can't be ranked."""
        known: set[str] = set()
        for place, candidate in enumerate(self.candidates):
            if candidate.item_id in known:
                path = f"candidates/{place}/item_id"
                yield Violation(path=path, code="repeated", message="another candidate has this id")
            known.add(candidate.item_id)
        allowed = {c.item_id for c in self.candidates if not c.forbidden}
        if len(allowed) < self.size:
            message = f"{len(allowed)} candidates may be shown, and there are {self.size} slots"
            yield Violation(path="candidates", code="too_few", message=message)
        yield from self._pin_problems(known, allowed)

    def _pin_problems(self, known: set[str], allowed: set[str]) -> Iterator[Violation]:
        taken: set[int] = set()
        for item_id, slot in self.pinned.items():
            path = f"pinned/{item_id}"
            if item_id not in known:
                yield Violation(path=path, code="unknown", message="no candidate has this id")
            elif item_id not in allowed:
                yield Violation(path=path, code="forbidden", message="it is forbidden as well")
            if not 0 <= slot < self.size:
                yield Violation(path=path, code="slot", message=f"the slots are 0 to {self.size - 1}")
            if slot in taken:
                yield Violation(path=path, code="taken", message=f"another item is pinned to slot {slot}")
            taken.add(slot)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedSlate:
    """The slate for a request, and what is expected of it.

    `utilities` are those of the scenario that the ranker measures, in [0, 1], and `ignored` those that it doesn't;
    `score` is R_w. `chosen` is who wrote the slate, such as `actor` or `greedy`; `breaches` are the rules for which a
    better one wasn't shown, and `unmet` those that it breaks itself, as every other would. `missing` are features
    that the ranker knows and nobody sent, `unknown` those that it doesn't know. `propensities` are the probabilities
    with which the items came to their places, None where nothing was left to chance.
    """

    items: tuple[str, ...]
    utilities: Mapping[str, float]
    score: float
    chosen: str
    breaches: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    propensities: tuple[float, ...] | None = None


def term_of(utility: Utility) -> str:
    """What rankers call a utility: by its concept, or by its own name where it has none."""
    return utility.concept.value if utility.concept else utility.name


def measured(scenario: Scenario, terms: tuple[str, ...]) -> dict[str, int]:
    """The utilities of a scenario that a ranker measures, by name, with their places among its terms."""
    return {u.name: terms.index(term_of(u)) for u in scenario.utilities if term_of(u) in terms}
