import json
import struct

import pytest


def safetensors(shapes: dict[str, list[int]]) -> bytes:
    """A file of the format's own layout: header length, header, zeros."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        size = 4
        for length in shape:
            size *= length
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(offset)


@pytest.fixture
def checkpoint(tmp_path):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(safetensors({"a": [3, 4], "b": [5]}))
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# A goal model\n\nReads goals.\n")
    return tmp_path


def test_info_says_what_a_checkpoint_is(program, checkpoint):
    result = program("model", "info", str(checkpoint))
    assert result.code == 0
    assert "17 parameters" in result.out
    assert "# A goal model" in result.out
    assert "license" not in result.out
    facts = json.loads(program("model", "info", str(checkpoint), "--json").out)
    assert facts["parameters"] == 17
    assert facts["sha256"] in result.out


def test_info_finds_damage(program, checkpoint):
    (checkpoint / "SHA256SUMS").write_text(f"{'0' * 64}  model.safetensors\n")
    result = program("model", "info", str(checkpoint))
    assert result.code == 1
    assert "damaged" in result.err


def test_a_folder_without_a_checkpoint_is_refused(program, tmp_path):
    result = program("model", "info", str(tmp_path))
    assert result.code == 1
    assert "lacks config.json" in result.err


def test_training_without_a_corpus_is_refused(program, tmp_path):
    result = program("model", "train", "--corpus", str(tmp_path), "--out", str(tmp_path / "out"))
    assert result.code == 1
    assert "no *.jsonl file" in result.err


@pytest.mark.parametrize(
    ("weight", "complaint"),
    [("seed", "FILE=TIMES"), ("nothing=2", "no file nothing.jsonl"), ("seed=0", "more than 0 times")],
)
def test_a_weight_that_means_nothing_is_refused(program, tmp_path, weight, complaint):
    result = program("model", "train", "--weight", weight, "--out", str(tmp_path))
    assert result.code == 2
    assert complaint in " ".join(result.err.replace("│", " ").split())


def test_training_needs_a_whole_checkpoint_to_go_on_from(program, tmp_path):
    result = program("model", "train", "--start", str(tmp_path), "--out", str(tmp_path / "out"))
    assert result.code == 1
    assert "lacks config.json" in result.err
