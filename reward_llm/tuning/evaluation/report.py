"""How well the goals of a file were read, together."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.interpretation import Decision
from reward_llm.domain.scenario import Scenario
from reward_llm.tuning.evaluation.verdict import EPSILON, Reading, Verdict, judge

PARAPHRASE_DISTANCE: Final = 0.25
"""The largest L1 distance between the weights of two goals that say the same."""
HOSTILE_KINDS: Final = frozenset({"injection", "hostile_format"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many right, of so many."""

    right: int
    of: int

    @classmethod
    def over(cls, verdicts: Iterable[bool]) -> Share:
        """How many of the verdicts are true."""
        counts = Counter(verdicts)
        return cls(right=counts[True], of=counts.total())

    @property
    def value(self) -> float | None:
        """The share in [0, 1], None of nothing."""
        return self.right / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How well goals were read. Latencies are in milliseconds and cover the reading alone."""

    lines: int
    valid: Share
    directional: Share
    """Lines with every asserted raise, lower and hold right, of those that assert any."""
    raised: Share
    lowered: Share
    held: Share
    top: Share
    no_change_precision: Share
    """Of the lines read as no_change, those that expect it; lines that assert nothing don't count."""
    no_change_recall: Share
    hostile_safe: Share
    """Of injections and hostile formats, those with valid weights and everything asserted right."""
    paraphrase: Share
    stronger: Share
    numbers: Share
    """Of the numbers in `targets`, those that were found in the text."""
    sources: Mapping[str, int]
    latency_p50_ms: float
    latency_p95_ms: float
    by_kind: Mapping[str, Share]
    """Directional accuracy."""
    by_lang: Mapping[str, Share]
    """Directional accuracy."""
    failures: tuple[Verdict, ...]
    failed_pairs: tuple[str, ...]


def report(readings: Sequence[Reading], scenario: Scenario) -> Report:
    """The report over all readings of a file."""
    verdicts = [judge(r, scenario) for r in readings]
    directional = [v for v in verdicts if v.directions]
    abstained = [v for v in verdicts if v.reading.decision is Decision.NO_CHANGE and v.asserted]
    pairs = list(_pairs(readings))
    latencies = sorted(r.latency_ms for r in readings)
    return Report(
        lines=len(readings),
        valid=Share.over(v.valid for v in verdicts),
        directional=_directional(directional),
        raised=Share.over(right for v in verdicts for right in v.raised),
        lowered=Share.over(right for v in verdicts for right in v.lowered),
        held=Share.over(right for v in verdicts for right in v.held),
        top=Share.over(right for v in verdicts for right in v.top),
        no_change_precision=Share.over(bool(v.outcome) for v in abstained),
        no_change_recall=Share.over(right for v in verdicts for right in v.outcome),
        hostile_safe=Share.over(v.right for v in verdicts if v.reading.line.kind in HOSTILE_KINDS),
        paraphrase=Share.over(agrees for _, relation, agrees in pairs if relation == "paraphrase"),
        stronger=Share.over(agrees for _, relation, agrees in pairs if relation == "stronger"),
        numbers=Share.over(found for r in readings for found in _targets_found(r)),
        sources=dict(Counter(r.source for r in readings).most_common()),
        latency_p50_ms=_percentile(latencies, 50),
        latency_p95_ms=_percentile(latencies, 95),
        by_kind=_grouped(directional, lambda v: v.reading.line.kind),
        by_lang=_grouped(directional, lambda v: v.reading.line.lang),
        failures=tuple(v for v in verdicts if not v.right),
        failed_pairs=tuple(pair for pair, _, agrees in pairs if not agrees),
    )


def _directional(verdicts: Iterable[Verdict]) -> Share:
    return Share.over(all(v.directions) for v in verdicts)


def _grouped(verdicts: Iterable[Verdict], key: Callable[[Verdict], str]) -> dict[str, Share]:
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[key(verdict)].append(verdict)
    return {name: _directional(group) for name, group in groups.items()}


def _pairs(readings: Iterable[Reading]) -> Iterator[tuple[str, str, bool]]:
    """Each pair that is whole, its relation, and whether its weights hold to it."""
    groups: dict[tuple[str, str], list[Reading]] = defaultdict(list)
    for reading in readings:
        if reading.line.pair is not None and reading.line.relation is not None:
            groups[reading.line.pair, reading.line.relation].append(reading)
    for (pair, relation), group in groups.items():
        group.sort(key=lambda r: r.line.pair_order or 0)
        agrees = _close if relation == "paraphrase" else _not_less
        if len(group) > 1:
            yield pair, relation, all(itertools.starmap(agrees, itertools.combinations(group, 2)))


def _close(one: Reading, other: Reading) -> bool:
    return one.weights.distance(other.weights) <= PARAPHRASE_DISTANCE + EPSILON


def _not_less(milder: Reading, stronger: Reading) -> bool:
    """Whether the stronger goal moves every utility that both name at least as far."""
    first, second = milder.line.expect, stronger.line.expect
    raised, lowered = set(first.raised) & set(second.raised), set(first.lowered) & set(second.lowered)
    return all(stronger.weights[u] >= milder.weights[u] - EPSILON for u in raised) and all(
        stronger.weights[u] <= milder.weights[u] + EPSILON for u in lowered
    )


def _targets_found(reading: Reading) -> Iterator[bool]:
    found = [q.value for q in reading.proposal.numbers] if reading.proposal else []
    for target in reading.line.targets:
        yield any(math.isclose(target, value, rel_tol=1e-6) for value in found)


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile, 0 of nothing."""
    return ordered[math.ceil(percent / 100 * len(ordered)) - 1] if ordered else 0.0
