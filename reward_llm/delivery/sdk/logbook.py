"""The client's log, which may fail without anything else failing."""

from __future__ import annotations

import contextlib
import logging
from typing import Final

NAME: Final = "reward_llm.delivery.sdk"
_log = logging.getLogger(NAME)


def note(level: int, message: str, *arguments: object, exc_info: bool = False) -> None:
    """Log it.

    A filter or handler of the program's own may raise, and there is nobody left to tell; neither a lookup nor the
    refresh may end for it.
    """
    with contextlib.suppress(Exception):
        _log.log(level, message, *arguments, exc_info=exc_info)
