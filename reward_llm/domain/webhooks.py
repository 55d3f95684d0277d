"""Webhooks: who is told of what is put on record, and when a delivery is tried again."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES: Final = 32
GONE: Final = 410
"""The status by which a receiver says that it wants nothing more, ever."""
TEST_ACTION: Final = "webhook.tested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What somebody wants to be told of, and where.

    `actions` are names such as `policy.activated`, or beginnings that end with a dot, such as `policy.`; none of them
    means every action. `scenario` is the only one that is told of, None for all of them and for what belongs to none.
    """

    url: str
    description: str = ""
    actions: tuple[str, ...] = ()
    scenario: str | None = None
    active: bool = True

    def wants(self, action: str, scenario: str) -> bool:
        """Whether the subscriber is told of an action in a scenario, '' for none.

        >>> Subscription(url="https://example.org", actions=("policy.",)).wants("policy.activated", "home_feed")
        True
        """
        return (
            self.active
            and self.scenario in {None, scenario}
            and (not self.actions or any(_fits(action, wanted) for wanted in self.actions))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription as it stands.

    `revision` grows with every change. `previous_until` is when the secret before the present one stops signing
    beside it; `failing_since` the first failure since the last success or change.
    """

    id: str
    subscription: Subscription
    revision: int
    created_at: datetime
    created_by: str
    changed_at: datetime
    previous_until: datetime | None = None
    failing_since: datetime | None = None


class DeliveryState(StrEnum):
    """How far a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to deliver: the receiver's status, None without an answer, and what went wrong, '' for nothing.

    `retry_after_s` is how long the receiver asked to be left alone.
    """

    at: datetime
    duration_ms: int
    status: int | None = None
    error: str = ""
    retry_after_s: float = 0.0

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return not self.error


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one webhook; `tries` counts those since it was sent off, or sent off again by hand.

    `id` names the delivery here, `event_id` the event, which a receiver knows a repetition by.
    """

    id: str
    webhook_id: str
    event_id: str
    action: str
    state: DeliveryState
    tries: int
    due_at: datetime
    created_at: datetime
    settled_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Consignment:
    """A delivery that somebody holds the lease of: what to send, where, and the secrets that sign it."""

    delivery: Delivery
    url: str
    body: str
    secrets: tuple[str, ...] = field(repr=False)
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySchedule:
    """How long to wait after each failure; a delivery is dead when its last try fails.

    Each pause is lengthened by a random share of up to `jitter`, so that deliveries that failed together don't come
    back together. A receiver's own Retry-After counts where it is longer, up to the longest pause.
    """

    pauses_s: tuple[float, ...] = (10, 60, 300, 900, 3_600, 7_200, 14_400, 28_800, 43_200)
    jitter: float = 0.2

    @property
    def tries(self) -> int:
        """How often a delivery is tried."""
        return len(self.pauses_s) + 1

    def pause(self, tries: int, fraction: float, retry_after_s: float = 0.0) -> timedelta | None:
        """How long to wait after the last of so many failures, None if there is no further try.

        Args:
            tries: The failures so far, from 1.
            fraction: Chance, in [0, 1).
            retry_after_s: How long the receiver asked to be left alone.
        """
        if tries >= self.tries:
            return None
        planned = self.pauses_s[tries - 1] * (1 + self.jitter * fraction)
        return timedelta(seconds=max(planned, min(retry_after_s, max(self.pauses_s))))


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What becomes of a delivery after a try; `due_at` is when a pending one is tried again."""

    state: DeliveryState
    due_at: datetime


def step_after(attempt: Attempt, tries: int, schedule: RetrySchedule, fraction: float) -> NextStep:
    """What becomes of a delivery after its try number `tries`; `fraction` is chance, in [0, 1)."""
    if attempt.delivered:
        return NextStep(state=DeliveryState.DELIVERED, due_at=attempt.at)
    pause = schedule.pause(tries, fraction, attempt.retry_after_s)
    if pause is None or attempt.status == GONE:
        return NextStep(state=DeliveryState.DEAD, due_at=attempt.at)
    return NextStep(state=DeliveryState.PENDING, due_at=attempt.at + pause)


def is_given_up(attempt: Attempt, step: NextStep, failing_since: datetime | None, after: timedelta) -> bool:
    """Whether the webhook is no longer sent to: it is gone, or a delivery died after so long without a success."""
    if step.state is not DeliveryState.DEAD:
        return False
    return attempt.status == GONE or (failing_since is not None and attempt.at - failing_since >= after)


def secret_of(entropy: bytes) -> str:
    """A secret as the Standard Webhooks specification writes it."""
    return SECRET_PREFIX + base64.b64encode(entropy).decode("ascii")


def _fits(action: str, wanted: str) -> bool:
    return action == wanted or (wanted.endswith(".") and action.startswith(wanted))
