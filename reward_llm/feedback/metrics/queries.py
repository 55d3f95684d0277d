"""What is asked of the log. Times are microseconds, and windows have their end but not their beginning.

`$segment` and `$policy` are NULL for all of them.
"""

from __future__ import annotations

from typing import Final

from reward_llm.feedback.metrics.columns import COLUMNS

DAY_US: Final = 86_400_000_000
CREATE: Final = f"""
CREATE TABLE IF NOT EXISTS events ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())});
ALTER TABLE events ADD COLUMN IF NOT EXISTS of_user BOOLEAN DEFAULT true;
ALTER TABLE events ADD COLUMN IF NOT EXISTS of_item BOOLEAN;
CREATE TABLE IF NOT EXISTS sample (share DOUBLE);
"""
"""Logs that are older than the draw of items have only users' events."""
SHARE: Final = "SELECT share FROM sample"
FORGET_SHARE: Final = "DELETE FROM sample"
KEEP_SHARE: Final = "INSERT INTO sample VALUES ($share)"
ALL_ITEMS: Final = "UPDATE events SET of_item = true WHERE of_item IS NULL"
INSERT: Final = "INSERT INTO events BY NAME SELECT * FROM batch"
PRUNE: Final = "DELETE FROM events WHERE moment <= $before"
IDS: Final = "SELECT id_hash FROM events"
NEWEST: Final = "SELECT scenario, max(moment) FROM events GROUP BY scenario"

_SCOPED: Final = """
    scenario = $scenario
    AND ($segment::VARCHAR IS NULL OR segment = $segment)
    AND ($policy::VARCHAR IS NULL OR policy_id = $policy)
"""
_WITHIN: Final = f"moment > $start AND moment <= $until AND {_SCOPED}"
_INSIDE: Final = f"of_user AND {_WITHIN}"

POLICIES: Final = """
SELECT DISTINCT policy_id FROM events
WHERE moment > $start AND moment <= $until AND scenario = $scenario AND policy_id IS NOT NULL
    AND ($segment::VARCHAR IS NULL OR segment = $segment)
ORDER BY policy_id
"""

ACTIONS: Final = f"""
SELECT
    user_group,
    count(*) FILTER (type = 'impression') AS impressions,
    count(*) FILTER (type = 'click') AS clicks,
    count(*) FILTER (type = 'purchase') AS purchases,
    coalesce(sum(amount) FILTER (type = 'purchase'), 0) AS gmv,
    count(*) FILTER (type = 'view') AS views,
    coalesce(sum(amount) FILTER (type = 'view'), 0) AS dwell,
    count(*) FILTER (type = 'impression' AND is_new) AS new_impressions,
    count(*) FILTER (type = 'complete' AND is_new) AS new_completions,
    coalesce(sum(cost) FILTER (type = 'impression' AND boosted), 0) AS spend
FROM events WHERE {_INSIDE}
GROUP BY user_group
"""  # noqa: S608

SLATES: Final = f"""
WITH clicked AS (
    SELECT DISTINCT user_group, user_id, request_id, slot FROM events
    WHERE type = 'click' AND request_id IS NOT NULL AND slot IS NOT NULL AND {_INSIDE}
), slates AS (
    SELECT user_group, sum(1 / log2(slot + 2)) AS gain, count(*) AS clicks, min(slot) AS first
    FROM clicked GROUP BY user_group, user_id, request_id
)
SELECT
    user_group,
    count(*) AS clicked_slates,
    sum(gain / list_sum(list_transform(range(clicks), lambda place: 1 / log2(place + 2)))) AS ndcg,
    sum(1 / (first + 1)) AS reciprocal
FROM slates GROUP BY user_group
"""  # noqa: S608

INTERESTS: Final = f"""
WITH by_category AS (
    SELECT user_group, user_id, count(*) AS clicks FROM events
    WHERE type = 'click' AND category IS NOT NULL AND {_INSIDE}
    GROUP BY user_group, user_id, category
), users AS (
    SELECT user_group, sum(clicks) AS clicks, sum(clicks * (clicks - 1)) AS pairs
    FROM by_category GROUP BY user_group, user_id
)
SELECT user_group, count(*) AS diverse_users, sum(1 - pairs / (clicks * (clicks - 1))) AS diversity
FROM users WHERE clicks >= 2 GROUP BY user_group
"""  # noqa: S608

VISITS: Final = f"""
WITH cohorts AS (
    SELECT DISTINCT user_group, user_id, ($until - moment) // {DAY_US} AS day FROM events
    WHERE type = 'session' AND moment > $until - ($days + 1) * {DAY_US} AND moment <= $until - {DAY_US} AND {_SCOPED}
), later AS (
    SELECT DISTINCT user_id, ($until - moment) // {DAY_US} AS day FROM events
    WHERE type = 'session' AND moment > $until - $days * {DAY_US} AND moment <= $until AND scenario = $scenario
)
SELECT user_group, count(*) AS visits, count(later.user_id) AS returns
FROM cohorts LEFT JOIN later ON later.user_id = cohorts.user_id AND later.day = cohorts.day - 1
GROUP BY user_group
"""  # noqa: S608
"""A day is 24 hours that end a whole number of days before the window does."""

SLOTS: Final = f"""
WITH clicked AS (
    SELECT DISTINCT user_id, request_id, slot FROM events
    WHERE type = 'click' AND moment > $start AND moment <= $until AND scenario = $scenario
)
SELECT
    shown.user_id, shown.request_id, shown.item, shown.slot, shown.propensity, clicked.slot IS NOT NULL AS clicked
FROM (
    SELECT * FROM events
    WHERE type = 'impression' AND propensity IS NOT NULL AND slot IS NOT NULL AND {_INSIDE}
) AS shown
LEFT JOIN clicked
    ON clicked.user_id = shown.user_id AND clicked.request_id = shown.request_id AND clicked.slot = shown.slot
ORDER BY shown.moment, shown.id_hash
"""  # noqa: S608
"""What was shown with which probability, and whether it was clicked."""

NEW_ITEMS: Final = f"""
WITH shown AS (
    SELECT DISTINCT item FROM events WHERE type = 'impression' AND is_new AND of_item AND {_WITHIN}
), clicked AS (
    SELECT item, count(*) AS clicks FROM events WHERE type = 'click' AND of_item AND {_WITHIN} GROUP BY item
)
SELECT shown.item, coalesce(clicks, 0) FROM shown LEFT JOIN clicked ON clicked.item = shown.item
"""  # noqa: S608
