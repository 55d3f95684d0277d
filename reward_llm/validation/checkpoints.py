"""A checkpoint's files against their checksums."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from reward_llm.errors import CheckpointInvalid

REQUIRED_FILES: Final = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
CHECKSUMS: Final = "SHA256SUMS"
RETRAIN_HINT: Final = "Install the package again, or train a model with `reward-llm model train`."


def write_checksums(folder: Path) -> None:
    """Write `SHA256SUMS` over the files that a checkpoint needs, in the format of sha256sum(1)."""
    lines = (f"{_digest(folder / name)}  {name}\n" for name in REQUIRED_FILES)
    (folder / CHECKSUMS).write_text("".join(lines), "utf-8")


def verify_checkpoint(folder: Path) -> str:
    """The SHA-256 of a checkpoint's weights, in hexadecimal.

    Raises:
        CheckpointInvalid: If a file is missing, or differs from the folder's `SHA256SUMS`.
    """
    missing = [name for name in REQUIRED_FILES if not (folder / name).is_file()]
    if missing:
        raise CheckpointInvalid(f"the checkpoint in {folder} lacks {', '.join(missing)}", hint=RETRAIN_HINT)
    digests = {name: _digest(folder / name) for name in REQUIRED_FILES}
    sums = folder / CHECKSUMS
    for line in sums.read_text("utf-8").splitlines() if sums.is_file() else []:
        digest, _, name = line.partition("  ")
        if digests.get(name, digest) != digest:
            raise CheckpointInvalid(f"{name} in {folder} is damaged: its checksum differs", hint=RETRAIN_HINT)
    return digests["model.safetensors"]


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
