"""What other weights would change, as a reviewer looks at it, and why a slate is as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reward_llm.domain.ranking import SupplyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean, and where it lies with the confidence of what it stands in."""

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether 0 lies outside."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityChange:
    """What is expected to become of a utility.

    The influence is its share of the score's variance over slates that might be shown.
    """

    utility: str
    before: float
    after: float
    change: Interval
    influence_before: float
    influence_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """An item of an example, with what utilities and rules read of it."""

    item_id: str
    supply_type: SupplyType
    seller: str | None
    category: str | None
    price: float | None
    age_days: float | None
    group: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleSlate:
    """A logged request's slates before and after."""

    request_id: str
    before: tuple[ShownItem, ...]
    after: tuple[ShownItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What other weights would change on logged requests.

    `score` is by how much R_w of the other weights is higher with their slates than with those shown now.
    `changed_share` is the share of the requests whose slate is another, `replaced_share` that of the slots that show
    what wasn't in the slate before. `ignored` are utilities that the ranker doesn't measure.
    """

    requests: int
    size: int
    confidence: float
    changes: tuple[UtilityChange, ...]
    score: Interval
    changed_share: float
    replaced_share: float
    examples: tuple[ExampleSlate, ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedItem:
    """One item of a slate: what it adds to each utility's term, and where it would stand without that utility.

    In `slot_without`, None is nowhere.
    """

    item: ShownItem
    contributions: Mapping[str, float]
    slot_without: Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a logged request's slate is as it is under some weights; everything by utility."""

    request_id: str
    weights: Mapping[str, float]
    utilities: Mapping[str, float]
    influence: Mapping[str, float]
    items: tuple[ExplainedItem, ...]
    ignored: tuple[str, ...]
