"""What each place of a text says about a utility: a term, and the cue in its clause that gives it a direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.interpretation import Direction, Emphasis, Span
from reward_llm.reading.clauses import Clause
from reward_llm.reading.lexicon import Kind
from reward_llm.reading.matcher import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A term and its cue; `explicit` unless the direction is only what such a term asks for by default.

    Not `certain` where the term may mean something else; `bound` where it's held by a least value.
    """

    utility: str
    direction: Direction
    emphasis: Emphasis
    spans: tuple[Span, ...]
    explicit: bool
    certain: bool = True
    bound: bool = False


_DIRECTION: Final = {
    Kind.RAISE: Direction.RAISE,
    Kind.LOWER: Direction.LOWER,
    Kind.CHASE: Direction.LOWER,
    Kind.CONCEDE: Direction.LOWER,
    Kind.HOLD: Direction.HOLD,
    Kind.BOUND: Direction.HOLD,
}
_FIXED: Final = {Kind.ASKS_RAISE: Direction.RAISE, Kind.ASKS_LOWER: Direction.LOWER}
_PREVENTED_CHARS: Final = 4
"""How close before a phrase that asks by itself a hold must stand to mean: don't let that happen."""
_ABOUT_THE_CLAUSE_BEFORE: Final = frozenset({Kind.HOLD, Kind.BOUND, Kind.CONCEDE, Kind.IGNORE})


def find_evidence(clauses: Sequence[Clause], matches: Sequence[Match]) -> tuple[Evidence, ...]:
    """What the matches say, clause by clause; sentences that are asides say nothing."""
    by_clause = _by_clause(clauses, matches)
    asides = {c.sentence for c, found in zip(clauses, by_clause, strict=True) if _is_aside(found)}
    evidence: list[Evidence] = []
    heading = _Heading()
    for index, (clause, found) in enumerate(zip(clauses, by_clause, strict=True)):
        if clause.sentence in asides:
            continue
        terms = [m for m in found if m.entry.kind.names_utility]
        cues = _cues(found)
        heading.pass_over(clause, terms, cues)
        cues = cues or heading.cues or _cues_after(clauses, by_clause, index)
        evidence += [e for term, own in _governed(terms, cues) if (e := _evidence_of(term, own)) is not None]
    return tuple(evidence)


class _Heading:
    """What the heading of a list says of its items, until one has a cue of its own or the sentence ends."""

    def __init__(self) -> None:
        self.cues: list[Match] = []
        self._sentence = -1

    def pass_over(self, clause: Clause, terms: Sequence[Match], cues: list[Match]) -> None:
        """Look at the next clause; one word before a colon may have been taken for the name of who speaks."""
        before = [c for c in cues if c.span.start < clause.span.start]
        heads = cues if clause.heading and not terms else before if len(before) == len(cues) else []
        if heads:
            self.cues, self._sentence = heads, clause.sentence
        elif cues or clause.sentence != self._sentence:
            self.cues = []


def _by_clause(clauses: Sequence[Clause], matches: Sequence[Match]) -> list[list[Match]]:
    found: list[list[Match]] = [[] for _ in clauses]
    index = 0
    for match in matches:
        while index < len(clauses) and clauses[index].span.end <= match.span.start:
            index += 1
        if index < len(clauses):
            found[index].append(match)
    return found


def _is_aside(found: Sequence[Match]) -> bool:
    return any(m.entry.kind is Kind.ASIDE for m in found)


def _cues(found: Sequence[Match]) -> list[Match]:
    """The cues of a clause, without those inside a longer one and those that a refusal before them turns round."""
    kept: list[Match] = []
    refused = False
    for match in found:
        kind = match.entry.kind
        inside = bool(kept) and match.span.end <= kept[-1].span.end
        if kind.names_utility or kind is Kind.OTHER or inside or (refused and kind is Kind.RAISE):
            continue
        kept.append(match)
        refused = refused or kind is Kind.CHASE
    return kept


