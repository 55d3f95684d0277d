"""An act: who does something, when, why, from where and with which request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

SENDER: Final = "webhooks"
"""Who makes a webhook inactive."""
EXPERIMENTER: Final = "experiments"
"""Who looks at experiments, and ends what does harm."""
MIGRATOR: Final = "reward-llm db"
"""Who changes the database's schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What every change is put on record with.

    `reason` is the actor's own words, '' if they gave none; `address` is where they called from and `request_id` the
    request's id in the log, both '' for what the service does by itself.
    """

    actor: str
    at: datetime
    reason: str = ""
    address: str = ""
    request_id: str = ""
