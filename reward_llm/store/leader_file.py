"""Leading by a locked file, for processes of one machine.

The system lets go of the lock when the process ends, however it does. The file itself stays; who removes it makes
whoever holds it find out within `look_s`, and lose.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from reward_llm.domain.ports.leader import Leadership
from reward_llm.errors import StoreUnavailable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SUFFIX: Final = "-leader"
"""What the file's name has more than the database's, as those of SQLite's own files beside it."""
_LOOK_S: Final = 1.0


class FileLock:
    """A `reward_llm.domain.ports.leader.LeaderLock` in a file beside a database."""

    def __init__(self, database: Path, *, look_s: float = _LOOK_S) -> None:
        self._path = database.with_name(database.name + SUFFIX)
        self._look_s = look_s

    @property
    def name(self) -> str:
        """The file's name."""
        return self._path.name

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Leadership | None]:
        """Lead while the block runs, or give None at once if somebody else does."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as exc:
            raise StoreUnavailable(
                f"the lock {self._path} can't be opened: {exc.strerror}", hint="Make the database's folder writable."
            ) from exc
        try:
            yield _Held(self._path, descriptor, self._look_s) if _locked(descriptor) else None
        finally:
            os.close(descriptor)


class _Held:
    def __init__(self, path: Path, descriptor: int, look_s: float) -> None:
        self._path = path
        self._descriptor = descriptor
        self._look_s = look_s

    async def lost(self) -> None:
        """Wait until the path is another file's, whose lock somebody else may have."""
        while True:
            if not self._is_the_file():
                return
            await asyncio.sleep(self._look_s)

    def _is_the_file(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except OSError:
            return False


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
