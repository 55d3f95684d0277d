"""Hard rules that a slate keeps whatever the weights say, checked after ranking.

>>> rules = Rules((MaxRun(of="seller", most=3), MaxCount(of="category", most=4, within=10)))
>>> rules.names
('max_run(seller, 3)', 'max_count(category, 4, first 10)')
"""

# B batch, M candidates, N slate

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from ranker.errors import ShapeMismatch, ValueOutOfRange
from ranker.requests import EMPTY, UNPINNED, Requests, check_slates
from ranker.utilities.shown import of_items

Attribute = Literal["seller", "category", "group", "supply_type"]


class Rule(Protocol):
    """One thing that no slate may do."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def broken(self, slate_BN: Tensor, requests: Requests) -> Tensor:
        """Tell which slots break the rule, bool of (B, N)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxRun:
    """No more than `most` items in a row of one seller (or category, …); the slots after them break it.

    Unknown sellers and categories (0) are nobody's: a gap in the data breaks no rule.

    Raises:
        ValueOutOfRange: If `most` isn't positive.
    """

    of: Attribute
    most: int = 3

    def __post_init__(self) -> None:
        _positive(self.name, self.most)

    @property
    def name(self) -> str:
        """Such as `max_run(seller, 3)`."""
        return f"max_run({self.of}, {self.most})"

    def broken(self, slate_BN: Tensor, requests: Requests) -> Tensor:
        """Tell where a run is longer."""
        value_BN, known_BN = _attribute(self.of, slate_BN, requests)
        run_B = torch.zeros(len(slate_BN), dtype=torch.int64)
        broken_BN = torch.zeros_like(slate_BN, dtype=torch.bool)
        for slot in range(slate_BN.shape[1]):
            same_B = known_BN[:, slot] & (value_BN[:, slot] == value_BN[:, slot - 1]) if slot else known_BN[:, 0]
            run_B = torch.where(same_B, run_B + 1, known_BN[:, slot].long())
            broken_BN[:, slot] = run_B > self.most
        return broken_BN


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxCount:
    """No more than `most` items of one seller (or category, …) among the first `within` slots, all if None.

    Raises:
        ValueOutOfRange: If a number isn't positive.
    """

    of: Attribute
    most: int
    within: int | None = None

    def __post_init__(self) -> None:
        _positive(self.name, self.most)
        _positive(self.name, 1 if self.within is None else self.within)

    @property
    def name(self) -> str:
        """Such as `max_count(category, 4, first 10)`."""
        where = "" if self.within is None else f", first {self.within}"
        return f"max_count({self.of}, {self.most}{where})"

    def broken(self, slate_BN: Tensor, requests: Requests) -> Tensor:
        """Tell which slots come after the last that is allowed."""
        value_BN, known_BN = _attribute(self.of, slate_BN, requests)
        same_BNN = (value_BN[:, :, None] == value_BN[:, None, :]) & known_BN[:, :, None] & known_BN[:, None, :]
        count_BN = same_BNN.triu().sum(1)
        counted_N = torch.arange(slate_BN.shape[1]) < (slate_BN.shape[1] if self.within is None else self.within)
        return (count_BN > self.most) & known_BN & counted_N


@dataclass(frozen=True, slots=True)
class PinsKept:
    """Every pinned item that has its slot in the slate stands there; the slot breaks it otherwise."""

    name: str = "pins_kept"

    def broken(self, slate_BN: Tensor, requests: Requests) -> Tensor:
        """Tell which slots hold something else than what is pinned to them."""
        slots_N = torch.arange(slate_BN.shape[1])
        pinned_BMN = (requests.pinned_BM[:, :, None] == slots_N) & (requests.pinned_BM != UNPINNED)[:, :, None]
        wanted_BN = torch.where(pinned_BMN.any(1), pinned_BMN.long().argmax(1), EMPTY)
        return (wanted_BN != EMPTY) & (wanted_BN != slate_BN)


@dataclass(frozen=True, slots=True)
class ForbiddenHidden:
    """Nothing forbidden is shown."""

    name: str = "forbidden_hidden"

    def broken(self, slate_BN: Tensor, requests: Requests) -> Tensor:
        """Tell which slots show something forbidden."""
        return of_items(requests.forbidden_BM, slate_BN[:, None])[:, 0] & (slate_BN != EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """One rule that one slate breaks."""

    row: int
    rule: str
    slots: tuple[int, ...]

    def __str__(self) -> str:
        slots = ", ".join(str(slot) for slot in self.slots)
        return f"request {self.row} breaks {self.rule} at slots {slots}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """The slates to show, and why some aren't the ranked ones."""

    slate_BN: Tensor
    from_baseline_B: Tensor
    """bool: the ranked slate broke a rule, and the baseline is shown."""
    breaches: tuple[Breach, ...]
    """Of the ranked slates."""
    baseline_breaches: tuple[Breach, ...]
    """Of those baselines that are shown; not empty means that a rule is broken in what is shown."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a surface."""

    rules: tuple[Rule, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What reports call them."""
        return tuple(rule.name for rule in self.rules)

    def breaches(self, slate_BN: Tensor, requests: Requests) -> tuple[Breach, ...]:
        """Give every rule that a slate breaks, in the order of the rules.

        Raises:
            SlateInvalid: If a slate shows an item twice, or something that isn't a candidate.
        """
        check_slates(slate_BN[:, None], requests)
        return tuple(breach for rule in self.rules for breach in _breaches(rule, slate_BN, requests))

    def enforced(self, slate_BN: Tensor, baseline_BN: Tensor, requests: Requests) -> Ruled:
        """Give the slates, and the baseline for those that break a rule.

        Raises:
            ShapeMismatch: If slates and baselines have different shapes.
            SlateInvalid: If a slate or baseline shows an item twice, or something that isn't a candidate.
        """
        if slate_BN.shape != baseline_BN.shape:
            raise ShapeMismatch(f"slates of {tuple(slate_BN.shape)} and baselines of {tuple(baseline_BN.shape)}")
        breaches = self.breaches(slate_BN, requests)
        from_baseline_B = torch.zeros(len(slate_BN), dtype=torch.bool)
        from_baseline_B[[breach.row for breach in breaches]] = True
        of_baseline = self.breaches(baseline_BN, requests)
        return Ruled(
            slate_BN=torch.where(from_baseline_B[:, None], baseline_BN, slate_BN),
            from_baseline_B=from_baseline_B,
            breaches=breaches,
            baseline_breaches=tuple(breach for breach in of_baseline if from_baseline_B[breach.row]),
        )


def _breaches(rule: Rule, slate_BN: Tensor, requests: Requests) -> list[Breach]:
    broken_BN = rule.broken(slate_BN, requests)
    rows = broken_BN.any(1).nonzero()[:, 0].tolist()
    return [Breach(row=row, rule=rule.name, slots=tuple(broken_BN[row].nonzero()[:, 0].tolist())) for row in rows]


def _attribute(name: Attribute, slate_BN: Tensor, requests: Requests) -> tuple[Tensor, Tensor]:
    value_BM: Tensor = getattr(requests, f"{name}_BM")
    value_BN = of_items(value_BM, slate_BN[:, None])[:, 0]
    known_BN = slate_BN != EMPTY
    if name in {"seller", "category"}:
        known_BN = known_BN & (value_BN != 0)
    return value_BN, known_BN


def _positive(name: str, number: int) -> None:
    if number < 1:
        raise ValueOutOfRange(f"{name} needs numbers of at least 1")
