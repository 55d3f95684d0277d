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

from reward_llm.tuning.evaluation.comparison import Change, Comparison, check_comparable, compare, compare_runs
from reward_llm.tuning.evaluation.confusion import AGREES, Confusion, Expected, Read
from reward_llm.tuning.evaluation.golden import GoldenConfig, GoldenSets
from reward_llm.tuning.evaluation.kept import Run, dump_run, parse_run
from reward_llm.tuning.evaluation.lines import LabelledLine, load_lines
from reward_llm.tuning.evaluation.report import Report, UtilityScore, report
from reward_llm.tuning.evaluation.run import UnchangedProposer, evaluate
from reward_llm.tuning.evaluation.share import Share
from reward_llm.tuning.evaluation.verdict import REFUSED, Assertion, Reading, Verdict, judge

__all__ = [
    "AGREES",
    "REFUSED",
    "Assertion",
    "Change",
    "Comparison",
    "Confusion",
    "Expected",
    "GoldenConfig",
    "GoldenSets",
    "LabelledLine",
    "Read",
    "Reading",
    "Report",
    "Run",
    "Share",
    "UnchangedProposer",
    "UtilityScore",
    "Verdict",
    "check_comparable",
    "compare",
    "compare_runs",
    "dump_run",
    "evaluate",
    "judge",
    "load_lines",
    "parse_run",
    "report",
]
