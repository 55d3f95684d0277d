"""What content agents are told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfig:
    """How a content's budget moves; all in the price of a boosted impression that everybody looks at."""

    grant: float = 30.0
    """What new content starts with."""
    completion: float = 12.0
    """What a completed view of a boosted impression brings in."""
    share: float = 12.0
    """What being passed on brings in, beside that."""
    most: float = 90.0
    """Largest budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentAgentConfig:
    """The agent and its network."""

    account: AccountConfig = AccountConfig()
    hidden: tuple[int, ...] = (32, 32)
    """Widths of the actor's layers."""
    ask: float = 0.5
    """Share of its budget that an untrained agent wants to spend in a day."""
    bid: float = 0.5
    """Of an untrained agent; the bid is half to one and a half times what the content promises."""
    breadth: float = 0.4
    """Share of the users, those whom it suits best, that an untrained agent names as its audience."""
    usual_click_rate: float = 0.1
    """Clicks a look that new content is expected to have, before anything is known."""
    usual_looks: float = 20.0
    """Looks that this expectation counts for."""
