"""How sure a model says it is against how often it is right.

goals ─► readings, judged ─┬─► fit: one map each for intents, for the end of their list, and for no_change
                           └─► dev: the threshold above which readings are right often enough
"""

from __future__ import annotations

from reward_llm.tuning.calibration.goals import JudgedGoal, load_judged_goals
from reward_llm.tuning.calibration.judgement import JudgedReading, Part, judge
from reward_llm.tuning.calibration.quality import Bin, Point, Quality, find_threshold, quality, reliability
from reward_llm.tuning.calibration.run import CalibrationReport, calibrate, read_goals
from reward_llm.tuning.calibration.scaling import fit_scaling

__all__ = [
    "Bin",
    "CalibrationReport",
    "JudgedGoal",
    "JudgedReading",
    "Part",
    "Point",
    "Quality",
    "calibrate",
    "find_threshold",
    "fit_scaling",
    "judge",
    "load_judged_goals",
    "quality",
    "read_goals",
    "reliability",
]
