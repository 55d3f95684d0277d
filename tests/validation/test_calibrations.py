from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.calibration import Calibration, Scaling
from reward_llm.errors import CheckpointInvalid, ConfigurationInvalid
from reward_llm.validation.calibrations import CALIBRATION, dump_calibration, load_calibration, load_own_calibration
from tests.choices import unscaled

SCALINGS = st.builds(Scaling, slope=st.floats(0, 1e3), intercept=st.floats(-1e3, 1e3))
CALIBRATIONS = st.builds(
    Calibration, intent=SCALINGS, completeness=SCALINGS, no_change=SCALINGS, threshold=st.floats(0, 1)
)


@given(calibration=CALIBRATIONS)
def test_a_calibration_survives_its_document(tmp_path_factory, calibration):
    file = tmp_path_factory.mktemp("calibration") / CALIBRATION
    file.write_text(dump_calibration(calibration, "ab", {"coverage": 0.8}), "utf-8")
    assert load_calibration(file) == load_own_calibration(file.parent, "ab") == calibration


def test_a_checkpoint_without_one_has_none(tmp_path):
    assert load_own_calibration(tmp_path, "ab") is None


def test_one_that_was_fitted_to_other_weights_is_refused_with_what_to_do(tmp_path):
    (tmp_path / CALIBRATION).write_text(dump_calibration(unscaled(0.5), "ab", {}), "utf-8")
    with pytest.raises(CheckpointInvalid, match="other weights") as caught:
        load_own_calibration(tmp_path, "cd")
    assert "reward-llm model calibrate" in caught.value.hint


@pytest.mark.parametrize(
    "change", [{"threshold": 1.5}, {"intent": {"slope": -1, "intercept": 0}}, {"kind": "calibration/2"}, {"more": 1}]
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path, change):
    document = json.loads(dump_calibration(unscaled(0.5), "ab", {})) | change
    (tmp_path / CALIBRATION).write_text(json.dumps(document), "utf-8")
    with pytest.raises(CheckpointInvalid, match="holds no calibration"):
        load_own_calibration(tmp_path, "ab")
    with pytest.raises(ConfigurationInvalid, match="holds no calibration"):
        load_calibration(tmp_path / CALIBRATION)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="holds no calibration"):
        load_calibration(tmp_path / "none.json")
