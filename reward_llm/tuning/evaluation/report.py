"""How well the goals of a file were read, together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.interpretation import Decision
from reward_llm.domain.scenario import Scenario
from reward_llm.tuning.evaluation.confusion import Confusion, confusion
from reward_llm.tuning.evaluation.pairs import judge_pairs
from reward_llm.tuning.evaluation.share import Share
from reward_llm.tuning.evaluation.verdict import Reading, Verdict, judge

HOSTILE_KINDS: Final = frozenset({"injection", "hostile_format"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UtilityScore:
    """How often what lines assert of one utility holds."""

    raised: Share
    lowered: Share
    held: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How well goals were read. Latencies are in milliseconds and cover the reading alone."""

    verdicts: tuple[Verdict, ...]
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
    by_utility: Mapping[str, UtilityScore]
    """Every utility, asserted or not."""
    confusion: Confusion
    failed_pairs: tuple[str, ...]

    @property
    def lines(self) -> int:
        """How many goals were read."""
        return len(self.verdicts)

    @property
    def failures(self) -> tuple[Verdict, ...]:
        """The lines whose weights aren't valid or break an assertion."""
        return tuple(v for v in self.verdicts if not v.right)


def report(readings: Iterable[Reading], scenario: Scenario) -> Report:
    """The report over all readings of a file."""
    return report_of([judge(r, scenario) for r in readings], scenario.utility_names)


def report_of(verdicts: Sequence[Verdict], utilities: Sequence[str]) -> Report:
    """The report over verdicts that were reached before.

    Args:
        verdicts: One a line.
        utilities: All that the scenario has.
    """
    readings = [v.reading for v in verdicts]
    directional = [v for v in verdicts if v.directions]
    abstained = [v for v in verdicts if v.reading.decision is Decision.NO_CHANGE and v.asserted]
    pairs = list(judge_pairs(readings))
    latencies = sorted(r.latency_ms for r in readings)
    return Report(
        verdicts=tuple(verdicts),
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
        by_utility={u: _utility_score(u, verdicts) for u in utilities},
        confusion=confusion(readings, utilities),
        failed_pairs=tuple(pair for pair, _, agrees in pairs if not agrees),
    )


def _directional(verdicts: Iterable[Verdict]) -> Share:
    return Share.over(all(v.directions) for v in verdicts)


def _grouped(verdicts: Iterable[Verdict], key: Callable[[Verdict], str]) -> dict[str, Share]:
    groups: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[key(verdict)].append(verdict)
    return {name: _directional(group) for name, group in groups.items()}


def _utility_score(utility: str, verdicts: Sequence[Verdict]) -> UtilityScore:
    def share(claim: str) -> Share:
        claims = (a for v in verdicts for a in v.assertions)
        return Share.over(a.right for a in claims if (a.claim, a.utility) == (claim, utility))

    return UtilityScore(raised=share("raise"), lowered=share("lower"), held=share("hold"))


def _targets_found(reading: Reading) -> Iterator[bool]:
    found = [q.value for q in reading.proposal.numbers] if reading.proposal else []
    for target in reading.line.targets:
        yield any(math.isclose(target, value, rel_tol=1e-6) for value in found)


def _percentile(ordered: Sequence[float], percent: int) -> float:
    """The nearest-rank percentile, 0 of nothing."""
    return ordered[math.ceil(percent / 100 * len(ordered)) - 1] if ordered else 0.0
