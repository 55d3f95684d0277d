"""What sinks and sources ask of a broker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

OnBodies = Callable[[Sequence[object]], Awaitable[None]]
"""Works on the decoded bodies of some messages, which are acknowledged when it returns."""

MAX_MESSAGES: Final = 32
"""How many messages are worked on at once; each holds some events."""
WAIT_S: Final = 0.02
"""How long a batch of messages is collected."""
REDELIVER_S: Final = 10.0
"""After how long a message that nobody works on any more is given to somebody else."""
HOLDS: Final = 4
"""How often who works on messages says so in that time."""
PATIENCE_S: Final = 5.0
"""How long connecting and publishing may take."""
KEPT_S: Final = 7 * 86_400
"""How long a stream that is made here keeps messages."""


class Link(Protocol):
    """A connection to one broker, which is made once and let go once."""

    async def connect(self) -> None:
        """Connect, and make the stream if it isn't there.

        Raises:
            Exception: Whatever the broker's client raises.
        """
        ...

    async def publish(self, body: bytes) -> None:
        """Come back when the broker has kept the message.

        Raises:
            Exception: Whatever the broker's client raises.
        """
        ...

    async def consume(self, group: str, on_bodies: OnBodies) -> None:
        """Start to work on all messages that nobody of the group has acknowledged.

        Raises:
            Exception: Whatever the broker's client raises.
        """
        ...

    @property
    def is_consuming(self) -> bool:
        """Whether it still does."""
        ...

    async def aclose(self) -> None:
        """Let the connection go."""
        ...
