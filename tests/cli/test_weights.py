import json


def test_what_is_served_is_shown_with_where_it_came_from(client):
    result = client("weights", "video_feed")
    assert result.code == 0
    assert "video_feed · pol_" in result.out
    assert "scenario default" in result.out
    assert "watch_quality" in result.out
    assert "0.400" in result.out


def test_json_is_the_answer_of_the_service(client):
    answer = json.loads(client("weights", "video_feed", "--json").out)
    assert answer["utilities"] == list(answer["weights"])


def test_an_unknown_scenario_is_refused(client):
    assert client("weights", "home_fed").code == 1


def test_without_a_scenario_everything_that_is_served_is_shown(client):
    result = client("weights")
    assert result.code == 0
    for scope in ("home_feed", "home_feed/new_user", "video_feed"):
        assert scope in result.out
    assert "pol_" in result.out
    assert "scenario default" in result.out
    assert "click 0.25" in " ".join(result.out.split())


def test_as_json_everything_is_the_snapshot(client):
    snapshot = json.loads(client("weights", "--json").out)
    assert {"revision", "as_of", "stale", "age_s", "items"} == set(snapshot)
    assert {"frozen", "default", "activations", "vector"} < set(snapshot["items"][0])


def test_a_segment_or_a_unit_needs_a_scenario(client):
    assert client("weights", "--segment", "new_user").code == 2
    assert client("weights", "--unit", "u-1").code == 2
