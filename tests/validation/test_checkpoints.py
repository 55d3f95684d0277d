from __future__ import annotations

import hashlib

import pytest

from reward_llm.errors import CheckpointInvalid
from reward_llm.validation.checkpoints import CHECKSUMS, REQUIRED_FILES, verify_checkpoint, write_checksums


@pytest.fixture
def folder(tmp_path):
    for name in REQUIRED_FILES:
        (tmp_path / name).write_text(f"the {name}", "utf-8")
    write_checksums(tmp_path)
    return tmp_path


def test_a_whole_checkpoint_is_known_by_the_digest_of_its_weights(folder):
    assert verify_checkpoint(folder) == hashlib.sha256(b"the model.safetensors").hexdigest()


@pytest.mark.parametrize("name", REQUIRED_FILES)
def test_a_file_that_changed_is_named(folder, name):
    (folder / name).write_text("something else", "utf-8")
    with pytest.raises(CheckpointInvalid, match=f"{name} .* is damaged"):
        verify_checkpoint(folder)


@pytest.mark.parametrize("name", REQUIRED_FILES)
def test_a_file_that_is_missing_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointInvalid, match=f"lacks {name}"):
        verify_checkpoint(folder)


def test_a_checkpoint_of_ones_own_needs_no_checksums(folder):
    (folder / CHECKSUMS).unlink()
    assert verify_checkpoint(folder)
