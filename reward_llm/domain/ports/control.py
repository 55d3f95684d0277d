"""Who puts a controller's moves into force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.admission import Admission
from reward_llm.domain.control import Reading
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.weights import Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Weights that a controller wants in place of the policy `over`, and the reading that they follow from.

    `after` is the number of the controller's last entry, so that of two who decide at once one moves.
    """

    controller_id: str
    over: str
    after: int
    weights: Weights
    reading: Reading


class Moves(Protocol):
    """Moves of controllers."""

    async def move(self, move: Move, act: Act, admission: Admission) -> RewardPolicy:
        """Make the weights the scope's next policy, put it into force, and end the move before, all or nothing.

        It needs no approvals, because people granted the envelope; the gate stays, and so does everything else.

        Raises:
            LoopRecordUnknown: If there is no such controller.
            ControllerNotReady: If it doesn't run, or has another last entry.
            MoveNotGranted: If nobody granted the weights, or another policy than `over` holds.
            ScopeFrozen: If its scope or its scenario is frozen.
            GateRefused: If the gate refuses the weights over those in force.
            StoreUnavailable: If it can't be put on record.
        """
        ...
