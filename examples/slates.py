"""The last chapter of the demo: one request, ranked by the weights before and after, side by side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
from rich.table import Table
from rich.text import Text

from ranker.checkpoint import SAMPLE, shipped_checkpoint

SIZE: Final = 8
_OF_CANDIDATES: Final = ("supply_type", "seller", "category", "price", "group")
_NEW: Final = timedelta(days=7)


def logged_request(row: int, *, log: Path | None = None) -> dict[str, Any]:
    """A request of the log that ships, as `POST /v1/rerank` takes it; its items are as old now as they were then."""
    logged = pq.read_table(log or shipped_checkpoint() / SAMPLE).slice(row, 1).to_pylist()[0]
    age_s = int(datetime.now(UTC).timestamp()) - logged["timestamp"]
    return {
        "user": {"features": _features(logged, "user.", None)},
        "candidates": [
            {
                "item_id": item_id,
                **{name: logged[name][place] for name in _OF_CANDIDATES},
                "published": logged["published"][place] + age_s,
                "features": _features(logged, "item.", place),
            }
            for place, item_id in enumerate(logged["item_id"])
        ],
        "size": SIZE,
    }


def side_by_side(request: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> Table:
    """Two slates of the request: what stands in every slot, and what each slate is worth."""
    items = {candidate["item_id"]: candidate for candidate in request["candidates"]}
    table = Table(box=None, header_style="bold")
    for name in ("slot", "before", "after"):
        table.add_column(name, justify="right" if name == "slot" else "left")
    for slot, pair in enumerate(zip(before["slate"], after["slate"], strict=True), start=1):
        table.add_row(str(slot), *(_item(items[item_id], moved=pair[0] != pair[1]) for item_id in pair))
    table.add_section()
    for name, value in before["utilities"].items():
        change = after["utilities"][name] - value
        style = "green" if change > 0 else "red" if change < 0 else ""
        table.add_row("", f"{name} {value:.3f}", Text(f"{name} {value + change:.3f} ({change:+.3f})", style))
    return table


def _features(logged: dict[str, Any], prefix: str, place: int | None) -> dict[str, Any]:
    """The columns with that prefix that have a value, by their names without it."""
    named = {name.removeprefix(prefix): value for name, value in logged.items() if name.startswith(prefix)}
    values = named if place is None else {name: value[place] for name, value in named.items()}
    return {name: value for name, value in values.items() if value is not None}


def _item(item: dict[str, Any], *, moved: bool) -> Text:
    age = datetime.now(UTC) - datetime.fromtimestamp(item["published"], UTC)
    facts = [
        item["item_id"],
        item["supply_type"],
        item["seller"] or "–",
        f"{item['price']:.2f}" if item["price"] else "–",
    ]
    return Text(" ".join([*facts, *(["new"] if age < _NEW else [])]), "bold" if moved else "")
