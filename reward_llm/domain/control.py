"""Controllers: what is to be held at a set-point, by moving one weight within an envelope that people granted.

proposed ─► running ─┬► paused ─► running …      a person
              │      ├► overtaken ─► running …   somebody else put a policy into force
              └──────┴► ended                    a person, or a quota's time was over
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from reward_llm.domain.metrics import TOTALS, Metric, MetricWindow
from reward_llm.domain.pacing import Profile
from reward_llm.domain.scenario import Bounds
from reward_llm.domain.weights import Weights

CONTROLLER: Final = "controller"
"""Who makes a controller's moves; nobody else has the name."""
PACED: Final = TOTALS | {Metric.COLD_START_SHARE}
"""What a quota may be of: money, and impressions of new items."""
EXPOSED: Final = frozenset(Metric) - TOTALS
"""What a set-point may be of."""
LEAST_PERIOD: Final = timedelta(minutes=1)
LONGEST_PERIOD: Final = timedelta(days=1)


class ControllerState(StrEnum):
    """How a controller is."""

    PROPOSED = "proposed"
    """It waits for approvals."""
    RUNNING = "running"
    PAUSED = "paused"
    """Somebody paused it."""
    OVERTAKEN = "overtaken"
    """Another policy is in force than the one that it left."""
    ENDED = "ended"


class Hold(StrEnum):
    """Why a controller left the weight as it was."""

    DEAD_BAND = "dead_band"
    """The measurement is near enough to the set-point."""
    SETTLED = "settled"
    """The weight that it wants is the one in force."""
    STALE = "stale"
    """The last event is too old."""
    FEW = "few"
    """Too few events lie in the window."""
    UNMEASURED = "unmeasured"
    """Nobody tells the metric now."""
    FROZEN = "frozen"
    ROLLOUT = "rollout"
    """Another policy holds for a part of the units."""
    EARLY = "early"
    """The quota's time hasn't begun."""
    REFUSED = "refused"
    """The store didn't take the move."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A metric of the window that ends now is to be `setpoint`, told by at least so many events."""

    metric: Metric
    setpoint: float
    window: MetricWindow
    least_events: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """An amount that is to be delivered from `since` to `until`, spread by the profile."""

    metric: Metric
    amount: float
    since: datetime
    until: datetime
    profile: Profile = field(default_factory=Profile)

    def due(self, moment: datetime) -> float:
        """The share of the amount that should have been delivered by the moment, in [0, 1]."""
        return self.profile.share(self.since, min(max(moment, self.since), self.until), self.until)


Target: TypeAlias = Exposure | Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """Of a PID controller: weight for each unit of error, for each unit and minute, and for each unit a minute.

    The unit is the metric's own, and the whole amount where a quota is paced. Below 0 where more weight makes less of
    the metric.
    """

    proportional: float
    integral: float = 0.0
    derivative: float = 0.0

    @property
    def are_usable(self) -> bool:
        """Whether they are finite, of one sign and not all 0."""
        values = (self.proportional, self.integral, self.derivative)
        one_sign = min(values) >= 0 or max(values) <= 0
        return all(map(math.isfinite, values)) and one_sign and any(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerPlan:
    """What people grant: which weight may move, how far, how fast and what for.

    `envelope` is what the utility may weigh, `slew` the most that it moves in one `period`. An error of up to
    `dead_band` moves nothing, nor does a feed whose last event is older than `stale_after`.
    """

    utility: str
    target: Target
    gains: Gains
    envelope: Bounds
    slew: float
    dead_band: float
    period: timedelta
    stale_after: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePolicy:
    """The reviewed policy that a controller moves away from, and by whose proportions the other utilities share."""

    policy_id: str
    content_hash: str
    weights: Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Somebody's word for a plan on its base; it binds to `content_hash`."""

    actor: str
    at: datetime
    content_hash: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """When a controller last began to run, and on which policy."""

    at: datetime
    policy_id: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """All that a controller's record says.

    `needed` and `self_approval` are what the review rules asked for when it was made; `note` says why it is in its
    state.
    """

    name: str
    plan: ControllerPlan
    base: BasePolicy
    needed: int
    self_approval: bool
    reasons: tuple[str, ...] = ()
    approvals: tuple[Approval, ...] = ()
    start: Start | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a PID controller remembers: its integral, a weight, and what it measured last, None if nothing."""

    integral: float
    measured: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look of a controller: what it measured against what, and the weight that holds since.

    `held` says why nothing moved, None if it did; `policy_id` is in force after it. `output` is what the controller
    wanted before its limits.
    """

    at: datetime
    policy_id: str
    weight: float
    memory: Memory
    setpoint: float | None = None
    measured: float | None = None
    output: float | None = None
    events: int = 0
    held: Hold | None = None
    note: str = ""

    @property
    def error(self) -> float | None:
        """The set-point less what was measured."""
        return None if self.setpoint is None or self.measured is None else self.setpoint - self.measured


STATES_OF_HOLDERS: Final = frozenset({ControllerState.RUNNING, ControllerState.PAUSED, ControllerState.OVERTAKEN})
"""Controllers in these have a scope for themselves."""
