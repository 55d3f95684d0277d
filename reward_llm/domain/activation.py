"""An activation: a policy put into force, for a while and for a share of the units."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reward_llm.domain.goal import Window
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.schedule import EVERYBODY, Scheduled

PLANNED: Final = sys.maxsize
"""The sequence of an activation that isn't written yet: it comes after all others."""


class EndingKind(StrEnum):
    """How an activation was brought to an end before its window's."""

    ENDED = "ended"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """When an activation was brought to an end, and by whom; before its start, that cancels it."""

    at: datetime
    by: str
    kind: EndingKind = EndingKind.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation(Scheduled):
    """A policy put into force; `revision` counts its changes from 1."""

    sequence: int
    policy: RewardPolicy
    window: Window
    activated_at: datetime
    activated_by: str
    percent: float = EVERYBODY
    revision: int = 1
    ended: Ending | None = None

    @property
    def policy_id(self) -> str:
        """The policy's id."""
        return self.policy.policy_id

    @property
    def start(self) -> datetime:
        """When it begins: no earlier than it was made."""
        return max(self.window.valid_from or self.activated_at, self.activated_at)

    @property
    def end(self) -> datetime | None:
        """When it is over, as far as is known; None while nobody has said."""
        moments = [m for m in (self.window.valid_until, self.ended.at if self.ended else None) if m is not None]
        return min(moments, default=None)

    def was_in_force(self, moment: datetime) -> bool:
        """Whether it began by the moment; what was cancelled before never does."""
        end = self.end
        return self.start <= moment and (end is None or self.start < end)
