import json
from pathlib import Path

import pytest

from reward_llm.validation.calibrations import CALIBRATION, dump_calibration, load_own_calibration
from reward_llm.validation.checkpoints import CHECKSUMS, verify_checkpoint
from tests.checkpoints import uncalibrated_copy
from tests.choices import unscaled

EXAMPLES = Path(__file__).parents[2] / "examples" / "goals.jsonl"


@pytest.fixture
def checkpoint(tmp_path):
    return uncalibrated_copy(tmp_path)


@pytest.fixture
def goals(tmp_path):
    file = tmp_path / "goals.jsonl"
    file.write_text("".join(EXAMPLES.read_text("utf-8").splitlines(keepends=True)[:8]), "utf-8")
    return file


def test_a_checkpoint_is_calibrated_and_says_how_well(program, checkpoint, goals):
    (checkpoint / CALIBRATION).write_text(dump_calibration(unscaled(0.5), "of other weights", {}), "utf-8")
    result = program("model", "calibrate", str(checkpoint), "--fit", str(goals), "--json")
    assert result.code == 0, result.err
    report = json.loads(result.out)
    assert (report["fit"], report["threshold_on"], report["target"]) == (goals.name, goals.name, 0.95)
    assert 0 < report["fitted_on"] == report["measured_on"] <= 8
    assert set(report["before"]) == set(report["after"]) == {"intent", "completeness", "no_change", "reading"}
    fitted = load_own_calibration(checkpoint, verify_checkpoint(checkpoint))
    assert fitted is not None
    assert fitted.threshold == report["threshold"]
    assert CALIBRATION in (checkpoint / CHECKSUMS).read_text("utf-8")


def test_the_tables_say_what_the_threshold_means(program, checkpoint, goals):
    result = program(
        "model", "calibrate", str(checkpoint), "--fit", str(goals), "--threshold-on", str(goals), "--target", "0.5"
    )
    assert result.code == 0, result.err
    assert "ECE before" in result.out
    assert "of the readings need nobody" in result.out
    assert "calibration.json" in result.out


def test_goals_that_say_nothing_are_refused_and_nothing_is_written(program, checkpoint, tmp_path):
    line = {"id": "1", "lang": "en", "kind": "k", "goal": "Raise CTR", "expect": {}}
    (tmp_path / "goals.jsonl").write_text(json.dumps(line), "utf-8")
    result = program("model", "calibrate", str(checkpoint), "--fit", str(tmp_path / "goals.jsonl"))
    assert result.code == 1
    assert "no reading could be judged" in result.err
    assert not (checkpoint / CALIBRATION).exists()


def test_a_folder_without_a_checkpoint_is_refused_before_anything_is_read(program, tmp_path, goals):
    result = program("model", "calibrate", str(tmp_path), "--fit", str(goals))
    assert result.code == 1
    assert "lacks config.json" in result.err
