"""A user's mood: what one event after another makes of it.

    S ← S + a (r − S)                  reward r of a completion, like, share, purchase: 1; of a view: its length
    C ← C + b (1 − C), else (1 − c) C  a click in a category that is new among the last clicks, else
    F ← F + g (1 − F), else (1 − h) F  an impression that is at least the third alike in a row, else

The same events in the same order give the same mood to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

from reward_llm.agents.live.config import MoodConfig
from reward_llm.domain.events import Event, EventType

_FULL_REWARD: Final = frozenset({EventType.COMPLETE, EventType.LIKE, EventType.SHARE, EventType.PURCHASE})
_LEAST_AFFINITY: Final = 1e-3
"""Less than this of a user's interest is forgotten."""


class Trace(NamedTuple):
    """What is kept of an event until it settles; in the order of its fields, which is that of time."""

    at_ms: int
    event_id: str
    type: str
    item: str | None
    category: str | None
    value: float | None

    @classmethod
    def of(cls, event: Event) -> Trace:
        """What is kept of the event."""
        return cls(
            round(event.at.timestamp() * 1_000),
            event.event_id,
            event.type.value,
            event.item,
            event.category,
            event.value,
        )


@dataclass(slots=True, kw_only=True)
class Mood:
    """Satisfaction, curiosity and fatigue in [0, 1], and what they and decisions need; moments in ms since 1970.

    `clicks` are the last items and their categories, the newest last; `affinity` are the categories' shares in what
    was rewarded.
    """

    satisfaction: float
    curiosity: float
    fatigue: float = 0.0
    events: int = 0
    first_ms: int | None = None
    run_of: str | None = None
    run: int = 0
    clicks: list[list[str | None]] = field(default_factory=list)
    affinity: dict[str, float] = field(default_factory=dict)

    @classmethod
    def first(cls, config: MoodConfig) -> Mood:
        """Of somebody of whom nothing is known."""
        return cls(satisfaction=config.first_satisfaction, curiosity=config.first_curiosity)

    def copy(self) -> Mood:
        """One that can be changed by itself."""
        values = {name: getattr(self, name) for name in _FIELDS}
        return Mood(**{**values, "clicks": list(self.clicks), "affinity": dict(self.affinity)})

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        return {name: getattr(self, name) for name in _FIELDS}

    def feel(self, trace: Trace, config: MoodConfig) -> None:
        """Take the next event in."""
        self.events += 1
        if self.first_ms is None:
            self.first_ms = trace.at_ms
        match trace.type:
            case EventType.IMPRESSION:
                self._see(trace.category, config)
            case EventType.CLICK:
                self._click(trace, config)
            case EventType.SESSION:
                self.fatigue -= config.rest_rate * self.fatigue
                self.run_of, self.run = None, 0
        reward = reward_of(trace, config)
        if reward is not None:
            self.satisfaction += config.satisfaction_rate * (reward - self.satisfaction)
            self._like(trace.category, reward, config)

    def _see(self, category: str | None, config: MoodConfig) -> None:
        alike = category is not None and category == self.run_of
        self.run_of, self.run = category, self.run + 1 if alike else 1
        if self.run >= config.alike_in_a_row:
            self.fatigue += config.fatigue_rate * (1 - self.fatigue)
        else:
            self.fatigue -= config.relief_rate * self.fatigue

    def _click(self, trace: Trace, config: MoodConfig) -> None:
        known = {category for _, category in self.clicks[-config.novelty_clicks :]}
        if trace.category is not None and trace.category not in known:
            self.curiosity += config.curiosity_rate * (1 - self.curiosity)
        else:
            self.curiosity -= config.habit_rate * self.curiosity
        self.clicks.append([trace.item, trace.category])
        del self.clicks[: -config.remembered_clicks]

    def _like(self, category: str | None, reward: float, config: MoodConfig) -> None:
        if category is None:
            return
        step = config.affinity_rate * reward
        kept = {name: share * (1 - step) for name, share in self.affinity.items()}
        kept[category] = kept.get(category, 0.0) + step
        self.affinity = {name: share for name, share in kept.items() if share >= _LEAST_AFFINITY}


_FIELDS: Final = tuple(f.name for f in fields(Mood))


def reward_of(trace: Trace, config: MoodConfig) -> float | None:
    """How much the user liked what they got, in [0, 1]; None for events that don't tell."""
    if trace.type in _FULL_REWARD:
        return 1.0
    if trace.type == EventType.VIEW:
        return min(1.0, (trace.value or 0.0) / config.content_view_s)
    return None
