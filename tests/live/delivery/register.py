"""Whether what was written to a register and read from it could have happened one after the other.

    write 1 ├────────┤                     a value's operations: its write and all reads of it
    read 1        ├───────┤                first_end   when the first of them ended
    write 2                ├────┤          last_begin  when the last of them began

An operation comes before another if it ends before that begins. With each value written once, a history can be put
in an order iff no read comes before its write and no two values come both before and after each other (Gibbons and
Korach 1997, "Testing shared memories", whose zones conflict exactly where this holds).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A write or a read of a value, under way in [begin, end]; a write that nobody saw end has an infinite end."""

    value: int
    begin: float
    end: float = inf
    is_write: bool = False

    def precedes(self, other: Operation) -> bool:
        return self.end < other.begin


@dataclass(frozen=True, slots=True)
class _Zone:
    value: int
    first_end: float
    last_begin: float

    def is_partly_before(self, other: _Zone) -> bool:
        return self.first_end < other.last_begin


def initially(value: int) -> Operation:
    """The write of what the register held before anything happened."""
    return Operation(value=value, begin=-inf, end=-inf, is_write=True)


def violations(history: Iterable[Operation]) -> list[str]:
    """What can't be put in an order; nothing if all can.

    Raises:
        ValueError: If a value is written twice.
    """
    by_value: dict[int, list[Operation]] = defaultdict(list)
    for operation in history:
        by_value[operation.value].append(operation)
    writes = {value: _write_of(value, operations) for value, operations in by_value.items()}
    found = [problem for value, write in writes.items() for problem in _of_reads(by_value[value], write)]
    zones = [_zone(value, by_value[value]) for value, write in writes.items() if write is not None]
    return found + [
        f"{one.value} comes both before and after {other.value}"
        for one, other in combinations(zones, 2)
        if one.is_partly_before(other) and other.is_partly_before(one)
    ]


def _write_of(value: int, operations: Iterable[Operation]) -> Operation | None:
    writes = [o for o in operations if o.is_write]
    if len(writes) > 1:
        raise ValueError(f"{value} is written {len(writes)} times")
    return writes[0] if writes else None


def _of_reads(operations: Iterable[Operation], write: Operation | None) -> Iterator[str]:
    for read in (o for o in operations if not o.is_write):
        if write is None:
            yield f"{read.value} was read, which nobody wrote"
        elif read.precedes(write):
            yield f"{read.value} was read before its write began"


def _zone(value: int, operations: list[Operation]) -> _Zone:
    return _Zone(value, min(o.end for o in operations), max(o.begin for o in operations))
