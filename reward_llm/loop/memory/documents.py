"""What is remembered of goals as JSON, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from reward_llm.domain.interpretation import Intent
from reward_llm.domain.loop import LoopEntry, LoopRecord
from reward_llm.domain.memory import GoalMemory, Observation, Tried

_INTENTS: Final = TypeAdapter(tuple[Intent, ...])
_TRIED: Final = TypeAdapter(tuple[Tried, ...])
_OBSERVATION: Final = TypeAdapter(Observation)
_ID_DIGITS: Final = 20


def record_id(goal_id: str) -> str:
    """The id of the one record that there is of a goal."""
    return f"mem_{hashlib.sha256(goal_id.encode()).hexdigest()[:_ID_DIGITS]}"


def document_of(goal_id: str, intents: Sequence[Intent], tried: Sequence[Tried]) -> dict[str, Any]:
    """A goal, what it was read as, and its policies that got into force."""
    return {
        "goal": goal_id,
        "intents": _INTENTS.dump_python(tuple(intents), mode="json"),
        "tried": _TRIED.dump_python(tuple(tried), mode="json"),
    }


def observation_document(observation: Observation) -> dict[str, Any]:
    """An observation, as an entry."""
    found: dict[str, Any] = _OBSERVATION.dump_python(observation, mode="json")
    return found


def tried_of(document: Mapping[str, Any]) -> tuple[Tried, ...]:
    """The policies of a record's document."""
    return _TRIED.validate_python(document["tried"])


def memory_of(record: LoopRecord, entries: Iterable[LoopEntry]) -> GoalMemory:
    """All that a record and its entries say; what two workers saw at once counts once."""
    found = [_OBSERVATION.validate_python(dict(e.document)) for e in entries]
    return GoalMemory(
        goal_id=record.document["goal"],
        scope=record.scope,
        intents=_INTENTS.validate_python(record.document["intents"]),
        tried=tried_of(record.document),
        observations=tuple({(o.activation, o.until): o for o in found}.values()),
    )
