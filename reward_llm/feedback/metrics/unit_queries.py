"""What is asked of the log user by user. Times are microseconds; spans have their end but not their beginning.

A user belongs to the arm whose policy their first slate was by, and what they did counts from that slate on: `now` is
(since, until] from there on, and `before` is (pre, start]. Days are counted from `pre`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from reward_llm.feedback.metrics.queries import DAY_US

_MILLIONTHS: Final = 1e6
_SHOWN: Final = """
    of_user AND type = 'impression' AND user_id IS NOT NULL AND scenario = $scenario
    AND moment > $start AND moment <= $until
    AND ($segment::VARCHAR IS NULL OR segment = $segment)
"""
_OF_ARMS: Final = f"""
    SELECT
        user_id,
        (arg_min(policy_id, (moment, id_hash)) = $treatment)::INTEGER AS arm,
        min(moment) AS first,
        count(DISTINCT policy_id) > 1 AS switched
    FROM events WHERE {_SHOWN} AND policy_id IN ($control, $treatment)
    GROUP BY user_id
"""  # noqa: S608
_OF_EVERYBODY: Final = f"""
    SELECT user_id, 0 AS arm, min(moment) AS first, false AS switched FROM events WHERE {_SHOWN} GROUP BY user_id
"""  # noqa: S608

_COUNTED: Final = {
    "impressions": "count(*) FILTER (type = 'impression' AND {span})",
    "clicks": "count(*) FILTER (type = 'click' AND {span})",
    "purchases": "count(*) FILTER (type = 'purchase' AND {span})",
    "gmv": f"coalesce(sum(amount) FILTER (type = 'purchase' AND {{span}}), 0) / {_MILLIONTHS}",
    "views": "count(*) FILTER (type = 'view' AND {span})",
    "dwell": f"coalesce(sum(amount) FILTER (type = 'view' AND {{span}}), 0) / {_MILLIONTHS}",
    "new_impressions": "count(*) FILTER (type = 'impression' AND is_new AND {span})",
}
_SPANS: Final = {"": "is_now", "_before": "is_before"}
_DAY: Final = f"((moment - 1 - $pre) // {DAY_US})"
_DAYS: Final = {
    "": f"greatest(1, ($until - greatest(first, $since)) / {DAY_US}.0)",
    "_before": f"($start - $pre) / {DAY_US}.0",
}
_DIVERSITY: Final = frozenset({"diversity", "diverse"})
_VISITS: Final = frozenset({"visits", "returns"})


def of_arms(needed: Collection[str]) -> str:
    """A row for each user that saw a slate of either policy, with the columns that are needed."""
    return _query(_OF_ARMS, needed)


def of_everybody(needed: Collection[str]) -> str:
    """A row for each user that saw a slate at all."""
    return _query(_OF_EVERYBODY, needed)


def _query(units: str, needed: Collection[str]) -> str:
    """Only what is needed is counted."""
    columns, joins = ["units.arm", "units.switched"], []
    tables = [f"units AS ({units})", f"did AS ({_DID})"]
    if any(name in _COUNTED for name in needed):
        names = [(name, suffix) for name in sorted(_COUNTED.keys() & needed) for suffix in _SPANS]
        counts = (f"{_COUNTED[name].format(span=_SPANS[suffix])} AS {name}{suffix}" for name, suffix in names)
        tables.append(f"counted AS (SELECT user_id, {', '.join(counts)} FROM did GROUP BY user_id)")  # noqa: S608
        columns += [f"counted.{name}{suffix}" for name, suffix in names]
        joins.append("LEFT JOIN counted ON counted.user_id = units.user_id")
    for wanted, name, table, spans in _TABLES:
        if wanted & set(needed):
            for suffix, span in spans.items():
                tables.append(f"{name}{suffix} AS ({table.format(span=span, last=_LAST[suffix])})")
                columns += [f"{name}{suffix}.{column} AS {column}{suffix}" for column in sorted(wanted)]
                joins.append(f"LEFT JOIN {name}{suffix} ON {name}{suffix}.user_id = units.user_id")
    if "days" in needed:
        columns += [f"{expression} AS days{suffix}" for suffix, expression in _DAYS.items()]
    return f"WITH {', '.join(tables)} SELECT {', '.join(columns)} FROM units {' '.join(joins)}"  # noqa: S608


_DID: Final = f"""
    SELECT
        events.*, {_DAY} AS day,
        moment > $start AND moment > $since AND moment >= first AS is_now,
        moment > $start AND moment > $since AND {_DAY} >= (first - 1 - $pre) // {DAY_US} AS comes_now,
        moment <= $start AS is_before
    FROM events JOIN units USING (user_id)
    WHERE of_user AND scenario = $scenario AND moment > $pre AND moment <= $until
"""  # noqa: S608
"""Of sessions the day of the first slate counts whole: they are told before what they show."""
_VARIED: Final = """
    SELECT
        user_id,
        1.0 AS diverse,
        1 - sum(clicks * (clicks - 1)) / (sum(clicks) * (sum(clicks) - 1)) AS diversity
    FROM (
        SELECT user_id, category, count(*) AS clicks FROM did
        WHERE type = 'click' AND category IS NOT NULL AND {span} GROUP BY user_id, category
    ) GROUP BY user_id HAVING sum(clicks) >= 2
"""
_VISITED: Final = """
    SELECT today.user_id, count(*) AS visits, count(later.user_id) AS returns
    FROM (SELECT DISTINCT user_id, day FROM did WHERE type = 'session' AND {span} AND day < {last}) AS today
    LEFT JOIN (SELECT DISTINCT user_id, day FROM did WHERE type = 'session') AS later
        ON later.user_id = today.user_id AND later.day = today.day + 1
    GROUP BY today.user_id
"""
_LAST: Final = {
    "": f"($until - 1 - $pre) // {DAY_US}",
    "_before": f"($start - 1 - $pre) // {DAY_US}",
}
"""The last day of a span, of which its own events don't tell who came back."""
_TABLES: Final = (
    (_DIVERSITY, "varied", _VARIED, _SPANS),
    (_VISITS, "visited", _VISITED, {**_SPANS, "": "comes_now"}),
)
