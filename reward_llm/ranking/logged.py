"""The log that weights are tried on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from ranker.data import read_log
from ranker.errors import CandidatesMissing
from ranker.features import FeatureEncoder
from ranker.requests import LoggedLists
from reward_llm.domain.preview import ShownItem

_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class LoggedRequests:
    """Logged lists as tensors, and the rows that they were made of, in the same order."""

    lists: LoggedLists
    _table: pa.Table

    @classmethod
    def read(cls, path: Path, features: FeatureEncoder) -> LoggedRequests:
        """Read a log by the features that a checkpoint was fitted with.

        Raises:
            LogInvalid: If it isn't a list-wise log.
            FeatureSpecInvalid: If it doesn't have a column that the features need.
        """
        table = read_log(path)
        return cls(features.lists(table), table)

    def request_id(self, row: int) -> str:
        """What the log calls the request."""
        name: str = self._table.column("request_id")[row].as_py()
        return name

    def row_of(self, request: str) -> int:
        """The row of a request, by its id or its number from 0.

        Raises:
            CandidatesMissing: If there is none.
        """
        found = [i for i, name in enumerate(self._table.column("request_id").to_pylist()) if name == request]
        if found:
            return found[0]
        if request.isascii() and request.isdigit() and int(request) < self._table.num_rows:
            return int(request)
        raise CandidatesMissing(
            f"the log has no request {request!r}",
            hint=f"It has {self._table.num_rows}: name one by its id, or by its number from 0.",
        )

    def items(self, row: int) -> list[ShownItem]:
        """The candidates of a request, in their order."""
        (logged,) = self._table.slice(row, 1).select(_COLUMNS).to_pylist()
        return [_item(logged, place) for place in range(len(logged["item_id"]))]


_COLUMNS: Final = [
    "timestamp",
    "item_id",
    "supply_type",
    "seller",
    "category",
    "price",
    "published",
    "group",
]


def _item(logged: dict[str, Any], place: int) -> ShownItem:
    published = logged["published"][place]
    price = logged["price"][place]
    return ShownItem(
        item_id=logged["item_id"][place],
        supply_type=logged["supply_type"][place],
        seller=logged["seller"][place],
        category=logged["category"][place],
        price=None if price is None else round(price, 2),
        age_days=None if published is None else round(max(logged["timestamp"] - published, 0) / _DAY_S, 1),
        group=logged["group"][place],
    )
