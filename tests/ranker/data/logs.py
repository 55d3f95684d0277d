"""A small log written by hand."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

DAY_S = 86_400
NOW = 1_735_689_600


def row(**changes: Any) -> dict[str, Any]:
    """One request of three candidates, two of them shown."""
    return {
        "request_id": "r1",
        "user_id": "u1",
        "timestamp": NOW,
        "user.visits": 3.0,
        "user.device": "phone",
        "item_id": ["a", "b", "c"],
        "supply_type": ["product", "live", "video"],
        "seller": ["s1", None, "s1"],
        "category": ["shoes", "hats", "shoes"],
        "price": [10.0, 0.0, None],
        "published": [NOW - DAY_S, NOW - 30 * DAY_S, None],
        "group": [0, 1, 2],
        "item.rating": [4.0, None, None],
        "item.viewers": [None, 100.0, None],
        "item.brand": ["x", "y", None],
        "shown": [2, 0],
        "click": [True, False],
        "purchase": [False, False],
        "dwell_s": [3.5, 0.0],
        "returned": True,
        **changes,
    }


def log(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows) or [row()])
