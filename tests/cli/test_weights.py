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
