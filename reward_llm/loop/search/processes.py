"""Which process works on a study, so that others on its machine can tell when it is gone."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROCESSES: Final = Path("/proc")
_STARTED: Final = 19
"""The place of the start time after a process's name in its `stat` (proc_pid_stat(5), field 22)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A process: its machine's name, its number, and when the machine says that it began; '' where it can't."""

    machine: str
    process: int
    began: str

    @classmethod
    def this(cls) -> Owner:
        """The process that asks."""
        return cls(machine=platform.node(), process=os.getpid(), began=_began(os.getpid()))

    @property
    def is_gone(self) -> bool:
        """Whether it certainly ended: of other machines, and where a machine tells nothing, nobody knows."""
        if self.machine != platform.node() or not self.began:
            return False
        return _began(self.process) != self.began


def _began(process: int) -> str:
    try:
        stat = (_PROCESSES / str(process) / "stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[_STARTED]
