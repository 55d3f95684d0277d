import json
from datetime import UTC, datetime

import httpx
import pytest

from reward_llm.cli.wording import Lang, say
from reward_llm.domain.metrics import Metric


@pytest.fixture
def told(client, service):
    """The program, once the service was told of some events."""
    about = {"at": datetime.now(UTC).isoformat(), "scenario": "home_feed", "user": "u1", "policy_id": "pol_x"}
    slate = [{**about, "item": f"i{n}", "request_id": "r1", "position": n} for n in range(8)]
    sent = [{**shown, "event_id": f"e{n}", "type": "impression"} for n, shown in enumerate(slate)]
    sent += [{**slate[1], "event_id": "c1", "type": "click"}]
    httpx.post(f"{service}/v1/events", json={"events": sent}, timeout=60).raise_for_status()
    return client


def test_metrics_are_shown_with_their_intervals(told):
    result = told("metrics", "home_feed")
    assert result.code == 0, result.err
    assert "12.50%" in result.out
    assert "95% interval" in result.out
    assert "policies seen: pol_x" in result.out


def test_as_json_they_are_the_answer_of_the_service(told):
    answer = json.loads(told("metrics", "home_feed", "--policy", "pol_x", "--window", "1d", "--json").out)
    assert answer["metrics"]["ctr"]["value"] == 0.125
    assert answer["metrics"]["mrr"]["value"] == 0.5
    assert answer["metrics"]["gmv"] == {"value": None, "low": None, "high": None, "events": 0}


def test_they_are_shown_in_chinese(told):
    assert "点击率" in told("metrics", "home_feed", "--lang", "zh").out


def test_a_scenario_without_events_says_so(client):
    assert "No event of video_feed came in yet." in client("metrics", "video_feed").out


def test_a_window_that_is_none_is_refused_with_what_to_write(client):
    result = client("metrics", "home_feed", "--window", "2y")
    assert result.code == 1
    assert "Use 1m to 30d" in result.err


@pytest.mark.parametrize("metric", Metric)
def test_every_metric_has_words_in_both_languages(metric):
    key = f"metric_{metric}"
    assert key not in {say(key, Lang.EN), say(key, Lang.ZH)}
