"""A scenario: a surface with its own objectives."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, Literal

from reward_llm.domain.review_rules import ReviewRules
from reward_llm.domain.weights import MAX_UTILITIES, Weights
from reward_llm.errors import ScenarioInvalid, SegmentUnknown

NAME_PATTERN: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
EVENTS: Final = "events"
"""What no scenario can be called: the address of its weights is that of the event stream."""
MAX_SEGMENTS: Final = 10_000
_SHOWN_SEGMENTS: Final = 100
"""How many segments are named to who asks for one that there isn't."""
HELD_FLOOR: Final = 0.9
"""A held utility keeps at least this share of its default weight."""


class Concept(StrEnum):
    """What a utility is about: the seven things that the embedded model can read."""

    CLICK = "click"
    GMV = "gmv"
    SATISFACTION = "satisfaction"
    RETENTION = "retention"
    DIVERSITY = "diversity"
    COLD_START = "cold_start"
    GROUP_ORDER = "group_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """A text in both languages."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Words of a trade for a utility, beside those that the lexicon knows for its concept."""

    en: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The least and the greatest weight that a utility may have."""

    min: float
    max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Utility:
    """A named term U_k(slate) in [0, 1].

    `concept` ties it to what the embedded model can read; without one it is read by its words and by larger
    models. `terms` name it, and `opposites` what there is less of as it grows.
    """

    name: str
    default: float
    bounds: Bounds
    description: Bilingual
    concept: Concept | None = None
    terms: Terms = field(default_factory=Terms)
    opposites: Terms = field(default_factory=Terms)

    @property
    def held_floor(self) -> float:
        """The least weight that is left to the utility while it is held."""
        return max(self.bounds.min, HELD_FLOOR * self.default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A named cohort of users."""

    name: str
    description: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """What no single change may do, whoever asks.

    `max_step` limits the L1 distance from the active weights (2 is no limit); utilities in `held` never fall
    below `HELD_FLOOR` of their default.
    """

    max_step: float = 0.6
    held: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A surface with its utilities, segments, guardrails and review rules.

    `base` says what a goal is read against: the defaults (the same goal always gives the same weights) or the
    policy that is active (goals add up).

    Raises:
        ScenarioInvalid: If names repeat, a term is its own opposite, defaults leave the simplex or their bounds,
            or a guardrail or a review rule names what isn't there.
    """

    name: str
    title: Bilingual
    utilities: tuple[Utility, ...]
    segments: tuple[Segment, ...] = ()
    guardrails: Guardrails = field(default_factory=Guardrails)
    review: ReviewRules = field(default_factory=ReviewRules)
    base: Literal["defaults", "active"] = "defaults"

    def __post_init__(self) -> None:
        problems = [
            *self._name_problems(),
            *self._word_problems(),
            *self._weight_problems(),
            *self._guardrail_problems(),
        ]
        if problems:
            raise ScenarioInvalid(f"scenario {self.name!r}: " + "; ".join(problems))

    def _name_problems(self) -> list[str]:
        problems = []
        names = [u.name for u in self.utilities]
        segments = [s.name for s in self.segments]
        concepts = [u.concept.value for u in self.utilities if u.concept]
        for kind, values in (("utility", names), ("segment", segments), ("concept", concepts)):
            problems += [f"{kind} {v!r} is there twice" for v, n in sorted(Counter(values).items()) if n > 1]
        problems += [
            f"{n!r} isn't a name (lower-case letters, digits and _, at most 40)"
            for n in (self.name, *names, *segments)
            if not NAME_PATTERN.fullmatch(n)
        ]
        if self.name == EVENTS:
            problems.append("the name is taken by the stream of events")
        if not 2 <= len(names) <= MAX_UTILITIES:
            problems.append(f"{len(names)} utilities; there must be 2 to {MAX_UTILITIES}")
        if len(segments) > MAX_SEGMENTS:
            problems.append(f"{len(segments)} segments; at most {MAX_SEGMENTS} are allowed")
        return problems

    def _word_problems(self) -> list[str]:
        return [
            f"utility {u.name!r}: {word!r} is among its terms and among their opposites"
            for u in self.utilities
            for word in sorted({*u.terms.en, *u.terms.zh} & {*u.opposites.en, *u.opposites.zh})
        ]

    def _weight_problems(self) -> list[str]:
        problems = [
            f"utility {u.name!r}: 0 ≤ min ≤ default ≤ max ≤ 1 must hold"
            for u in self.utilities
            if not 0 <= u.bounds.min <= u.default <= u.bounds.max <= 1
        ]
        total = sum(u.default for u in self.utilities)
        if abs(total - 1) > 1e-6:
            problems.append(f"the defaults add up to {total:.6g}, not to 1")
        return problems

    def _guardrail_problems(self) -> list[str]:
        known = {u.name for u in self.utilities}
        problems = [f"held utility {h!r} isn't one of its utilities" for h in self.guardrails.held if h not in known]
        if not 0 < self.guardrails.max_step <= 2:
            problems.append("max_step must be over 0 and at most 2")
        return [*problems, *self.review.problems(frozenset(known))]

    @cached_property
    def utility_names(self) -> tuple[str, ...]:
        """The utilities in the order of the weight vector."""
        return tuple(u.name for u in self.utilities)

    @cached_property
    def segment_names(self) -> frozenset[str]:
        """The segments, without an order."""
        return frozenset(s.name for s in self.segments)

    @cached_property
    def defaults(self) -> Weights:
        """The weights that hold while no policy is active."""
        return Weights.rounded({u.name: u.default for u in self.utilities})

    def utility(self, name: str) -> Utility:
        """The utility by that name.

        Raises:
            KeyError: If the scenario has none.
        """
        return self._utilities_by_name[name]

    @cached_property
    def _utilities_by_name(self) -> dict[str, Utility]:
        return {u.name: u for u in self.utilities}

    @cached_property
    def utility_of_concept(self) -> dict[Concept, Utility]:
        """The utilities that the embedded model can read, by their concept."""
        return {u.concept: u for u in self.utilities if u.concept}

    def check_segment(self, segment: str | None) -> None:
        """Accept None and the scenario's own segments.

        Raises:
            SegmentUnknown: For any other name.
        """
        if segment is None or segment in self.segment_names:
            return
        shown = [s.name for s in self.segments[:_SHOWN_SEGMENTS]]
        more = ["…"] if len(self.segments) > _SHOWN_SEGMENTS else []
        known = ", ".join([*shown, *more]) or "none"
        raise SegmentUnknown(f"scenario {self.name!r} has no segment {segment!r}", hint=f"It has: {known}.")


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Where a policy holds: a scenario, or one segment of it."""

    scenario: str
    segment: str | None = None

    def __str__(self) -> str:
        return self.scenario if self.segment is None else f"{self.scenario}/{self.segment}"
