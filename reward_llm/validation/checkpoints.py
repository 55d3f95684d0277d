"""A checkpoint's files against their checksums."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from reward_llm.domain.completion import Vocabulary
from reward_llm.errors import CheckpointInvalid
from reward_llm.validation.calibrations import CALIBRATION

REQUIRED_FILES: Final = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
CHECKSUMS: Final = "SHA256SUMS"
SHARD_INDEX: Final = "model.safetensors.index.json"
RETRAIN_HINT: Final = "Install the package again, or train a model with `reward-llm model train`."
_DOWNLOAD_HINT: Final = "Download the model's whole repository into the folder."
TRAINING_REPORT: Final = "training.json"


def write_checksums(folder: Path) -> None:
    """Write `SHA256SUMS` over a checkpoint's required files and its calibration, in the format of sha256sum(1)."""
    names = [name for name in (*REQUIRED_FILES, CALIBRATION) if (folder / name).is_file()]
    lines = (f"{_digest(folder / name)}  {name}\n" for name in names)
    (folder / CHECKSUMS).write_text("".join(lines), "utf-8")


def verify_checkpoint(folder: Path) -> str:
    """The SHA-256 of a checkpoint's weights, in hexadecimal.

    Raises:
        CheckpointInvalid: If a file is missing, or differs from the folder's `SHA256SUMS`.
    """
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        raise CheckpointInvalid(f"the checkpoint in {folder} lacks {', '.join(missing)}", hint=RETRAIN_HINT)
    digests = {n: _digest(folder / n) for n in (*REQUIRED_FILES, CALIBRATION) if (folder / n).is_file()}
    sums = folder / CHECKSUMS
    for line in sums.read_text("utf-8").splitlines() if sums.is_file() else []:
        digest, _, name = line.partition("  ")
        if digests.get(name, digest) != digest:
            raise CheckpointInvalid(f"{name} in {folder} is damaged: its checksum differs", hint=RETRAIN_HINT)
    return digests["model.safetensors"]


def tensor_shapes(file: Path) -> dict[str, list[int]]:
    """The shapes in a safetensors file, from its header: the header's length in 8 bytes, then JSON.

    Raises:
        CheckpointInvalid: If that isn't there.
    """
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(min(length, file.stat().st_size)))
        return {name: tensor["shape"] for name, tensor in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise CheckpointInvalid(f"{file} isn't a safetensors file: {exc}", hint=RETRAIN_HINT) from exc


def check_shape(folder: Path) -> None:
    """Compare the configuration with the weights before anything allocates what it asks for.

    Raises:
        CheckpointInvalid: If the configuration isn't that of a Qwen2, or of another one than the weights.
    """
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        stated = [config["vocab_size"], config["hidden_size"]], config["num_hidden_layers"], config["model_type"]
    except (ValueError, KeyError, TypeError) as exc:
        raise CheckpointInvalid(f"config.json in {folder} isn't that of a Qwen2: {exc}", hint=RETRAIN_HINT) from exc
    shapes = tensor_shapes(folder / "model.safetensors")
    layers = {name.split(".")[2] for name in shapes if name.startswith("model.layers.")}
    if stated != (shapes.get("model.embed_tokens.weight"), len(layers), "qwen2"):
        raise CheckpointInvalid(f"config.json and model.safetensors in {folder} don't agree", hint=RETRAIN_HINT)


def check_servable(folder: Path) -> None:
    """Check that a folder is a Qwen2 checkpoint, its weights in one file or, as large models come, in several.

    Raises:
        CheckpointInvalid: If it isn't, a file is missing, or one differs from the folder's `SHA256SUMS`.
    """
    index = folder / SHARD_INDEX
    if index.is_file():
        _check_shards(folder, index)
    else:
        verify_checkpoint(folder)
    try:
        model_type = json.loads((folder / "config.json").read_text("utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise CheckpointInvalid(f"config.json in {folder} can't be used: {exc!r}", hint=_DOWNLOAD_HINT) from exc
    if model_type != "qwen2":
        raise CheckpointInvalid(f"the checkpoint in {folder} is a {model_type!r}, not a Qwen2")
    if not index.is_file():
        check_shape(folder)


def _check_shards(folder: Path, index: Path) -> None:
    try:
        shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise CheckpointInvalid(f"{index} can't be used: {exc!r}", hint=_DOWNLOAD_HINT) from exc
    missing = [name for name in ("tokenizer.json", *sorted(shards)) if not (folder / name).is_file()]
    if missing:
        raise CheckpointInvalid(f"the checkpoint in {folder} lacks {', '.join(missing)}", hint=_DOWNLOAD_HINT)


def was_trained_here(folder: Path) -> bool:
    """Whether `reward-llm model train` wrote the checkpoint, or it was tuned from one: it answers with concepts."""
    try:
        report = json.loads((folder / TRAINING_REPORT).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(report, dict) and report.get("vocabulary", Vocabulary.CONCEPTS) == Vocabulary.CONCEPTS


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
