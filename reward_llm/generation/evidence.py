"""Where in the goal's text a reading rests, and what a person should know about it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Intent, Interpretation, Notice, Quantity
from reward_llm.reading.instructions import find_instructions
from reward_llm.reading.rules import RuleReader
from reward_llm.reading.targets import target_for


def with_evidence(
    reading: Interpretation, goal: Goal, numbers: Sequence[Quantity], reader: RuleReader
) -> Interpretation:
    """The reading with spans, targets and notices added; utilities, directions and emphasis stay as they are."""
    intents = tuple(_with_spans(i, goal, numbers, reader) for i in reading.intents)
    notices = (
        *reading.notices,
        *_instruction_notices(goal),
        *_disagreements(reading, goal, reader),
        *_target_notices(intents, goal),
    )
    return replace(reading, intents=intents, notices=notices)


def _with_spans(intent: Intent, goal: Goal, numbers: Sequence[Quantity], reader: RuleReader) -> Intent:
    spans = intent.spans or reader.spans_for(intent.utility, goal.text)
    return replace(intent, spans=spans, target=intent.target or target_for(spans, numbers, goal.text))


def _instruction_notices(goal: Goal) -> Iterator[Notice]:
    spans = find_instructions(goal.text)
    if spans:
        quoted = "; ".join(f"“{s.of(goal.text)[:80]}”" for s in spans[:3])
        yield Notice(
            code="instructions_ignored", message=f"the text holds instructions, which change nothing: {quoted}"
        )


def _disagreements(reading: Interpretation, goal: Goal, reader: RuleReader) -> Iterator[Notice]:
    """The rule reader as a cross-check of the model."""
    second = reader.read(goal.text)
    for intent in reading.intents:
        other = second.intent(intent.utility)
        if other and other.direction is not intent.direction:
            yield Notice(
                code="readers_disagree",
                message=f"{intent.utility}: read as {intent.direction}, but the lexicon says {other.direction}",
            )


def _target_notices(intents: Sequence[Intent], goal: Goal) -> Iterator[Notice]:
    """The sender's targets against what the text was read as."""
    by_utility = {i.utility: i for i in intents}
    for utility, stated in goal.targets.items():
        intent = by_utility.get(utility)
        if intent is None:
            message = f"{utility}: a target of {stated:g} was sent, but the text asks nothing of it"
            yield Notice(code="target_without_intent", message=message)
        elif intent.target and not math.isclose(intent.target.value, stated, rel_tol=1e-6):
            message = f"{utility}: a target of {stated:g} was sent, but the text says {intent.target.value:g}"
            yield Notice(code="targets_differ", message=message)
