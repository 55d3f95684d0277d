"""Taking events in: each is checked by itself, and one that can't be used doesn't hold up the others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from reward_llm.api.body import validated
from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.events import EventsEnvelope, EventsWire, EventWire, RejectedEvent
from reward_llm.api.wire.problem import ViolationWire
from reward_llm.domain.events import Event
from reward_llm.domain.ports.events import EventIntake
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import EventInvalid, EventsUnavailable, Forbidden, NotFound, RewardLLMError

_SHOWN_ID_CHARS: Final = 200


async def take(services: Services, document: Any, allowed: frozenset[str] | None) -> EventsWire:
    """Take in what can be used of the events, and say of the others why not.

    Args:
        services: What the service stands on.
        document: The batch.
        allowed: The scenarios whose events the caller may send; None for all.

    Raises:
        InvalidInput: If the document isn't a batch of events.
        EventsUnavailable: If events can't be kept now.
    """
    now = services.clock()
    good: list[Event] = []
    rejected: list[RejectedEvent] = []
    for index, sent in enumerate(validated(EventsEnvelope, document).events):
        try:
            good.append(_event(services.scenarios, sent, now, allowed))
        except (EventInvalid, Forbidden, NotFound) as exc:
            rejected.append(_rejection(index, sent, exc))
    taken = await _intake(services).take(good)
    return EventsWire(accepted=taken.accepted, duplicates=taken.duplicates, rejected=rejected)


def _event(scenarios: Mapping[str, Scenario], sent: Any, now: datetime, allowed: frozenset[str] | None) -> Event:
    event = validated(EventWire, sent, EventInvalid).event()
    if allowed is not None and event.scenario not in allowed:
        raise Forbidden(f"events of {event.scenario!r} aren't yours to send")
    find_scenario(scenarios, event.scenario).check_segment(event.segment)
    violations = tuple(event.problems()) or tuple(event.untimely(now))
    if violations:
        raise EventInvalid("the event can't be used: " + "; ".join(map(str, violations)), violations=violations)
    return event


def _rejection(index: int, sent: Any, problem: RewardLLMError) -> RejectedEvent:
    event_id = sent.get("event_id") if isinstance(sent, dict) else None
    return RejectedEvent(
        index=index,
        event_id=event_id[:_SHOWN_ID_CHARS] if isinstance(event_id, str) else None,
        code=problem.code,
        detail=problem.message,
        violations=[ViolationWire(path=v.path, code=v.code, message=v.message) for v in problem.violations],
    )


def _intake(services: Services) -> EventIntake:
    if services.intake is None:
        raise EventsUnavailable("this service takes no events", hint="Send them to one that does.")
    return services.intake
