from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ranker.training.journal import TrainingProgress

SCRIPTS = Path(__file__).parents[3] / "benchmarks"
RIVALS = {f"{name}{kind}" for name in ("PRM", "DLCM", "SetRank") for kind in ("", ", 1/e")}
OWN = {f"ours, {name}" for name in ("click", "default", "value", "satisfaction", "diversity")}
PLAIN = {"logged", "random", "by attraction"}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up day in the challenge's format: clicks fall with the position."""
    drawn, events = random.Random(1), []
    for session in range(60):
        items = drawn.sample(range(100, 400), drawn.randint(4, 25))
        place = min(int(drawn.expovariate(0.4)), len(items) - 1)
        events.append(
            {
                "user_id": f"u{session}",
                "session_id": f"s{session}",
                "timestamp": 1_000 + 60 * session,
                "step": 1,
                "action_type": "clickout item",
                "reference": str(items[place]),
                "platform": drawn.choice(["DE", "BR"]),
                "device": drawn.choice(["mobile", "desktop"]),
                "impressions": "|".join(map(str, items)),
                "prices": "|".join(str(drawn.randint(20, 400)) for _ in items),
            }
        )
    folder = tmp_path_factory.mktemp("day")
    pq.write_table(pa.Table.from_pylist(events), folder / "day1.parquet")
    return folder


def test_every_order_of_a_day_is_judged_and_shown(
    day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from ranker_trivago import measure, show  # noqa: PLC0415 - a script, found by the path above

    steps = {"evaluator_steps": 4, "actor_steps": 2, "rival_steps": 2}
    seen: list[TrainingProgress] = []
    results = measure(argparse.Namespace(data=day, lists=60, seed=0, **steps), tmp_path, seen.append)
    assert {progress.name for progress in seen} == {"evaluator", "judge", "examiner", "actor"} | RIVALS
    results = json.loads(json.dumps(results))
    assert results["lists"] == {"earlier": 48, "later": 12}
    orders = results["orders"]
    assert set(orders) == PLAIN | RIVALS | OWN
    assert orders["logged"]["estimate"]["lift"] == 0
    assert orders["logged"]["estimate"]["clicks"] == pytest.approx(0.9, abs=0.3)
    for row in orders.values():
        low, high = row["estimate"]["lift_interval"]
        assert low <= row["estimate"]["lift"] <= high
        assert 0 < row["mrr"] <= 1
        assert set(row["utilities"]) == {"click", "value", "satisfaction", "diversity"}
        assert all(0 <= value <= 1 for value in row["utilities"].values())
    show(results)
    shown = capsys.readouterr().out
    assert all(shown.count(f"{name} ") >= 2 for name in PLAIN | RIVALS | OWN)


def test_a_day_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "ranker_trivago.py"), "--data", str(tmp_path)]
    missing = subprocess.run(command, capture_output=True, text=True, check=False)
    assert missing.returncode == 1
    assert "no trivago log" in missing.stderr
    assert "Traceback" not in missing.stderr
