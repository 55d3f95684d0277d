"""Requests as they are sent, and the rows of a log that they would become."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from reward_llm.domain.ranking import Candidate, RankingRequest

NOW = datetime(2025, 1, 20, 12, tzinfo=UTC)


def request_of(row: Mapping[str, Any], **changes: Any) -> RankingRequest:
    """A row of a log as it is sent, with nulls left out."""
    names = [name for name in row if name.startswith("item.")]
    features = [
        {name.removeprefix("item."): row[name][place] for name in names if row[name][place] is not None}
        for place in range(len(row["item_id"]))
    ]
    user = {k.removeprefix("user."): v for k, v in row.items() if k.startswith("user.") and v is not None}
    pinned = {i: slot for i, slot in zip(row["item_id"], row.get("pinned", ()), strict=False) if slot >= 0}
    candidates = tuple(
        Candidate(
            item_id=row["item_id"][place],
            supply_type=row["supply_type"][place],
            seller=row["seller"][place],
            category=row["category"][place],
            price=row["price"][place],
            published=row["published"][place],
            group=row["group"][place],
            forbidden=row["forbidden"][place] if "forbidden" in row else False,
            features=features[place],
        )
        for place in range(len(row["item_id"]))
    )
    at = datetime.fromtimestamp(row["timestamp"], UTC)
    given = {"user": user, "candidates": candidates, "size": 6, "at": at, "pinned": pinned}
    return RankingRequest(**{**given, **changes})


def row_of(table: pa.Table, place: int) -> dict[str, Any]:
    (row,) = table.slice(place, 1).to_pylist()
    return dict(row)
