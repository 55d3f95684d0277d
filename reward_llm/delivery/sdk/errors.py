"""What goes wrong between a client and the service; lookups never raise any of it.

ClientError
├── SnapshotInvalid   a document that isn't a snapshot
└── Unanswered        no answer that can be used
"""

from __future__ import annotations


class ClientError(Exception):
    """The root of the tree."""


class SnapshotInvalid(ClientError):
    """A document that isn't a snapshot."""


class Unanswered(ClientError):
    """The service gave no answer that can be used; `retry_after_s` is the patience that it asked for, if it did."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s
