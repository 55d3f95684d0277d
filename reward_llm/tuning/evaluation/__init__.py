"""How well goals are read: labelled goals in, a report out.

A line of the file says what must hold for the weights that its goal leads to, starting from the scenario's
defaults:

    raise      the weight is above its default
    lower      the weight is below its default
    hold       the weight is at least `HELD_FLOOR` of its default
    top        no other weight is as large
    outcome    "no_change": nothing is decided

Two lines with the same `pair` say how their weights relate: as `paraphrase` they lie close together, as
`stronger` the second (by `pair_order`) moves no less than the first.
"""

from __future__ import annotations

from reward_llm.tuning.evaluation.lines import LabelledLine, load_lines
from reward_llm.tuning.evaluation.report import Report, Share, report
from reward_llm.tuning.evaluation.run import UnchangedProposer, evaluate
from reward_llm.tuning.evaluation.verdict import REFUSED, Reading, Verdict, judge

__all__ = [
    "REFUSED",
    "LabelledLine",
    "Reading",
    "Report",
    "Share",
    "UnchangedProposer",
    "Verdict",
    "evaluate",
    "judge",
    "load_lines",
    "report",
]
