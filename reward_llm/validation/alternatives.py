"""What else an answer might have said: each of its choices, exchanged for a runner-up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reward_llm.domain.completion import Choice, Completion, RunnerUp
from reward_llm.domain.interpretation import (
    MAX_INTENTS,
    Decision,
    Direction,
    Emphasis,
    Intent,
    Interpretation,
    Reader,
)
from reward_llm.domain.review import MAX_ALTERNATIVES, Alternative
from reward_llm.validation.answer_places import AnswerPlaces, find_places

LEAST_PROBABILITY: Final = 0.01
"""What is less likely than this isn't worth a person's time."""


def alternatives(
    completion: Completion, reading: Interpretation, second: Interpretation, names: Mapping[str, str]
) -> tuple[Alternative, ...]:
    """The likeliest other readings, each the same but for one choice.

    A runner-up that opens an intent doesn't say which one: there the second reading stands in, if it has an intent on
    another utility.

    Args:
        completion: What the model wrote, with the runners-up of its choices.
        reading: What that was read as.
        second: The rule reader's reading of the same goal.
        names: The answer's name for a utility → the utility's own name.
    """
    places = find_places(completion.text, sum(i.read_by is Reader.MODEL for i in reading.intents))
    if places is None:
        return ()
    answer = _Answer(text=completion.text, places=places, reading=reading, second=second, names=names)
    found: dict[object, Alternative] = {}
    for choice, runner_up in sorted(_openings(completion.choices), key=lambda pair: -pair[1].probability):
        other = answer.instead(choice, runner_up)
        if other is not None and _is_valid(other) and _key(other) != _key(reading):
            found.setdefault(_key(other), Alternative(reading=other, probability=runner_up.probability))
    return tuple(found.values())[:MAX_ALTERNATIVES]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    text: str
    places: AnswerPlaces
    reading: Interpretation
    second: Interpretation
    names: Mapping[str, str]

    def instead(self, choice: Choice, runner_up: RunnerUp) -> Interpretation | None:
        """The reading of the answer that parts from this one with the runner-up."""
        pairs = enumerate(zip(runner_up.text, self.text[choice.start :], strict=False), choice.start)
        parting = next((at for at, (other, own) in pairs if other != own), None)
        if parting is None:
            return None
        written = self.text[: choice.start] + runner_up.text
        for number, places in enumerate(self.places.intents):
            if places.utility.start <= parting <= places.utility.end:
                name = _completed(written[places.utility.start :], self.names)
                return self._exchanged(number, utility=self.names[name]) if name else None
            if places.direction.start <= parting <= places.direction.end:
                direction = _completed(written[places.direction.start :], Direction)
                return self._exchanged(number, direction=Direction(direction)) if direction else None
            if places.emphasis.start <= parting <= places.emphasis.end:
                emphasis = _completed(written[places.emphasis.start :], Emphasis)
                return self._exchanged(number, emphasis=Emphasis(emphasis)) if emphasis else None
        return self._otherwise_arranged(parting, written)

    def _otherwise_arranged(self, parting: int, written: str) -> Interpretation | None:
        """Decided otherwise, ended earlier, or gone on with."""
        places = self.places
        if places.decision.start <= parting <= places.decision.end:
            decision = _completed(written[places.decision.start :], Decision)
            return self._ended(0) if decision == Decision.NO_CHANGE else self._gone_on() if decision else None
        if parting > places.end.start or parting < places.decision.end:
            return None
        begins = written[parting:].lstrip()[:1]
        if begins == "]":
            return self._ended(sum(p.whole.end <= parting for p in places.intents))
        return self._gone_on() if begins in {",", "{"} else None

    def _exchanged(self, number: int, **values: object) -> Interpretation:
        intents = list(self.reading.intents)
        intents[number] = replace(intents[number], **values)  # type: ignore[arg-type]
        return _reading(intents)

    def _ended(self, kept: int) -> Interpretation:
        read = self.reading.intents
        return _reading([*read[:kept], *(i for i in read[kept:] if i.read_by is Reader.RULES)])

    def _gone_on(self) -> Interpretation | None:
        more = any(self.reading.intent(i.utility) is None for i in self.second.intents)
        return _reading(self.second.intents) if more else None


def _openings(choices: Iterable[Choice]) -> Iterator[tuple[Choice, RunnerUp]]:
    return ((c, r) for c in choices for r in c.runners_up if r.probability >= LEAST_PROBABILITY)


def _completed(written: str, values: Iterable[str]) -> str | None:
    """The one value that begins, or ends with a quote, as written."""
    value, quote, _ = written.partition('"')
    fitting = [str(v) for v in values if (v == value if quote else v.startswith(value))]
    return fitting[0] if len(fitting) == 1 else None


def _reading(intents: Iterable[Intent]) -> Interpretation:
    """The bare reading: evidence and confidence belong to the one that was given."""
    bare = tuple(
        Intent(utility=i.utility, direction=i.direction, emphasis=i.emphasis, read_by=i.read_by) for i in intents
    )
    return Interpretation(decision=Decision.PROPOSE if bare else Decision.NO_CHANGE, intents=bare)


def _is_valid(reading: Interpretation) -> bool:
    utilities = [i.utility for i in reading.intents]
    return len(set(utilities)) == len(utilities) <= MAX_INTENTS


def _key(reading: Interpretation) -> object:
    return frozenset((i.utility, i.direction, i.emphasis) for i in reading.intents)
