import json

import pytest

from reward_llm.resources import checkpoint_dir
from tests.tuning.trade import KEPT_BACK, TAUGHT, corpus_line, evaluation_line, goals, write_lines

QUICK = ("--steps", "2", "--corpus", "none")


@pytest.fixture
def mine(tmp_path):
    return write_lines(tmp_path / "mine.jsonl", (corpus_line(*g) for g in list(goals(TAUGHT))[:30]))


def test_a_model_is_tuned_and_its_scores_stand_beside_each_other(program, mine, tmp_path):
    kept = write_lines(tmp_path / "kept.jsonl", (evaluation_line(*g) for g in list(goals(KEPT_BACK))[:2]))
    out = str(tmp_path / "out")
    arguments = (
        "--base",
        str(checkpoint_dir()),
        "--out",
        out,
        "--goals",
        str(mine),
        "--keep-back",
        str(kept),
        *QUICK,
    )
    result = program("model", "tune", *arguments)
    assert result.code == 0, result.err
    assert "full fine-tuning: 6,035,712 of 6,035,712 parameters trained, 2 steps" in result.out
    assert "of 2 goals kept back" in result.out
    assert "directional" in result.out
    assert program("model", "info", out).code == 0
    report = json.loads(program("model", "tune", *arguments, "--json").out)
    assert (report["steps"], report["goals"], report["after"]["goals"]) == (2, {"mine": 30}, 2)


def test_a_trimmed_student_is_taught_by_a_checkpoint(program, mine, tmp_path):
    plain = tmp_path / "plain.txt"
    plain.write_text("\n".join(json.loads(line)["goal"] for line in mine.read_text("utf-8").splitlines()), "utf-8")
    shipped, out = str(checkpoint_dir()), tmp_path / "out"
    result = program(
        "model", "distil", "--teacher", shipped, "--student", shipped, "--goals", str(plain), "--out", str(out),
        "--trim", "3", "--confidence", "0", "--hold-back", "0", *QUICK,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "30 of 30 goals labelled" in result.err
    assert "trimmed: 3 of 6 layers" in result.out
    config = json.loads((out / "config.json").read_text("utf-8"))
    assert config["num_hidden_layers"] == 3
    assert config["vocab_size"] < 5120
    assert len(list(out.glob("labels/*/labelled.jsonl"))) == 1
    assert program("model", "info", str(out)).code == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--lora", "8", "--full"), "exclude each other"),
        (("--corpus", "none"), "no goal to train on"),
        (("--base", "."), "lacks"),
    ],
)
def test_what_cannot_be_tuned_is_refused(program, options, problem, tmp_path):
    given = ("--base", str(checkpoint_dir()), "--out", str(tmp_path / "out"), *options)
    result = program("model", "tune", *given)
    assert result.code == 1
    assert problem in result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", ["2", "some"])
def test_a_share_of_the_vocabulary_is_a_share(program, share, tmp_path):
    out = str(tmp_path / "out")
    result = program("model", "trim", "--base", str(checkpoint_dir()), "--out", out, "--keep-vocabulary", share)
    assert result.code == 1
    assert "is no share" in result.err
