"""From what a model wrote to an interpretation: shape, then meaning."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs

from reward_llm.domain.completion import Completion
from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation
from reward_llm.errors import AnswerMalformed, Violation
from reward_llm.reading.numbers import find_quantities
from reward_llm.validation.answer_places import find_places

MAX_RATIONALE_CHARS: Final = 500
_TOLERANCE: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model's answer states: a reading, and points for every utility if it was asked for them."""

    reading: Interpretation
    points: Mapping[str, int] = field(default_factory=dict)


def parse_json(text: str) -> Any:
    """The one JSON document in the text, read strictly.

    Raises:
        AnswerMalformed: For text that isn't JSON, NaN, Infinity, numbers that overflow, a key that is there twice,
            or anything after the document.
    """
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, object_pairs_hook=_without_duplicates
        )
    except (ValueError, RecursionError) as exc:
        raise AnswerMalformed(f"not a JSON document: {exc}") from exc


def read_answer(completion: Completion, schema: Mapping[str, Any], names: Mapping[str, str], goal: str) -> Answer:
    """What an answer states, in the scenario's own names.

    Args:
        completion: What the model wrote.
        schema: What it was asked to keep to.
        names: The answer's name for a utility → the utility's own name.
        goal: The text that was read, to check the numbers in the rationale against.

    Raises:
        AnswerMalformed: With every violation found.
    """
    document = parse_json(completion.text)
    violations = [
        Violation(path="/".join(str(p) for p in error.instance_path), code="shape", message=error.message)
        for error in _validator(json.dumps(schema)).iter_errors(document)
    ] or _meaning_violations(document, goal)
    if violations:
        raise AnswerMalformed(
            "the answer breaks its contract: " + "; ".join(str(v) for v in violations), violations=violations
        )
    places, choices = find_places(completion.text, len(document["intents"])), completion.choices
    intents = tuple(
        Intent(
            utility=names[item["utility"]],
            direction=Direction(item["direction"]),
            emphasis=Emphasis(item["emphasis"]),
            confidence=places.intent_probability(number, choices) if places else None,
        )
        for number, item in enumerate(document["intents"])
    )
    return Answer(
        reading=Interpretation(
            decision=Decision(document["decision"]),
            intents=intents,
            rationale=document["rationale"],
            completeness=places.completeness(choices) if places else None,
        ),
        points={names[name]: int(points) for name, points in document.get("weights", {}).items()},
    )


def _meaning_violations(document: Mapping[str, Any], goal: str) -> list[Violation]:
    found = []
    utilities = [item["utility"] for item in document["intents"]]
    if document["decision"] == Decision.PROPOSE and not utilities:
        found.append(Violation(path="intents", code="empty", message="propose needs at least one intent"))
    if document["decision"] == Decision.NO_CHANGE and utilities:
        found.append(Violation(path="intents", code="unexpected", message="no_change takes no intents"))
    found += [
        Violation(path="intents", code="repeated", message=f"utility {u!r} is there more than once")
        for u in sorted({u for u in utilities if utilities.count(u) > 1})
    ]
    rationale = document["rationale"]
    if len(rationale) > MAX_RATIONALE_CHARS:
        found.append(
            Violation(path="rationale", code="long", message=f"longer than {MAX_RATIONALE_CHARS} characters")
        )
    stated = [q.value for q in find_quantities(goal)]
    found += [
        Violation(path="rationale", code="unsupported_number", message=f"{q.value:g} isn't in the goal")
        for q in find_quantities(rationale[:MAX_RATIONALE_CHARS])
        if not any(math.isclose(q.value, s, rel_tol=_TOLERANCE) for s in stated)
    ]
    return found


@lru_cache(maxsize=64)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} isn't a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"the number {digits[:20]} is too large")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [k for k, _ in pairs]
        raise ValueError(f"the key {next(k for k in keys if keys.count(k) > 1)!r} is there more than once")
    return document