def _cues_after(clauses: Sequence[Clause], by_clause: Sequence[Sequence[Match]], index: int) -> list[Match]:
    """What the next clause of the sentence says about this one, if it names no utility itself."""
    following = index + 1
    if following == len(clauses) or clauses[following].sentence != clauses[index].sentence:
        return []
    found = by_clause[following]
    if any(m.entry.kind.names_utility for m in found):
        return []
    return [c for c in _cues(found) if c.entry.kind in _ABOUT_THE_CLAUSE_BEFORE]


def _governed(terms: Sequence[Match], cues: Sequence[Match]) -> Iterator[tuple[Match, list[Match]]]:
    """Every term with the cues that may govern it; a concession governs the nearest term alone."""
    alone = [_nearest(c, terms) if c.entry.kind is Kind.CONCEDE else None for c in cues]
    for term in terms:
        yield term, [c for c, only in zip(cues, alone, strict=True) if only is None or only is term]


def _evidence_of(term: Match, cues: Sequence[Match]) -> Evidence | None:
    kind, utility = term.entry.kind, term.entry.utility
    cue = _nearest(term, _directing(kind, cues))
    if utility is None or (cue and cue.entry.kind is Kind.IGNORE):
        return None
    direction = _direction(term, cue)
    used = cue if cue and (_DIRECTION[cue.entry.kind] is direction or kind is Kind.BAD) else None
    return Evidence(
        utility=utility,
        direction=direction,
        emphasis=_emphasis(term, used, cues),
        spans=tuple(sorted((term.span, used.span) if used else (term.span,))),
        explicit=used is not None or kind in _FIXED,
        certain=kind is not Kind.HINT,
        bound=used is not None and used.entry.kind is Kind.BOUND,
    )


def _directing(kind: Kind, cues: Sequence[Match]) -> list[Match]:
    """The cues that can give a direction; that something bad rises is never asked for, only feared."""
    directing = [c for c in cues if c.entry.kind in _DIRECTION or c.entry.kind is Kind.IGNORE]
    if kind is Kind.BAD:
        return [c for c in directing if c.entry.kind is not Kind.RAISE]
    return directing


def _direction(term: Match, cue: Match | None) -> Direction:
    kind = term.entry.kind
    asked = _DIRECTION[cue.entry.kind] if cue else Direction.RAISE
    if kind is Kind.BAIT:
        return Direction.LOWER
    if kind in _FIXED:
        close = cue is not None and 0 <= term.span.start - cue.span.end <= _PREVENTED_CHARS
        return Direction.HOLD if close and asked is Direction.HOLD else _FIXED[kind]
    if kind is Kind.BAD:
        return _for_bad(cue)
    return asked


def _for_bad(cue: Match | None) -> Direction:
    """Less of what is bad raises the utility; nobody asks for more of it, but some can live with it."""
    if cue and _DIRECTION[cue.entry.kind] is Direction.HOLD:
        return Direction.HOLD
    if cue and cue.entry.kind is Kind.CONCEDE:
        return Direction.LOWER
    return Direction.RAISE


def _emphasis(term: Match, cue: Match | None, cues: Sequence[Match]) -> Emphasis:
    degree = _nearest(term, [c for c in cues if c.entry.kind in {Kind.SLIGHT, Kind.DOMINANT}])
    if degree:
        return Emphasis.SLIGHT if degree.entry.kind is Kind.SLIGHT else Emphasis.DOMINANT
    return Emphasis.SLIGHT if cue and cue.entry.kind is Kind.CONCEDE else Emphasis.CLEAR


def _nearest(term: Match, cues: Sequence[Match]) -> Match | None:
    return min(cues, key=lambda c: _distance(term.span, c.span), default=None)


def _distance(first: Span, second: Span) -> int:
    return max(first.start - second.end, second.start - first.end, 0)
