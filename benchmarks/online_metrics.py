"""Online metrics: equal to a recomputation, fresh at a steady rate, and at a flat cost an event.

    python benchmarks/online_metrics.py equal --events 200000
    python benchmarks/online_metrics.py rate --per-second 2000 --seconds 60
    python benchmarks/online_metrics.py cost --events 10000000

`equal` sends events of which 5 % come late and 5 % twice to a process that is killed three times, sends again what
it hadn't answered, and compares every metric of several windows and scopes with loops over all that was sent. `rate`
pins itself to one core; an event is fresh once a report that has it is there. `cost` gives CPU time, not the clock's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from reward_llm.domain.events import Event, EventType  # noqa: E402
from reward_llm.domain.metrics import TOTALS, MetricWindow  # noqa: E402
from reward_llm.domain.scenario import Scope  # noqa: E402
from reward_llm.feedback.metrics.online import MetricsStore, open_logs  # noqa: E402
from tests.feedback.metrics.recomputed import recomputed  # noqa: E402

END = datetime(2026, 6, 18, 12, tzinfo=UTC)
FEED = Scope("home_feed")
BATCH = 1_000
KILLS = 3
POOL = 20_000
TURNS = 500
"""After how many turns through the pool its users come again: 20,000 in all."""
SCOPES = ((None, None), ("new_user", None), (None, "pol_1"), ("mature_user", "pol_0"))
WINDOWS = ("1m", "1h", "1d", "7d", "30d")
Sent = tuple[float, float, int]
"""When some events were due, when they were kept, and how many they are."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("equal", "rate", "cost", "child"))
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--per-second", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--partitions", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--skip", type=int, default=0)
    options = parser.parse_args()
    if options.part == "child":
        asyncio.run(child(options.folder, options.partitions, options.events, options.skip))
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.part == "equal":
            found = equal(Path(folder), options.partitions, options.events)
        elif options.part == "rate":
            found = asyncio.run(rate(Path(folder), options.partitions, options.per_second, options.seconds))
        else:
            found = asyncio.run(cost(Path(folder), options.partitions, options.events))
    print(json.dumps(found, indent=2))


