"""Which events are kept of all that come in.

Users are drawn by Bernoulli sampling on a hash of their ids: whoever is drawn is kept with all that they did, and
every metric of users, slates and sessions is told from them. That can't tell of an item how many clicks it had: of C
clicks about share * C are kept, and an unbiased estimate of whether C reaches a threshold weighs them by powers of
1 - 1 / share, which explode below a half. So items are drawn too, in the same way, and of each that is drawn
everybody's clicks and impressions as new are kept: whether they were enough is known of it, and of all items within
sampling error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reward_llm.domain.events import Event, EventType
from reward_llm.feedback.metrics.estimates import hash_of

_HASHES: Final = 2**64


@dataclass(frozen=True, slots=True)
class Sample:
    """A share of all users, and the same share of all items: which ones depends on their ids alone.

    Args:
        share: Over 0 and at most 1, which is everything.
    """

    share: float = 1.0

    def has_user(self, event: Event) -> bool:
        """Whether who did it is drawn."""
        return self._draws(event.key)

    def has_item(self, event: Event) -> bool:
        """Whether it counts for an item that is drawn: a click on it, or that it was shown as new."""
        is_counted = event.type is EventType.CLICK or (event.type is EventType.IMPRESSION and bool(event.is_new))
        return is_counted and event.item is not None and self._draws(event.item)

    def keeps(self, event: Event) -> bool:
        """Whether it is kept at all."""
        return self.has_user(event) or self.has_item(event)

    def _draws(self, name: str) -> bool:
        return self.share >= 1 or hash_of(name) < self.share * _HASHES


EVERYTHING: Final = Sample()
"""All users and all items."""
