"""What one more event costs a log of online metrics that holds 10^4 to 10^7 of them already.

    python benchmarks/online_metrics_filled.py --most 10000000

Each log is filled in DuckDB with copies of 10,000 events under other ids, which is quick, and opened again. Then more
events are kept in batches of 1,000 and put into columns, all of which is counted, in CPU time of the process.
`online_metrics.py cost` measures a log that grows by events alone, and takes far longer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from online_metrics import BATCH, FEED, events, store  # noqa: E402

from reward_llm.domain.metrics import MetricWindow  # noqa: E402
from reward_llm.feedback.metrics.columns import columns  # noqa: E402

POOL = 10_000
MONTH = timedelta(days=30)
FILL = """
INSERT INTO events BY NAME
SELECT made.* REPLACE (
    hash(made.event_id || '-' || turn.range) AS id_hash,
    made.event_id || '-' || turn.range AS event_id,
    made.user_id || '-' || turn.range % 500 AS user_id,
    made.request_id || '-' || turn.range AS request_id
)
FROM range($turns) AS turn, made
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=10_000_000)
    parser.add_argument("--more", type=int, default=100_000)
    options = parser.parse_args()
    sizes = [10**n for n in range(4, 9) if 10**n <= options.most]
    more = list(events(options.more, timedelta(hours=1), datetime.now(UTC), seed=7))
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            print(json.dumps(asyncio.run(measured(Path(folder) / str(size), size, more))), flush=True)


async def measured(folder: Path, size: int, more: list) -> dict[str, float]:
    filled(folder, size)
    began = time.process_time()
    metrics = store(folder, 1)
    opened = time.process_time() - began
    await metrics.publish(list(events(BATCH, timedelta(hours=1), datetime.now(UTC), seed=8)))
    began = time.process_time()
    for place in range(0, len(more), BATCH):
        await metrics.publish(more[place : place + BATCH])
    metrics._logs[0]._writer.execute("CHECKPOINT")
    spent = time.process_time() - began
    row = {"before": size, "cpu_us_an_event": spent / len(more) * 1e6, "open_cpu_s": opened, "kept": len(metrics)}
    for window in ("1h", "30d"):
        began = time.process_time()
        await metrics.report(FEED, None, MetricWindow.parse(window))
        row[f"report_{window}_cpu_s"] = time.process_time() - began
    await metrics.aclose()
    return row


def filled(folder: Path, size: int) -> None:
    """A log on the disk that has so many events of the last thirty days."""
    (log,) = store(folder, 1)._logs
    log.close()
    (path,) = folder.glob("*.duckdb")
    made = columns(list(events(POOL, MONTH, datetime.now(UTC) - timedelta(hours=2), seed=5)))
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET threads = 1")
        connection.register("made", made)
        connection.execute(FILL, {"turns": size // POOL})


if __name__ == "__main__":
    main()
