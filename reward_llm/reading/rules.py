"""The rule reader: a bilingual lexicon over a scenario's utilities, deterministic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from reward_llm.domain.interpretation import (
    MAX_INTENTS,
    Decision,
    Direction,
    Emphasis,
    Intent,
    Interpretation,
    Notice,
    Quantity,
    Reader,
    Span,
)
from reward_llm.domain.scenario import Scenario
from reward_llm.reading.clauses import split_clauses
from reward_llm.reading.evidence import Evidence, find_evidence
from reward_llm.reading.instructions import find_instructions
from reward_llm.reading.lexicon import entries_for
from reward_llm.reading.matcher import Match, Matcher
from reward_llm.reading.numbers import find_quantities
from reward_llm.reading.targets import target_for
from reward_llm.reading.text import NormalisedText, normalise

_MAX_SPANS: Final = 8
"""How many places of the text an intent shows as its evidence at most."""
_BY_DEGREE: Final = (Emphasis.DOMINANT, Emphasis.SLIGHT, Emphasis.CLEAR)


@dataclass(frozen=True, slots=True)
class RuleReader:
    """Reads goals for one scenario, without a model.

    >>> from reward_llm.domain.scenario import Bilingual, Bounds, Concept, Utility
    >>> any_weight, text = Bounds(min=0, max=1), Bilingual(en="", zh="")
    >>> utilities = tuple(
    ...     Utility(name=c.value, default=0.5, bounds=any_weight, description=text, concept=c)
    ...     for c in (Concept.CLICK, Concept.GMV)
    ... )
    >>> reader = RuleReader(Scenario(name="shop", title=text, utilities=utilities))
    >>> [(i.utility, i.direction.value) for i in reader.read("GMV提升10%，但点击率不能掉").intents]
    [('gmv', 'raise'), ('click', 'hold')]
    """

    scenario: Scenario
    _matcher: Matcher = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_matcher", Matcher.of(entries_for(self.scenario)))

    def read(self, text: str) -> Interpretation:
        """What the text asks of the scenario's utilities; no_change if nothing."""
        return self._read(text, self._matches(text))

    def hints(self, text: str) -> dict[str, str]:
        """What the lexicon says of each utility that the text names, in the scenario's order.

        `"raise clear"` is a direction with its emphasis; `"named"` stands for a utility that is spoken of without
        being asked for.
        """
        matches = self._matches(text)
        asked = {i.utility: f"{i.direction} {i.emphasis}" for i in self._read(text, matches).intents}
        named = {m.entry.utility for m in matches if m.entry.kind.names_utility}
        return {u: asked.get(u, "named") for u in self.scenario.utility_names if u in asked or u in named}

    def _read(self, text: str, matches: Sequence[Match]) -> Interpretation:
        evidence = self._evidence(text, matches)
        quantities = find_quantities(text)
        intents: list[Intent] = []
        notices: list[Notice] = []
        for utility in dict.fromkeys(e.utility for e in evidence):
            about = _decisive([e for e in evidence if e.utility == utility])
            if about:
                intents.append(_intent(about, quantities, text))
            else:
                notices.append(_contradiction(utility))
        if len(intents) > MAX_INTENTS:
            notices.append(_too_many(intents[MAX_INTENTS:]))
        kept = tuple(intents[:MAX_INTENTS])
        return Interpretation(
            decision=Decision.PROPOSE if kept else Decision.NO_CHANGE, intents=kept, notices=tuple(notices)
        )

    def spans_for(self, utility: str, text: str) -> tuple[Span, ...]:
        """Where the text speaks of the utility: its terms and their cues, in order; empty if nowhere."""
        return _merged(
            span for e in self._evidence(text, self._matches(text)) if e.utility == utility for span in e.spans
        )

    def _evidence(self, text: str, matches: Sequence[Match]) -> tuple[Evidence, ...]:
        evidence = find_evidence(split_clauses(text), matches)
        certain = tuple(e for e in evidence if e.certain)
        return _with_wishes(certain if any(e.direction is Direction.RAISE for e in certain) else evidence)

    def _matches(self, text: str) -> list[Match]:
        """The lexicon's phrases in the text, instructions to the system left out."""
        normalised: NormalisedText = normalise(text)
        instructions = find_instructions(text)
        found = (
            Match(m.entry, normalised.original(m.span.start, m.span.end)) for m in self._matcher.find(normalised.text)
        )
        return [m for m in found if not any(m.span.overlaps(s) for s in instructions)]


def _with_wishes(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Least values are guardrails beside a wish; where nothing else is wished for, they are the wish."""
    if any(e.direction is not Direction.HOLD for e in evidence):
        return evidence
    return tuple(replace(e, direction=Direction.RAISE) if e.bound else e for e in evidence)


def _decisive(evidence: Sequence[Evidence]) -> list[Evidence]:
    """What counts of one utility's evidence; nothing if it contradicts itself.

    What a cue says outdoes what a term says without one, a move outdoes a hold, and the direction that is said more
    often the other.
    """
    said = [e for e in evidence if e.explicit] or list(evidence)
    raised = [e for e in said if e.direction is Direction.RAISE]
    lowered = [e for e in said if e.direction is Direction.LOWER]
    if not raised and not lowered:
        return said
    if len(raised) == len(lowered):
        return []
    return max(raised, lowered, key=len)


def _intent(about: Sequence[Evidence], quantities: Sequence[Quantity], text: str) -> Intent:
    spans = _merged(span for e in about for span in e.spans)[:_MAX_SPANS]
    return Intent(
        utility=about[0].utility,
        direction=about[0].direction,
        emphasis=next(d for d in _BY_DEGREE if any(e.emphasis is d for e in about)),
        spans=spans,
        target=target_for(spans, quantities, text),
        read_by=Reader.RULES,
    )


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, overlapping ones as one."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and merged[-1].overlaps(span):
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _contradiction(utility: str) -> Notice:
    return Notice(
        code="contradiction", message=f"The text asks for more and for less of {utility}; neither is followed."
    )


def _too_many(dropped: Sequence[Intent]) -> Notice:
    names = ", ".join(i.utility for i in dropped)
    return Notice(code="too_many_intents", message=f"Only {MAX_INTENTS} intents are followed; left out: {names}.")
