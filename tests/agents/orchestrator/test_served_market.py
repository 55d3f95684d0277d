"""The agents in a market, under the weights of a service that runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from reward_llm.cli.filling import filled
from tests.service import service
from tests.strategies import HOME_FEED

EXAMPLE = Path(__file__).parents[3] / "examples" / "served_market.py"


def test_a_policy_that_is_activated_meanwhile_fills_the_next_pages(tmp_path: Path, unused_tcp_port: int) -> None:
    with service(tmp_path, unused_tcp_port, backend="rules") as running:
        command = [sys.executable, str(EXAMPLE), "--url", str(running.http.base_url), "--days", "20"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as market:
            assert market.stdout is not None
            before = market.stdout.readline()
            weights = filled({"cold_start": 0.15}, HOME_FEED.defaults)
            edit = {"scenario": "home_feed", "weights": weights, "reason": "more new content"}
            made = running.http.post("/v1/policies", json=edit).raise_for_status().json()["policy_id"]
            running.http.post(f"/v1/policies/{made}/activation", json={}).raise_for_status()
            after = market.stdout.readlines()
        assert market.returncode == 0
    assert before.startswith("day  1 ")
    assert made not in before
    assert after[-1].startswith("day 20 ")
    assert made in after[-1]
