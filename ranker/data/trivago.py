"""The session log of the RecSys Challenge 2019 (trivago) as lists."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ranker.data.log_format import check_log, log_schema
from ranker.errors import LogInvalid

CLICKOUT: Final = "clickout item"
DWELL_LIMIT_S: Final = 1800
"""A longer pause after a clickout isn't time spent on the offer."""

_COLUMNS: Final = ("user_id", "session_id", "timestamp", "step", "action_type", "reference")
_LIST_COLUMNS: Final = ("platform", "device", "impressions", "prices")

Event = dict[str, Any]


def trivago_log(path: Path) -> pa.Table:
    """Give every list of a day's events at which somebody clicked out to an offer, in the format of `ranker.data`.

    The candidates are the list as it was shown, so that it can be put into another order and nothing else. A hotel's
    features are what the session had done before: `item.seen` counts interactions with it, `item.clicked` clickouts,
    `item.last` says whether it was the last one touched. Dwell is the time up to the session's next event.
    The log has no seller, category, age, purchase or return: seller and category are null, the rest is false.

    Raises:
        LogInvalid: If the file doesn't have the challenge's columns, or no clickout.
    """
    table = _read(path)
    sessions: dict[str, list[Event]] = defaultdict(list)
    for event in table.to_pylist():
        sessions[event["session_id"]].append(event)
    rows = [row for events in sessions.values() for row in _session_rows(events)]
    if not rows:
        raise LogInvalid(f"{path} has no clickout with its list")
    return check_log(pa.Table.from_pylist(rows, schema=_SCHEMA))


_SCHEMA: Final = log_schema(
    user={"platform": pa.string(), "device": pa.string(), "step": pa.float32()},
    item=dict.fromkeys(("seen", "clicked", "last"), pa.float32()),
)


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path, columns=[*_COLUMNS, *_LIST_COLUMNS])
    except FileNotFoundError as exc:
        raise LogInvalid(f"there is no trivago log at {path}") from exc
    except pa.ArrowInvalid as exc:
        raise LogInvalid(f"{path} isn't the challenge's session log: {exc}") from exc


def _session_rows(events: list[Event]) -> Iterator[Event]:
    events.sort(key=lambda event: event["step"])
    seen: Counter[str] = Counter()
    clicked: Counter[str] = Counter()
    last = ""
    following: Sequence[Event | None] = [*events[1:], None]
    for event, later in zip(events, following, strict=True):
        if event["action_type"] == CLICKOUT and event["impressions"]:
            row = _row(event, later)
            if row is not None:
                yield row | {
                    "item.seen": [seen[item] for item in row["item_id"]],
                    "item.clicked": [clicked[item] for item in row["item_id"]],
                    "item.last": [float(item == last) for item in row["item_id"]],
                }
            clicked[event["reference"]] += 1
        if event["reference"] and event["reference"].isdecimal():
            seen[event["reference"]] += 1
            last = event["reference"]


def _row(event: Event, later: Event | None) -> Event | None:
    """Give the list, or nothing where it is damaged: not one price a hotel, or a hotel twice."""
    items = event["impressions"].split("|")
    prices = (event["prices"] or "").split("|")
    if len(items) != len(prices) or len(set(items)) < len(items) or not all(map(_is_price, prices)):
        return None
    click = [item == event["reference"] for item in items]
    dwell_s = min(later["timestamp"] - event["timestamp"], DWELL_LIMIT_S) if later else 0
    unknown = [None] * len(items)
    return {
        "request_id": f"{event['session_id']}-{event['step']}",
        "user_id": event["user_id"],
        "timestamp": event["timestamp"],
        "user.platform": event["platform"],
        "user.device": event["device"],
        "user.step": float(event["step"]),
        "item_id": items,
        "supply_type": ["product"] * len(items),
        "seller": unknown,
        "category": unknown,
        "price": [float(price) for price in prices],
        "published": unknown,
        "group": [0] * len(items),
        "shown": list(range(len(items))),
        "click": click,
        "purchase": [False] * len(items),
        "dwell_s": [float(max(dwell_s, 0)) if hit else 0.0 for hit in click],
        "returned": False,
    }


def _is_price(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()
