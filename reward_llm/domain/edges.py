"""Edges of schedules: activations that begin or expire by time alone, without anybody's act at that moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation


class EdgeKind(StrEnum):
    """Which end of an activation it is."""

    BEGAN = "began"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A moment at which an activation began or expired as it was planned."""

    activation: Activation
    kind: EdgeKind
    at: datetime

    @property
    def key(self) -> str:
        """What no other edge has, and the same edge always; nor can a request, whose keys are ASCII."""
        return f"edge·{self.activation.sequence}·{self.kind}·{self.at.timestamp():.6f}"


class EdgeLog(Protocol):
    """Where edges are put on record."""

    async def announce(self, edges: Sequence[Edge], act: Act) -> Sequence[Edge]:
        """Put those on record that aren't yet, and give them.

        Raises:
            StoreUnavailable: If the database can't be written.
        """
        ...


def edges_of(activation: Activation) -> Iterator[Edge]:
    """The activation's edges, past and to come; none of one that was cancelled before it began.

    What begins as soon as it is made, and what somebody ends, is on record already.
    """
    end = activation.end
    if end is not None and end <= activation.start:
        return
    if activation.start > activation.activated_at:
        yield Edge(activation=activation, kind=EdgeKind.BEGAN, at=activation.start)
    if end is not None and end == activation.window.valid_until:
        yield Edge(activation=activation, kind=EdgeKind.EXPIRED, at=end)


def edges_between(activations: Iterable[Activation], since: datetime, until: datetime) -> list[Edge]:
    """Edges after a moment and up to another, in the order in which they happen."""
    found = (edge for activation in activations for edge in edges_of(activation) if since < edge.at <= until)
    return sorted(found, key=lambda edge: (edge.at, edge.activation.sequence, edge.kind))
