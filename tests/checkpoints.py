"""Checkpoints for tests to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

from reward_llm.resources import checkpoint_dir
from reward_llm.validation.calibrations import CALIBRATION
from reward_llm.validation.checkpoints import write_checksums


def uncalibrated_copy(folder: Path) -> Path:
    """A copy of the checkpoint that ships, without its calibration."""
    copy = Path(shutil.copytree(checkpoint_dir(), folder / "checkpoint"))
    (copy / CALIBRATION).unlink(missing_ok=True)
    write_checksums(copy)
    return copy
