"""The bench on a checkpoint that was hardly trained: what is printed, in both languages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ranker.features import shipped_spec
from ranker.training.pipeline import train
from tests.ranker.training.logs import small_log, small_recipe


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    train(small_log(), shipped_spec(), small_recipe(), folder)
    return folder


def test_a_bench_prints_figures_for_programs(program, checkpoint):
    result = program("ranker", "bench", str(checkpoint), "--quick", "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert [sweep["utility"] for sweep in report["control"]][:2] == ["click", "gmv"]
    assert {"actor", "scorer", "greedy", "MMR"} <= {who["name"] for who in report["optimum"][0]["contestants"]}
    assert report["latency"]["greedy"]["p50_ms"] > 0
    assert "closed form" in report["missing"][0]


def test_a_bench_prints_tables_for_people_and_writes_a_page(program, checkpoint, tmp_path):
    page = tmp_path / "bench.html"
    result = program("ranker", "bench", str(checkpoint), "--quick", "--html", str(page), "--lang", "zh")
    assert result.code == 0, result.err
    assert "最大回落" in result.out
    assert "beam 64 + swap" in result.out
    assert "单核" in result.out
    assert "<polyline" in page.read_text("utf-8")


def test_a_bench_without_a_checkpoint_or_a_place_for_its_page_is_refused(program, checkpoint, tmp_path):
    nothing = program("ranker", "bench", str(tmp_path), "--quick")
    assert nothing.code != 0
    assert "checkpoint" in nothing.err
    nowhere = tmp_path / "missing" / "bench.html"
    refused = program("ranker", "bench", str(checkpoint), "--quick", "--html", str(nowhere))
    assert refused.code == 1
    assert "can't be written" in refused.err
