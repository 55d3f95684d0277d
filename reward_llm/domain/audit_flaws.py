"""What may be wrong with an audit log, and how far one was found to be right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from reward_llm.domain.audit import Checkpoint, LogHead


class FlawKind(StrEnum):
    """What is wrong with a log."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    MISSING = "missing"
    OUT_OF_PLACE = "out_of_place"
    UNLINKED = "unlinked"
    PATCH_REFUSED = "patch_refused"
    NOT_AS_SIGNED = "not_as_signed"
    CUT_OFF = "cut_off"
    CHECKPOINT_INVALID = "checkpoint_invalid"
    STATE_DIFFERS = "state_differs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """The first thing that is wrong; `sequence` and `chain` are the record's, None where it is about none."""

    kind: FlawKind
    message: str
    sequence: int | None = None
    chain: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands where a record should, and why it can't be read as one."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """How far a log was found to be as it was written, and the first flaw.

    `records` were found good, up to and with the one that `head` names; `checkpoints` of them are as they were
    signed, the last of those by `last_checkpoint`. `compared` says whether what they replay to was compared with
    what the store holds.
    """

    records: int
    head: LogHead
    checkpoints: int = 0
    last_checkpoint: Checkpoint | None = None
    compared: bool = False
    flaw: Flaw | None = None

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return self.flaw is None
