"""What others have to be told of a table: which scopes hold something else than before, and when some will."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from reward_llm.delivery.sdk.snapshot import ScopeKey
from reward_llm.delivery.sdk.table import Table


def differing(before: Table, after: Table, now_s: float) -> Iterator[ScopeKey]:
    """Scopes that come, go, or say something else of now or later; what is over doesn't count."""
    for key in after.items:
        if key not in before.items or (
            _read_anew(before, after, key) and _said(before, key, now_s) != _said(after, key, now_s)
        ):
            yield key
    for key in before.items:
        if key not in after.items:
            yield key


def turned(table: Table, since_s: float, until_s: float) -> Iterator[ScopeKey]:
    """Scopes that hold something else at the one moment than at the other, for some units at least."""
    since, until = (datetime.fromtimestamp(s, UTC) for s in sorted((since_s, until_s)))
    near = {key for key, item in table.items.items() if any(since < edge <= until for edge in item.edges)}
    for key in table.items if near else ():
        if (key in near or (key[0], None) in near) and _held(table, key, since) != _held(table, key, until):
            yield key


def _read_anew(before: Table, after: Table, key: ScopeKey) -> bool:
    whole = key[0], None
    return before.items[key] is not after.items[key] or before.items[whole] is not after.items[whole]


def _said(table: Table, key: ScopeKey, now_s: float) -> tuple[object, ...]:
    """What is served until the next edge, and then."""
    item, period = table.items[key], table.periods.get(key)
    frozen = item.frozen or table.items[item.scenario, None].frozen
    if period is not None and period.holds(now_s):
        layers = period.layers
    else:
        layers = table.layers(item, datetime.fromtimestamp(now_s, UTC))
    return item.utilities, frozen, item.default, layers


def _held(table: Table, key: ScopeKey, moment: datetime) -> tuple[tuple[str, int], ...]:
    """The activations that decide, the first one first: who is in none of the partial ones gets the last."""
    layers = table.layers(table.items[key], moment)
    return tuple((rule, a.sequence) for rule, ordered in layers for a in ordered if a.covers(moment))
