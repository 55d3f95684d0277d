import json

import pytest
from starlette.requests import Request
from starlette.responses import Response

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import Direction, Emphasis
from tests.cli.markup import parse
from tests.generation.servers import completion, model_server

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


def test_json_has_every_utility_and_the_confusion_matrix(program, file):
    result = program("evaluate", "goals", "--file", file, "--backend", "rules", "--json")
    report = json.loads(result.out)["reports"]["rules"]
    assert report["by_utility"]["click"]["raised"] == {"share": 1.0, "right": 1, "of": 1}
    assert report["by_utility"]["gmv"]["held"] == {"share": None, "right": 0, "of": 0}
    assert report["confusion"]["raise"] == {"raise": 1, "lower": 0, "hold": 0, "nothing": 0}
    assert report["confusion"]["left_alone"]["nothing"] == 7
    assert report["confusion"]["nothing_asserted"]["nothing"] == 6


def test_the_terminal_shows_the_confusion_matrix_and_every_utility_that_is_asserted(program, file):
    out = program("evaluate", "goals", "--file", file, "--backend", "rules").out
    rows = [row.split() for row in out.splitlines()]
    assert ["left", "alone", "0", "0", "0", "7"] in rows
    assert "raise, by utility" in out
    assert not any(row[:1] == ["gmv"] for row in rows)


def test_a_run_is_kept_and_the_next_one_stands_beside_it(program, file, tmp_path):
    run, page = tmp_path / "run.json", tmp_path / "report.html"
    command = ("evaluate", "goals", "--file", file, "--backend", "rules")
    assert program(*command, "--save", str(run)).code == 0
    kept = json.loads(run.read_text("utf-8"))
    kept["backends"]["rules"][0]["raised"] = [False]
    run.write_text(json.dumps(kept), "utf-8")
    result = program(*command, "--against", str(run), "--html", str(page))
    assert result.code == 0
    assert f"written: {page}" in result.err
    row = next(line for line in result.out.split("beside the run of")[1].splitlines() if "directional" in line)
    assert row.split()[2:] == ["0.0%", "0/1", "100.0%", "1/1", "+100.0", "pp"]
    assert "1 line fixed" in result.out
    assert "0 lines broken" in result.out
    tree = parse(page.read_text("utf-8"))
    assert tree.one("section", id="changes").one("h4").text == "a"
    assert [m.text for m in tree.one("section", id="changes").all("mark")] == ["点击率", "拉起来"] * 2


def test_json_says_what_was_fixed_and_what_broke(program, file, tmp_path):
    command = ("evaluate", "goals", "--file", file, "--backend", "rules")
    program(*command, "--save", str(tmp_path / "run.json"))
    result = program(*command, "--against", str(tmp_path / "run.json"), "--json")
    comparison = json.loads(result.out)["baseline"]["comparisons"]["rules"]
    assert (comparison["fixed"], comparison["broken"]) == ([], [])
    assert comparison["measures"]["directional"]["change"] == 0.0


def test_a_run_on_other_goals_is_refused_before_anything_is_read(program, file, tmp_path):
    command = ("evaluate", "goals", "--backend", "rules", "--file")
    run = str(tmp_path / "run.json")
    program(*command, file, "--save", run)
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(LINES[0]) + "\n", "utf-8")
    result = program(*command, str(other), "--against", run, "--save", str(tmp_path / "new.json"))
    assert (result.code, result.out) == (1, "")
    assert "is a run on other goals: it has besides b" in " ".join(result.err.split())
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize("option", ["--save", "--html"])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_read(program, file, tmp_path, option):
    for target in (tmp_path, tmp_path / "no folder" / "run.json"):
        result = program("evaluate", "goals", "--file", file, "--backend", "rules", option, str(target))
        assert (result.code, result.out) == (1, "")
        assert "can't be written" in result.err


@pytest.mark.parametrize("content", [None, b"{", b"\xff"])
def test_a_baseline_that_cannot_be_read_is_refused(program, file, tmp_path, content):
    run = tmp_path / "run.json"
    if content is not None:
        run.write_bytes(content)
    result = program("evaluate", "goals", "--file", file, "--backend", "rules", "--against", str(run))
    assert (result.code, result.out) == (1, "")
    assert "run.json" in result.err


def test_a_wrong_line_is_named_by_its_number(program, file, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text(json.dumps(LINES[0]) + "\n{}\n", "utf-8")
    result = program("evaluate", "goals", "--file", str(broken), "--backend", "defaults")
    assert result.code == 1
    assert "broken.jsonl:2: " in result.err


async def answer_click_up(request: Request) -> Response:
    """Raise clicks, with points where the schema asks for them: 18 of 28 on clicks."""
    schema = (await request.json())["response_format"]["json_schema"]["schema"]
    weights = schema["properties"].get("weights", {}).get("properties")
    points = weights and {name: 18 if name == "click" else 2 for name in weights}
    return completion(canonical_answer([("click", Direction.RAISE, Emphasis.SLIGHT)], points))


def test_a_model_has_a_column_for_each_bundle_and_the_rules_have_one(program, file):
    with model_server(answer_click_up) as url:
        columns = (
            "--backend",
            "vllm",
            "--backend",
            "rules",
            "--bundle",
            "goal_to_intents",
            "--bundle",
            "goal_to_points",
        )
        result = program("evaluate", "goals", "--file", file, *columns, "--json", REWARD_LLM_VLLM_URL=url)
        table = program("evaluate", "goals", "--file", file, *columns, REWARD_LLM_VLLM_URL=url).out
    reports = json.loads(result.out)["reports"]
    assert list(reports) == ["vllm/goal_to_intents", "vllm/goal_to_points", "rules"]
    assert all(reports[name]["directional"]["right"] == 1 for name in reports)
    head = table.splitlines()[0]
    assert head.index("vllm/goal_to_intents") < head.index("vllm/goal_to_points") < head.index("rules")


def test_points_with_the_model_that_ships_are_refused_before_anything_is_read(program, file):
    columns = ("--backend", "rules", "--backend", "embedded", "--bundle", "goal_to_points")
    result = program("evaluate", "goals", "--file", file, *columns)
    assert (result.code, result.out) == (2, "")
    assert "trained to answer with intents" in " ".join(result.err.split())


def test_an_unknown_bundle_is_wrong_usage(program, file):
    assert program("evaluate", "goals", "--file", file, "--bundle", "goal_to_poems").code == 2


def test_an_unknown_backend_is_wrong_usage(program, file):
    assert program("evaluate", "goals", "--file", file, "--backend", "oracle").code == 2
