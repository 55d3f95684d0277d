import json


def submitted(client, text: str) -> str:
    return json.loads(client("submit", text, "--json").out)["id"]


def test_goals_alone_lists_them_newest_first(client):
    older, newer = submitted(client, "把点击率拉起来"), submitted(client, "raise GMV")
    listed = json.loads(client("goals", "--json").out)["items"]
    assert [g["id"] for g in listed[:2]] == [newer, older]
    table = client("goals", "list").out
    assert table.index(newer) < table.index(older)


def test_a_list_goes_on_at_its_cursor(client):
    submitted(client, "把点击率拉起来")
    submitted(client, "raise GMV")
    first = json.loads(client("goals", "--limit", "1", "--json").out)
    second = json.loads(client("goals", "--limit", "1", "--cursor", first["next_cursor"], "--json").out)
    assert second["items"][0]["id"] != first["items"][0]["id"]
    assert "more: --cursor " in client("goals", "--limit", "1").out


def test_goals_of_one_state_alone(client):
    submitted(client, "今天中午吃什么？")
    states = {g["state"] for g in json.loads(client("goals", "--state", "no_change", "--json").out)["items"]}
    assert states == {"no_change"}
    assert client("goals", "--state", "lost").code == 1


def test_show_gives_the_reading_again(client):
    goal = submitted(client, "raise GMV")
    shown = client("goals", "show", goal)
    assert shown.code == 0
    assert "▲ raise" in shown.out
    assert json.loads(client("goals", "show", goal, "--json").out)["id"] == goal


def test_an_unknown_goal_is_refused_whatever_its_name(client):
    for name in ("goal_none", "../policies", "a/b", "目标", "x?y#z"):
        result = client("goals", "show", name)
        assert result.code == 1
        assert result.err.startswith("error: ")


def test_help_of_a_group_is_not_taken_for_a_list(program):
    for option in ("-h", "--help"):
        assert "Commands" in program("goals", option).out
