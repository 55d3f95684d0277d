"""What learning writes while it goes: lines of CSV, and scalars for TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from torch.utils.tensorboard import SummaryWriter

from ranker.training.journal import Journal

LOG: Final = "log.csv"
BOARD: Final = "tensorboard"


class LearningJournal:
    """Both, in a run's folder; a resumed run goes on with them."""

    def __init__(self, folder: Path, *, after_step: int) -> None:
        self._lines = Journal(folder / LOG, after_step=after_step)
        # What was written after the step that the run goes on from is hidden on the board, and cut from the lines.
        self._board = SummaryWriter(str(folder / BOARD), purge_step=after_step + 1)

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Add the figures of a step, the same names every time; a slash in a name groups curves."""
        self._lines.write(step, figures)
        for name, value in figures.items():
            self._board.add_scalar(name, value, step)
        self._board.flush()

    def close(self) -> None:
        """Nothing more comes."""
        self._board.close()
