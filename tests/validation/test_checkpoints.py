from __future__ import annotations

import hashlib
import json
import struct

import pytest

from reward_llm.errors import CheckpointInvalid
from reward_llm.resources import checkpoint_dir
from reward_llm.validation.calibrations import CALIBRATION
from reward_llm.validation.checkpoints import (
    CHECKSUMS,
    REQUIRED_FILES,
    SHARD_INDEX,
    check_servable,
    check_shape,
    tensor_shapes,
    verify_checkpoint,
    was_trained_here,
    write_checksums,
)


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


def test_a_calibration_beside_the_weights_is_checked_as_they_are(folder):
    (folder / CALIBRATION).write_text("fitted", "utf-8")
    verify_checkpoint(folder)
    write_checksums(folder)
    verify_checkpoint(folder)
    (folder / CALIBRATION).write_text("changed", "utf-8")
    with pytest.raises(CheckpointInvalid, match=f"{CALIBRATION} .* is damaged"):
        verify_checkpoint(folder)
    (folder / CALIBRATION).unlink()
    verify_checkpoint(folder)


def test_a_checkpoint_of_ones_own_needs_no_checksums(folder):
    (folder / CHECKSUMS).unlink()
    assert verify_checkpoint(folder)


def qwen2(folder, *, vocab_size=5, hidden_size=4, layers=1, **config):
    shapes = {"model.embed_tokens.weight": [5, 4], "model.layers.0.mlp.up_proj.weight": [8, 4]}
    header = {n: {"dtype": "F32", "shape": s, "data_offsets": [0, 0]} for n, s in shapes.items()}
    text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    stated = {
        "vocab_size": vocab_size,
        "hidden_size": hidden_size,
        "num_hidden_layers": layers,
        "model_type": "qwen2",
    }
    (folder / "config.json").write_text(json.dumps(stated | config), "utf-8")
    return folder


def test_a_configuration_that_fits_the_weights_passes(tmp_path):
    check_shape(qwen2(tmp_path))
    assert sorted(tensor_shapes(tmp_path / "model.safetensors").values()) == [[5, 4], [8, 4]]


@pytest.mark.parametrize("change", [{"vocab_size": 6}, {"hidden_size": 4096}, {"layers": 32}, {"model_type": "bert"}])
def test_a_configuration_of_another_model_is_refused_before_anything_is_loaded(tmp_path, change):
    with pytest.raises(CheckpointInvalid, match="don't agree"):
        check_shape(qwen2(tmp_path, **change))


@pytest.mark.parametrize("config", ["", "{}", "[]", "null"])
def test_what_is_no_configuration_is_refused(tmp_path, config):
    (qwen2(tmp_path) / "config.json").write_text(config, "utf-8")
    with pytest.raises(CheckpointInvalid, match="isn't that of a Qwen2"):
        check_shape(tmp_path)


@pytest.mark.parametrize("content", [b"", b"12345678", b"\xff" * 100, struct.pack("<Q", 2) + b"[]"])
def test_what_is_no_safetensors_file_is_refused(tmp_path, content):
    (qwen2(tmp_path) / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointInvalid, match="isn't a safetensors file"):
        check_shape(tmp_path)


def sharded(folder, *shards, model_type="qwen2"):
    """The files of a large model, whose weights come in several."""
    for name in ("tokenizer.json", *shards):
        (folder / name).write_text("…", "utf-8")
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}), "utf-8")
    weight_map = {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}
    (folder / SHARD_INDEX).write_text(json.dumps({"weight_map": weight_map}), "utf-8")
    return folder


def test_a_qwen2_in_one_file_or_in_several_can_be_served(tmp_path):
    check_servable(checkpoint_dir())
    check_servable(sharded(tmp_path, "model-1-of-2.safetensors", "model-2-of-2.safetensors"))


def test_a_large_model_that_was_not_downloaded_to_the_end_is_refused(tmp_path):
    with pytest.raises(CheckpointInvalid, match="lacks model-2-of-2"):
        check_servable(sharded(tmp_path, "model-1-of-2.safetensors"))


def test_a_large_model_of_another_kind_is_refused(tmp_path):
    folder = sharded(tmp_path, "model-1-of-2.safetensors", "model-2-of-2.safetensors", model_type="llama")
    with pytest.raises(CheckpointInvalid, match="'llama', not a Qwen2"):
        check_servable(folder)


@pytest.mark.parametrize(("name", "content"), [(SHARD_INDEX, "[]"), ("config.json", "{}"), ("config.json", "{")])
def test_a_large_model_whose_description_is_damaged_is_refused(name, content, tmp_path):
    folder = sharded(tmp_path, "model-1-of-2.safetensors", "model-2-of-2.safetensors")
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(CheckpointInvalid, match="can't be used"):
        check_servable(folder)


def test_only_a_model_that_was_trained_here_answers_with_concepts(tmp_path):
    assert was_trained_here(checkpoint_dir())
    assert not was_trained_here(tmp_path)