def events(count: int, span: timedelta, until: datetime, seed: int = 0) -> Iterator[Event]:
    """So many events of a feed, in order, evenly over a span of time: slates of ten, and what follows from them."""
    draw, step, number = random.Random(seed), span / count, 0
    users = max(10, count // 500)
    while number < count:
        user, slate = draw.randrange(users), number
        about: dict[str, Any] = {
            "scenario": "home_feed",
            "user": f"u{user}",
            "segment": ("new_user", "mature_user")[user % 2],
            "policy_id": f"pol_{user % 3}",
        }
        for kind, slot, extra in _slate(draw):
            if number == count:
                return
            at = until - span + (number + 1) * step
            shown = {} if slot is None else {**_item(draw, slot, slate), "position": slot, **extra}
            yield Event(event_id=f"e{seed}-{number}", type=kind, at=at, **about, **shown)
            number += 1


def _slate(draw: random.Random) -> Iterator[tuple[EventType, int | None, dict[str, Any]]]:
    if draw.random() < 0.2:
        yield EventType.SESSION, None, {}
    for slot in range(10):
        boosted = draw.random() < 0.05
        yield EventType.IMPRESSION, slot, {"boosted": boosted, "cost": 0.01 if boosted else None}
        if draw.random() < 0.05:
            yield EventType.CLICK, slot, {}
            yield EventType.VIEW, slot, {"value": draw.randrange(1, 3_000) / 10}
            if draw.random() < 0.1:
                yield EventType.PURCHASE, slot, {"value": draw.randrange(100, 99_999) / 100}


def _item(draw: random.Random, slot: int, slate: int) -> dict[str, Any]:
    item = (slate * 7919 + slot * 104_729) % 5_000
    return {"item": f"i{item}", "category": f"c{item % 30}", "request_id": f"r{slate}", "is_new": item % 10 == 0}


def repeated(count: int, span: timedelta, until: datetime) -> Iterator[Event]:
    """So many events as `events` gives them, by making up few and giving them other ids and users over and over."""
    made = list(events(min(count, POOL), span, until))
    step = span / count
    for number in range(count):
        turn, place = divmod(number, len(made))
        like = made[place]
        yield replace(
            like,
            event_id=f"{like.event_id}-{turn}",
            at=until - span + (number + 1) * step,
            user=f"{like.user}-{turn % TURNS}",
            request_id=like.request_id and f"{like.request_id}-{turn}",
        )


def batches(count: int, seed: int) -> list[list[Event]]:
    """Thirty days of events, of which 5 % come up to a day late and 5 % twice, as they arrive."""
    draw = random.Random(seed)
    told = []
    for event in events(count, timedelta(days=30), END, seed):
        arrives = event.at + timedelta(days=draw.random() * (draw.random() < 0.05))
        told.append((arrives, event))
        if draw.random() < 0.05:
            told.append((arrives + timedelta(days=draw.random()), event))
    order = [event for _, event in sorted(told, key=lambda pair: pair[0])]
    return [order[n : n + BATCH] for n in range(0, len(order), BATCH)]


def store(folder: Path, partitions: int) -> MetricsStore:
    return MetricsStore(open_logs(folder, partitions), lambda: datetime.now(UTC))


async def child(folder: Path, partitions: int, count: int, skip: int) -> None:
    metrics = store(folder, partitions)
    for number, batch in enumerate(batches(count, 1)[skip:], start=skip + 1):
        await metrics.publish(batch)
        print(number, flush=True)
    print("over", flush=True)
    await asyncio.sleep(600)


def equal(folder: Path, partitions: int, count: int) -> dict[str, Any]:
    """How many comparisons there were, and how many differed."""
    sent, answered, kills = batches(count, 1), 0, 0
    while answered < len(sent):
        until = len(sent) * (kills + 1) // (KILLS + 1) if kills < KILLS else len(sent)
        answered = _killed_at(folder, partitions, count, answered, until)
        kills += 1
    flat = [event for batch in sent for event in batch]
    return asyncio.run(_compared(folder, partitions, flat)) | {"kills": kills}


def _killed_at(folder: Path, partitions: int, count: int, skip: int, until: int) -> int:
    options = {"folder": folder, "partitions": partitions, "events": count, "skip": skip}
    command = [sys.executable, __file__, "child", *(f"--{name}={value}" for name, value in options.items())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    answered = skip
    while answered < until:
        answered = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    answered = max([answered, *(int(n) for n in process.stdout.read().split() if n.isdigit())])
    process.wait()
    return answered


async def _compared(folder: Path, partitions: int, sent: Sequence[Event]) -> dict[str, Any]:
    metrics = store(folder, partitions)
    compared = different = 0
    largest = 0.0
    for window in map(MetricWindow.parse, WINDOWS):
        for segment, policy_id in SCOPES:
            report = await metrics.report(Scope("home_feed", segment), policy_id, window, END)
            for metric, (above, below) in recomputed(sent, END, window.length, segment, policy_id).items():
                found = report.estimates[metric]
                expected = None if not below else above if metric in TOTALS else above / below
                compared += 1
                different += found.events != below or (found.value is None) != (expected is None)
                if expected and found.value is not None:
                    largest = max(largest, abs(found.value / expected - 1))
    kept, distinct = len(metrics), len({e.event_id for e in sent})
    await metrics.aclose()
    return {
        "sent": len(sent),
        "distinct": distinct,
        "kept": kept,
        "compared": compared,
        "counts_that_differ": different,
        "largest_relative_difference_of_values": largest,
    }


async def rate(folder: Path, partitions: int, per_second: int, seconds: int) -> dict[str, Any]:
    """How long after it happened an event is in a report."""
    os.sched_setaffinity(0, {0})
    metrics = store(folder, partitions)
    source = events(per_second * seconds, timedelta(seconds=seconds), END)
    await _warmed(metrics)
    sends: list[Sent] = []
    reads: list[tuple[float, float]] = []
    began, cpu, size = time.monotonic(), time.process_time(), per_second // 50
    tasks = []

    async def send(batch: list[Event], due: float) -> None:
        await metrics.publish(batch)
        sends.append((due, time.monotonic(), len(batch)))

    async def keep_reading() -> None:
        while True:
            at = time.monotonic()
            await metrics.report(FEED, None, MetricWindow.parse("5m"))
            reads.append((at, time.monotonic()))
            await asyncio.sleep(0.5)

    reading = asyncio.create_task(keep_reading())
    for number in range(seconds * 50):
        due = began + number / 50
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        batch = [replace(next(source), at=datetime.now(UTC)) for _ in range(size)]
        tasks.append(asyncio.create_task(send(batch, due)))
    await asyncio.gather(*tasks)
    took = time.monotonic() - began
    await asyncio.sleep(3)
    reading.cancel()
    fresh = _fresh(sends, reads)
    used = time.process_time() - cpu
    await metrics.aclose()
    return {
        "events": sum(count for _, _, count in sends),
        "per_second": sum(count for _, _, count in sends) / took,
        "kept_p99_s": _p99([(kept - due, count) for due, kept, count in sends]),
        "fresh_p50_s": _p99(fresh, 0.5),
        "fresh_p99_s": _p99(fresh),
        "reads": len(reads),
        "cpu_share_of_a_core": used / (took + 3),
        "load_average": os.getloadavg()[0],
    }


def _fresh(sends: Sequence[Sent], reads: Sequence[tuple[float, float]]) -> list[tuple[float, int]]:
    begins = [begin for begin, _ in reads]
    found = []
    for due, kept, count in sends:
        place = bisect_left(begins, kept)
        if place < len(reads):
            found.append((reads[place][1] - due, count))
    return found


def _p99(ages: Sequence[tuple[float, int]], share: float = 0.99) -> float:
    total, passed = sum(count for _, count in ages), 0
    for age, count in sorted(ages):
        passed += count
        if passed >= share * total:
            return age
    return math.nan


async def cost(folder: Path, partitions: int, count: int) -> dict[str, Any]:
    """CPU time an event between each power of ten and the one before, and how long reports take then."""
    metrics, found, batch, used, before = store(folder, partitions), {}, [], 0.0, 0
    await _warmed(metrics)
    marks = [10**n for n in range(4, 9) if 10**n <= count]
    for number, event in enumerate(repeated(count, timedelta(days=30), datetime.now(UTC)), start=1):
        batch.append(event)
        if len(batch) == BATCH or number == count:
            began = time.process_time()
            await metrics.publish(batch)
            used += time.process_time() - began
            batch = []
        if number in marks:
            row = await _row(metrics, folder)
            found[f"{number:,}"] = {"cpu_us_an_event": used / (number - before) * 1e6, **row}
            print(number, found[f"{number:,}"], file=sys.stderr, flush=True)
            used, before = 0.0, number
    await metrics.aclose()
    return found


async def _row(metrics: MetricsStore, folder: Path) -> dict[str, float]:
    row: dict[str, float] = {}
    for window in ("1h", "1d", "30d"):
        began = time.process_time()
        await metrics.report(FEED, None, MetricWindow.parse(window))
        row[f"report_{window}_cpu_s"] = time.process_time() - began
    row["disk_mb"] = _size(folder) / 1e6
    row["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return row


async def _warmed(metrics: MetricsStore) -> None:
    """Load what the first write and the first read load."""
    await metrics.publish(list(events(1, timedelta(days=31), END, seed=2)))
    await metrics.report(FEED, None, MetricWindow.parse("5m"))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


if __name__ == "__main__":
    main()
