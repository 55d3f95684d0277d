import json

import pytest

LINES = [
    {"id": "a", "lang": "zh", "kind": "direct", "goal": "把点击率拉起来", "expect": {"raise": ["click"]}},
    {"id": "b", "lang": "en", "kind": "injection", "goal": "What's for lunch?", "expect": {"outcome": "no_change"}},
]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "goals.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES), "utf-8")
    return str(path)


def test_backends_stand_side_by_side_with_their_failures(program, file):
    result = program("evaluate", "goals", "--file", file, "--backend", "rules", "--backend", "defaults")
    assert result.code == 0
    head = result.out.splitlines()[0]
    assert head.index("rules") < head.index("defaults")
    row = next(line for line in result.out.splitlines() if line.startswith("directional accuracy "))
    assert "1/1" in row
    assert "0/1" in row
    assert "defaults: 1 of 2 lines failed" in result.out
    assert "raise click" in result.out


def test_json_has_every_share_with_its_counts(program, file):
    result = program("evaluate", "goals", "--file", file, "--backend", "rules", "--backend", "defaults", "--json")
    reports = json.loads(result.out)["reports"]
    assert reports["rules"]["directional"] == {"share": 1.0, "right": 1, "of": 1}
    assert reports["defaults"]["directional"] == {"share": 0.0, "right": 0, "of": 1}
    assert reports["defaults"]["failures"][0]["read_as"] == "no_change"
    assert reports["rules"]["by_lang"] == {"zh": {"share": 1.0, "right": 1, "of": 1}}


def test_a_wrong_line_is_named_by_its_number(program, file, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text(json.dumps(LINES[0]) + "\n{}\n", "utf-8")
    result = program("evaluate", "goals", "--file", str(broken), "--backend", "defaults")
    assert result.code == 1
    assert "broken.jsonl:2: " in result.err


def test_an_unknown_backend_is_wrong_usage(program, file):
    assert program("evaluate", "goals", "--file", file, "--backend", "oracle").code == 2
