from __future__ import annotations

from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ranker.training.journal import read_journal
from reward_llm.agents.learning.journal import BOARD, LOG, LearningJournal


def test_a_resumed_journal_goes_on_from_its_step_for_both_readers(tmp_path: Path) -> None:
    first = LearningJournal(tmp_path, after_step=0)
    for step in (1, 2, 3):
        first.write(step, {"user/reward": step / 10})
    first.close()
    second = LearningJournal(tmp_path, after_step=2)
    second.write(3, {"user/reward": 7.0})
    second.close()
    assert [row["user/reward"] for row in read_journal(tmp_path / LOG)] == ["0.1", "0.2", "7"]
    board = EventAccumulator(str(tmp_path / BOARD))
    board.Reload()
    assert [(event.step, round(event.value, 3)) for event in board.Scalars("user/reward")] == [
        (1, 0.1),
        (2, 0.2),
        (3, 7.0),
    ]
